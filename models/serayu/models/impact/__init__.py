"""What a flood reaches: villages, people, roads and buildings, from the layers of a region.

Importing this needs numpy and shapely only; rasterio is loaded when a region has a raster.
"""

from serayu.models.impact.index import ImpactIndex

__all__ = ["ImpactIndex"]
