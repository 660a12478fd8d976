"""Vectors of the region's own posts: the limits that were published for Bendung Gerak Serayu."""

import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from serayu.models.region import Region, load_region
from serayu.models.siaga import classify
from tests.vector_adapters.values import Adapter


@functools.cache
def _banyumas() -> Region:
    return load_region(Path(__file__).parents[2] / "regions" / "banyumas")


def _status(post: str, elev_m: float) -> Mapping[str, object]:
    limits = _banyumas().station(post).thresholds
    return {"status": None if limits is None else classify(elev_m, limits).value}


ADAPTERS: Mapping[str, Adapter] = MappingProxyType({
    "serayu.bgs_upstream": lambda elev_m: _status("bgs-hulu", elev_m),
    "serayu.bgs_downstream": lambda elev_m: _status("bgs-hilir", elev_m),
})  # fmt: skip
