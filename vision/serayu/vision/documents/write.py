"""Write the documents of a survey for other programs and for print, each replaced at once."""

from pathlib import Path

from serayu.models.command import write_atomically
from serayu.models.times import from_us, parse_rfc3339
from serayu.vision.documents.facts import Facts

__all__ = ["GEOPACKAGE", "HTML", "KML", "PDF", "write_reports"]

GEOPACKAGE, KML, HTML, PDF = "survey.gpkg", "survey.kml", "report.html", "report.pdf"


def write_reports(out: Path, facts: Facts, *, crops: Path) -> None:
    """Write GeoPackage, KML and the report as HTML and PDF; the same survey gives the same bytes.

    The time inside the files is that of the last picture, as the time of writing would differ from run to run.

    Parameters
    ----------
    out
        Folder, which exists.
    facts
        The survey.
    crops
        Folder with the picture of each finding.

    Raises
    ------
    BadInputError
        A file cannot be written.
    """
    from serayu.vision.documents.columns import tables_of  # noqa: PLC0415 -- libraries only where they are needed
    from serayu.vision.documents.content import content_of  # noqa: PLC0415
    from serayu.vision.documents.geopackage import geopackage  # noqa: PLC0415
    from serayu.vision.documents.html import html  # noqa: PLC0415
    from serayu.vision.documents.kml import kml  # noqa: PLC0415
    from serayu.vision.documents.pdf import pdf  # noqa: PLC0415

    made_us = 0 if facts.summary.last is None else parse_rfc3339(facts.summary.last)
    content = content_of(facts, crops=crops)
    write_atomically(out / GEOPACKAGE, geopackage(tables_of(facts), made_us=made_us))
    write_atomically(out / KML, kml(facts))
    write_atomically(out / HTML, html(content))
    write_atomically(out / PDF, pdf(content, made=from_us(made_us)))
