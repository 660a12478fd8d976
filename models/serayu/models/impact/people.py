"""How many people and buildings a flooded area holds, by village."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serayu.models.impact.cut import Cut
from serayu.models.impact.villages import Settlements
from serayu.models.plane import FloatArray


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of people or buildings.

    Parameters
    ----------
    by_village
        Village index → count in the area; only villages of which something is known.
    elsewhere
        Count in settlements that lie in no village; None where there are none or nothing is known.
    complete
        Every settlement in the area has a count.
    """

    by_village: dict[int, int]
    elsewhere: int | None
    complete: bool

    @property
    def total(self) -> int | None:
        """The sum of what is known; None where nothing is."""
        if not self.by_village and self.elsewhere is None:
            return None
        return sum(self.by_village.values()) + (self.elsewhere or 0)


def count(settlements: Settlements, wet: Cut, counts: FloatArray, inside: Sequence[int]) -> Counted:
    """Count by village; a settlement cut by the area gives its share, as if people lived evenly over it.

    Parameters
    ----------
    settlements, wet
        Where people live, and its cut with the area.
    counts
        Of each settlement, NaN unknown: ``settlements.people`` or ``settlements.buildings``.
    inside
        Villages that reach into the area. One of which all settlements are counted, none of them in the area,
        has nobody there; that is known only if the layer of settlements is complete.
    """
    village, here = settlements.village[wet.index], counts[wet.index]
    known = np.isfinite(here)
    amounts = np.where(known, here, 0.0) * wet.share
    counted = village[known & (village >= 0)]
    sums = np.bincount(counted, weights=amounts[known & (village >= 0)])
    by_village = {index: round(float(sums[index])) for index in set(counted.tolist())}
    if settlements.layer.complete:
        dry = set(inside) - set(village.tolist())
        by_village |= {index: 0 for index in dry if np.isfinite(counts[settlements.village == index]).all()}
    outside = known & (village < 0)
    elsewhere = round(float(amounts[outside].sum())) if outside.any() else None
    return Counted(by_village, elsewhere, bool(known.all()))
