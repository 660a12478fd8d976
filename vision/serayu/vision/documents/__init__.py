"""Documents of a survey for other programs and for print: GeoPackage, KML, report as HTML and PDF."""
