"""A fitted post: its model, the models it falls back on without an upstream post, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from serayu.models.flood.blend import Blend
from serayu.models.flood.conformal import PROBABILITIES, Sizes, Spread, spread_inputs
from serayu.models.flood.features import FeatureSpec
from serayu.models.flood.frame import FloatArray, Frame, IntArray
from serayu.models.flood.model import Prediction
from serayu.models.flood.skill import Skill
from serayu.models.flood.table import Table, situations
from serayu.models.flood.windows import age_rows

__all__ = ["SILENT_H", "FittedPost", "HeldOut", "Variant"]

SILENT_H = 6
"""An upstream post that has said nothing for longer is missing, hours [project proposal]."""

_BATCH = 50_000


@dataclass(eq=False)
class Variant:
    """The model with one set of upstream posts.

    Parameters
    ----------
    without
        Upstream posts it does without.
    spec
        Its features.
    blend
        Its methods.
    sizes
        Mean size of the error of every target, in a situation.
    spreads
        Distribution of the error of each target: each horizon, then the highest up to each.
    """

    without: tuple[str, ...]
    spec: FeatureSpec
    blend: Blend
    sizes: Sizes
    spreads: list[Spread]

    def says(self, table: Table) -> tuple[FloatArray, FloatArray]:
        """Return mean levels (n, targets) and quantiles of them (n, targets, q)."""
        guesses = self.blend.guesses(table)
        change = self.blend.combine(guesses)
        size = self.sizes.of(spread_inputs(table, guesses, change))
        errors = np.stack([spread.errors(size[:, k]) for k, spread in enumerate(self.spreads)], axis=1)
        mean = table.level[:, None] + change
        return mean, mean[:, :, None] + errors


@dataclass(eq=False)
class HeldOut:
    """Forecasts of the fit part by models that saw nothing of the time around each row.

    Parameters
    ----------
    mean
        Levels, shape (n, targets).
    size
        Mean size of their errors, shape (n, targets).
    """

    mean: FloatArray
    size: FloatArray


@dataclass(eq=False)
class FittedPost:
    """A fitted post; satisfies ``serayu.models.flood.model.PostModel``.

    Parameters
    ----------
    horizons_h
        Hours ahead, ascending, h of them.
    method
        Name of the chosen method, by horizon.
    skill
        Skill over persistence on held-out storms, by horizon.
    index
        Persistence index over all held-out rows, by horizon; ``None`` without one.
    variants
        First the whole model, then those that do without an upstream post.
    fit_rows
        Rows of the fit part.
    held_out
        Their held-out forecasts; ``None`` in a model that was loaded from a file.
    notes
        What was done without.
    """

    horizons_h: tuple[float, ...]
    method: Mapping[float, str]
    skill: Mapping[float, Skill]
    index: Mapping[float, float | None]
    variants: list[Variant]
    fit_rows: IntArray
    held_out: HeldOut | None
    notes: tuple[str, ...] = ()
    _cache: dict[int, Prediction] = field(default_factory=dict, repr=False)

    @property
    def shown(self) -> dict[float, bool]:
        """Whether it has skill over persistence on held-out storms, by horizon."""
        return {hours: skill.shown for hours, skill in self.skill.items()}

    @property
    def travel_h(self) -> dict[str, float]:
        """Hours from each upstream post to this one."""
        spec = self.variants[0].spec
        return dict(zip(spec.upstream, spec.travel_h, strict=True))

    @property
    def out_of_fold(self) -> Prediction:
        """Held-out forecasts of the level from `fit_rows`.

        Raises
        ------
        ValueError
            When the model was loaded from a file, which does not hold them.
        """
        return self._held_out(0)

    @property
    def out_of_fold_highest(self) -> Prediction:
        """Held-out forecasts of the highest level up to each horizon from `fit_rows`."""
        return self._held_out(1)

    def _held_out(self, kind: int) -> Prediction:
        if self.held_out is None:
            raise ValueError("held-out forecasts are kept at the fit only, not in a file")
        if kind not in self._cache:
            chosen = self._targets(kind)
            size = self.held_out.size[:, chosen]
            errors = [
                self.variants[0].spreads[target].errors(size[:, k])
                for k, target in enumerate(range(chosen.start, chosen.stop))
            ]
            mean = self.held_out.mean[:, chosen]
            self._cache[kind] = self._prediction(mean, mean[:, :, None] + np.stack(errors, axis=1))
        return self._cache[kind]

    def _targets(self, kind: int) -> slice:
        count = len(self.horizons_h)
        return slice(kind * count, (kind + 1) * count)

    def _prediction(self, mean: FloatArray, quantiles: FloatArray) -> Prediction:
        return Prediction(
            horizons_h=self.horizons_h, mean=mean, probabilities=PROBABILITIES, quantiles=quantiles
        )

    def predict(self, frame: Frame, rows: IntArray) -> Prediction:
        """Forecast the level from *rows*; uses nothing after each row's time."""
        return self.predict_both(frame, rows)[0]

    def predict_highest(self, frame: Frame, rows: IntArray) -> Prediction:
        """Forecast the highest level in (t, t + h] for each horizon."""
        return self.predict_both(frame, rows)[1]

    def predict_both(self, frame: Frame, rows: IntArray) -> tuple[Prediction, Prediction]:
        """Forecast the level at each horizon and the highest up to each, from *rows*.

        Parameters
        ----------
        frame
            The post; at least ``MEMORY_H`` hours before the first row where there are any.
        rows
            Issue rows, shape (n,), any order.

        Returns
        -------
        tuple
            Two predictions; NaN where there is no present level (none in 24 h).
        """
        targets = 2 * len(self.horizons_h)
        mean = np.full((len(rows), targets), np.nan)
        quantiles = np.full((len(rows), targets, len(PROBABILITIES)), np.nan)
        which = self._which(frame, rows)
        for number, variant in enumerate(self.variants):
            mine = np.flatnonzero(which == number)
            for start in range(0, len(mine), _BATCH):
                part = mine[start : start + _BATCH]
                table = situations(frame, rows[part], variant.spec)
                mean[part], quantiles[part] = variant.says(table)
        at, highest = self._targets(0), self._targets(1)
        return (
            self._prediction(mean[:, at], quantiles[:, at]),
            self._prediction(mean[:, highest], quantiles[:, highest]),
        )

    def _which(self, frame: Frame, rows: IntArray) -> npt.NDArray[np.int64]:
        """Return the number of the variant for each row: the first that needs no missing post."""
        silent = self._silent(frame, rows)
        result = np.full(len(rows), len(self.variants) - 1)
        for number in range(len(self.variants) - 2, -1, -1):
            needed = self.variants[number].spec.upstream
            fine = ~np.any([silent[name] for name in needed], axis=0) if needed else np.ones(len(rows), bool)
            result[fine] = number
        return result

    def _silent(self, frame: Frame, rows: IntArray) -> dict[str, npt.NDArray[np.bool_]]:
        # A slice is enough: silence is counted to 6 h.
        limit = frame.rows_of(SILENT_H)
        result = {}
        for name in self.variants[0].spec.upstream:
            values = frame.upstream.get(name)
            if values is None:
                result[name] = np.ones(len(rows), dtype=np.bool_)
                continue
            first = max(0, int(rows.min()) - limit - 1) if len(rows) else 0
            age = age_rows(values[first : int(rows.max(initial=0)) + 1], limit=limit + 1)
            result[name] = age[rows - first] > limit
        return result

    def without(self, frame: Frame, row: int) -> tuple[str, ...]:
        """Return the upstream posts that the forecast from *row* does without."""
        number = int(self._which(frame, np.array([row]))[0])
        return self.variants[number].without

    def probability_reaches(
        self, frame: Frame, rows: IntArray, *, limit: float, within_h: float
    ) -> FloatArray:
        """Return the probability that the highest level in (t, t + within_h] is above *limit*, shape (n,).

        Raises
        ------
        ValueError
            When *within_h* is not one of the horizons.
        """
        if within_h not in self.horizons_h:
            raise ValueError(f"within_h must be one of {self.horizons_h}, got {within_h}")
        chances = self.predict_highest(frame, rows).probability_above(limit)
        return np.asarray(chances[:, self.horizons_h.index(within_h)], dtype=np.float64)
