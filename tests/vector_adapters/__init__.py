"""The project's own functions under the names that test vectors use: one registry ``fn → callable``.

Adapters only rename, convert units and unpack results; no product code knows a vector, and no adapter knows
an expected value. The names of inputs (``A_km2``, ``CN``) are those of the vectors.
"""

from collections.abc import Mapping
from types import MappingProxyType

from tests.vector_adapters import (
    cap,
    drone,
    flood,
    landslide,
    pavement,
    posts,
    quality,
    river,
    scores,
    sensors,
    sensorthings,
    vision_measure,
)
from tests.vector_adapters.values import Adapter

__all__ = ["REGISTRY", "Adapter"]

REGISTRY: Mapping[str, Adapter] = MappingProxyType(
    {
        **cap.ADAPTERS,
        **drone.ADAPTERS,
        **quality.ADAPTERS,
        **river.ADAPTERS,
        **posts.ADAPTERS,
        **flood.ADAPTERS,
        **landslide.ADAPTERS,
        **pavement.ADAPTERS,
        **scores.ADAPTERS,
        **sensors.ADAPTERS,
        **sensorthings.ADAPTERS,
        **vision_measure.ADAPTERS,
    }
)
