"""What a picture can be used for: refused whole, or good for some measurements and not for others."""

import enum
from dataclasses import dataclass

__all__ = ["Measure", "Quality", "Verdict"]


class Verdict(enum.StrEnum):
    """Whether a picture is looked at."""

    GOOD = "good"
    LIMITED = "limited"
    REFUSED = "refused"


class Measure(enum.StrEnum):
    """What can be measured in a picture."""

    POSITION = "position"
    LENGTH = "length"
    AREA = "area"
    CRACK_WIDTH = "crack_width"


@dataclass(frozen=True, slots=True)
class Quality:
    """The verdict on a picture.

    Parameters
    ----------
    verdict
        Refused pictures are reported and passed over.
    measures
        What may be measured in it.
    reasons
        Keys of the catalogue of texts ``photo.quality.*``, worst first; empty when all is good.
    figures
        The numbers behind the reasons, by name with unit (``blur_var``, ``gsd_mm``, ``tilt_deg``).
    """

    verdict: Verdict
    measures: frozenset[Measure]
    reasons: tuple[str, ...] = ()
    figures: tuple[tuple[str, float], ...] = ()
