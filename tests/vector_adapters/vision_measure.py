"""Vectors of crack widths."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from serayu.vision.measure.skeleton import skeleton_widths_px
from tests.vector_adapters.values import Adapter

_BAR = re.compile(r"vertical bar of given pixel width, length (\d+)")


def _width(*, mask: str, width_px: int, gsd_mm: float) -> Mapping[str, object]:
    described = _BAR.fullmatch(mask)
    if described is None:
        raise ValueError(f"no mask is known as {mask!r}")
    bar = np.ones((int(described[1]), width_px), dtype=np.bool_)
    widths_px = skeleton_widths_px(np.pad(bar, 10))
    return {
        "width_mm_mean": float(widths_px.mean()) * gsd_mm,
        "width_mm_median": float(np.median(widths_px)) * gsd_mm,
    }


ADAPTERS: Mapping[str, Adapter] = MappingProxyType({"crack.width": _width})
