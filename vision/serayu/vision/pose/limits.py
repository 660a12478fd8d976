"""Up to which ground sampling distance a thing can be measured."""

import math
from collections.abc import Collection, Mapping
from types import MappingProxyType

from serayu.models.survey.finding import CRACKS, DefectClass
from serayu.vision.quality import Measure

__all__ = ["ALL_CLASSES", "CRACK_WIDTH_GSD_MM", "LANDSLIDE_GSD_MM", "ROAD_GSD_MM", "measurable"]

CRACK_WIDTH_GSD_MM = 1.0
"""3 px across the 3 mm that decide [domain reference §9]."""
ROAD_GSD_MM = 16.0
"""Coarsest of the ordinary flights that support potholes, patches and crack areas [domain reference §9]."""
LANDSLIDE_GSD_MM = 1000.0
"""Coarsest imagery in which slides are outlined: 0.3-1 m per px [project's issue on drone vision]."""

ALL_CLASSES = frozenset(DefectClass)

_ROAD: Mapping[Measure, float] = MappingProxyType(
    {
        Measure.CRACK_WIDTH: CRACK_WIDTH_GSD_MM,
        Measure.LENGTH: ROAD_GSD_MM,
        Measure.AREA: ROAD_GSD_MM,
        Measure.POSITION: LANDSLIDE_GSD_MM,
    }
)
_LANDSLIDE: Mapping[Measure, float] = MappingProxyType(
    dict.fromkeys((Measure.LENGTH, Measure.AREA, Measure.POSITION), LANDSLIDE_GSD_MM)
)


def measurable(gsd_mm: float, *, labels: Collection[DefectClass] = ALL_CLASSES) -> frozenset[Measure]:
    """Return what can be measured of some class of `labels` at a ground sampling distance; a limit counts as below.

    Examples
    --------
    >>> sorted(measurable(8.2, labels=[DefectClass.POTHOLE]))
    [<Measure.AREA: 'area'>, <Measure.LENGTH: 'length'>, <Measure.POSITION: 'position'>]
    """
    found: set[Measure] = set()
    for label in labels:
        for measure, limit in (_LANDSLIDE if label is DefectClass.LANDSLIDE else _ROAD).items():
            if measure is Measure.CRACK_WIDTH and label not in CRACKS:
                continue
            if gsd_mm <= limit or math.isclose(gsd_mm, limit, rel_tol=1e-9):
                found.add(measure)
    return frozenset(found)
