"""A survey as GeoPackage [OGC 12-128r18]: layers findings, segments and photos in WGS84."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyogrio.raw
import shapely

from serayu.models.times import from_us
from serayu.vision.documents.columns import Column, Table

__all__ = ["geopackage"]

_UTC = 100  # of GDAL's time zone flags
_DATE_OPTION = "OGR_CURRENT_DATE"
_EMPTY = {"text": "", "real": np.nan, "whole": 0, "time": np.datetime64("NaT", "ms")}
_TYPES: dict[str, Any] = {"text": object, "real": np.float64, "whole": np.int32, "time": "datetime64[ms]"}


def geopackage(tables: Sequence[Table], *, made_us: int) -> bytes:
    """Return a GeoPackage; the same tables and time give the same bytes.

    Parameters
    ----------
    tables
        One layer of each, shapes in degrees.
    made_us
        When the content changed last, microseconds UTC: the file would otherwise hold the present.
    """
    with tempfile.TemporaryDirectory(prefix="serayu-") as folder, _dated(made_us):
        file = Path(folder) / "survey.gpkg"
        for number, table in enumerate(tables):
            _write(file, table, append=number > 0)
        return file.read_bytes()


def _write(file: Path, table: Table, *, append: bool) -> None:
    shapes = np.array([None if one is None else shapely.to_wkb(one) for one in table.shapes], dtype=object)
    pyogrio.raw.write(
        file,
        shapes,
        [_values(one) for one in table.columns],
        [one.name for one in table.columns],
        field_mask=[np.array([value is None for value in one.values], dtype=bool) for one in table.columns],
        layer=table.name,
        driver="GPKG",
        geometry_type=table.geometry_type,
        crs="EPSG:4326",
        promote_to_multi=False,
        append=append,
        gdal_tz_offsets={
            one.name: np.full(len(one.values), _UTC) for one in table.columns if one.kind == "time"
        },
    )


def _values(column: Column) -> np.ndarray[tuple[int, ...], Any]:
    if column.kind == "time":
        filled = [_EMPTY["time"] if us is None else np.datetime64(us // 1000, "ms") for us in column.values]
    else:
        filled = [_EMPTY[column.kind] if value is None else value for value in column.values]
    return np.array(filled, dtype=_TYPES[column.kind])


@contextmanager
def _dated(made_us: int) -> Iterator[None]:
    """Let GDAL take a time for the present while files are written."""
    before = pyogrio.get_gdal_config_option(_DATE_OPTION)
    pyogrio.set_gdal_config_options({_DATE_OPTION: from_us(made_us).strftime("%Y-%m-%dT%H:%M:%S.000Z")})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({_DATE_OPTION: before})
