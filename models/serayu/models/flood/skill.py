"""Whether a forecast is worth showing: skill over persistence on held-out storms."""

from dataclasses import dataclass

import numpy as np

from serayu.models.flood.frame import FloatArray

__all__ = ["LEAST_STORMS", "Skill", "storm_skill"]

_STORM_QUANTILE = 0.97
_AROUND_H = 12
_DRAWS = 400
_SURE = 0.05
LEAST_STORMS = 4
"""With fewer, nobody can tell skill from luck [project proposal]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """Persistence index on held-out storms.

    Parameters
    ----------
    index
        1 - SSE / SSE of persistence over all storms; ``None`` without a storm.
    low
        Its 5 % quantile when storms are drawn with replacement.
    storms
        How many storms.
    """

    index: float | None
    low: float | None
    storms: int

    @property
    def shown(self) -> bool:
        """Whether the forecast has skill: sure at 95 %, on four storms or more [project proposal]."""
        return self.low is not None and self.low > 0 and self.storms >= LEAST_STORMS


def storm_skill(change: FloatArray, guess: FloatArray, *, step_h: float, seed: int) -> Skill:
    """Return the skill of held-out forecasts on storms.

    Parameters
    ----------
    change
        True change, shape (n,), consecutive rows; NaN unknown.
    guess
        Forecast change, shape (n,).
    step_h
        Distance of rows, hours.
    seed
        Of the bootstrap.

    Notes
    -----
    A storm is a run of rows within 12 h of a change beyond the 97 % quantile of sizes; runs, not rows, are
    drawn again, for the rows of a storm are not independent (block bootstrap, Künsch 1989).
    """
    known = np.isfinite(change) & np.isfinite(guess)
    if not known.any():
        return Skill(index=None, low=None, storms=0)
    size = np.where(known, np.abs(np.nan_to_num(change)), 0.0)
    great = (size > np.quantile(size[known], _STORM_QUANTILE)) & known
    reach = max(1, round(_AROUND_H / step_h))
    near = np.convolve(great, np.ones(2 * reach + 1))[reach : reach + len(great)] > 0
    number = np.cumsum(np.diff(near.astype(np.int64), prepend=0) == 1) - 1
    rows = near & known
    count = int(number.max()) + 1 if rows.any() else 0
    if count == 0:
        return Skill(index=None, low=None, storms=0)
    missed = np.bincount(number[rows], (change[rows] - guess[rows]) ** 2, minlength=count)
    moved = np.bincount(number[rows], change[rows] ** 2, minlength=count)
    drawn = np.random.default_rng(seed).integers(0, count, (_DRAWS, count))
    ratio = missed[drawn].sum(axis=1) / np.maximum(moved[drawn].sum(axis=1), 1e-12)
    return Skill(
        index=float(1 - missed.sum() / max(moved.sum(), 1e-12)),
        low=float(np.quantile(1 - ratio, _SURE)),
        storms=count,
    )
