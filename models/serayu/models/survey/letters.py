"""The letter that names a class of findings wherever one is marked: report, KML, map and review page."""

from collections.abc import Mapping
from types import MappingProxyType

from serayu.models.survey.finding import DefectClass

__all__ = ["LETTERS"]

LETTERS: Mapping[DefectClass, str] = MappingProxyType(
    {
        DefectClass.LONGITUDINAL_CRACK: "M",
        DefectClass.TRANSVERSE_CRACK: "T",
        DefectClass.ALLIGATOR_CRACK: "B",
        DefectClass.POTHOLE: "L",
        DefectClass.PATCH_REPAIR: "P",
        DefectClass.LANDSLIDE: "G",
    }
)
"""Memanjang, melintang (T, transversal), buaya, lubang, penambalan, gerakan tanah [project proposal]."""
