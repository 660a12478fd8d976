"""Letter, shape and colour of what the documents show, told apart without colour too."""

from dataclasses import dataclass
from typing import Literal

from serayu.models.pavement.bina_marga import Condition
from serayu.models.survey.finding import DefectClass
from serayu.models.survey.letters import LETTERS

__all__ = ["CONDITIONS", "SIGNS", "UNKNOWN", "Sign", "Strip"]


@dataclass(frozen=True, slots=True)
class Sign:
    """How a class of findings is shown.

    Parameters
    ----------
    letter
        Of its Indonesian name.
    colour
        ``#rrggbb``.
    shape
        On the map.
    """

    letter: str
    colour: str
    shape: Literal["circle", "square", "diamond", "triangle", "hexagon", "house"]


@dataclass(frozen=True, slots=True)
class Strip:
    """How a condition of a segment is shown: letters, a colour, and dashes in mm.

    Always two letters, since one letter is a class of findings: B alone would be both baik and retak buaya.
    """

    letters: str
    colour: str
    dashes: tuple[float, float] | None


SIGNS: dict[DefectClass, Sign] = {
    DefectClass.LONGITUDINAL_CRACK: Sign(LETTERS[DefectClass.LONGITUDINAL_CRACK], "#b87800", "square"),
    DefectClass.TRANSVERSE_CRACK: Sign(LETTERS[DefectClass.TRANSVERSE_CRACK], "#2b7fb3", "diamond"),
    DefectClass.ALLIGATOR_CRACK: Sign(LETTERS[DefectClass.ALLIGATOR_CRACK], "#a8568d", "hexagon"),
    DefectClass.POTHOLE: Sign(LETTERS[DefectClass.POTHOLE], "#c04a00", "circle"),
    DefectClass.PATCH_REPAIR: Sign(LETTERS[DefectClass.PATCH_REPAIR], "#00795a", "house"),
    DefectClass.LANDSLIDE: Sign(LETTERS[DefectClass.LANDSLIDE], "#6b4a1f", "triangle"),
}
"""Colours after Okabe & Ito (2008), darkened so
that white letters on them have a contrast of at least 3.4 to 1."""

CONDITIONS: dict[Condition, Strip] = {
    Condition.BAIK: Strip("BK", "#00795a", None),
    Condition.SEDANG: Strip("SD", "#2b7fb3", (5.0, 0.8)),
    Condition.RUSAK_RINGAN: Strip("RR", "#e69f00", (2.4, 0.8)),
    Condition.RUSAK_BERAT: Strip("RB", "#b3261e", (0.9, 0.6)),
}
UNKNOWN = Strip("?", "#8a8a8a", (0.5, 1.2))
"""Of a segment without an index."""
