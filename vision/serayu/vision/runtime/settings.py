"""Settings of detection, from the environment: ``SERAYU_VISION_…``."""

from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from serayu.models.errors import BadInputError
from serayu.vision.runtime.network import Precision, Runtime

__all__ = ["VisionSettings"]


_PREFIX = "SERAYU_VISION_"


class VisionSettings(BaseSettings):
    """How detectors run on this machine.

    Parameters
    ----------
    weights
        Folder of weights with its manifest; those that Serayu carries when None.
    research_weights
        Whether weights may be used whose licence allows research only; false removes them.
    runtime, precision
        Library and numbers; the fastest of this machine by default.
    threads
        Tiles at once; all usable processors when None.
    people_weights
        The operator's own detector of COCO's classes, ``.onnx`` or ``.xml``: people and vehicles that it sees are
        hidden in pictures finer than 5 mm per pixel. None: only faces are.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True)

    weights: Path | None = None
    research_weights: bool = True
    runtime: Runtime = Runtime.AUTO
    precision: Precision = Precision.AUTO
    threads: int | None = Field(default=None, ge=1, le=256)
    people_weights: Path | None = None

    @classmethod
    def read(cls) -> Self:
        """Return the settings of the environment.

        Raises
        ------
        BadInputError
            One is wrong; names its variable.
        """
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            raise BadInputError(
                f"{first['msg']}, not {first['input']!r}", field=f"{_PREFIX}{first['loc'][0]}".upper()
            ) from None
