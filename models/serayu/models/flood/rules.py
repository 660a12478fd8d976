"""Forms of warning rules to choose from: one form serves every limit of a post."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from serayu.models.flood.policy import WarningPolicy
from serayu.models.times import US_PER_HOUR

__all__ = ["PROBABILITIES", "SHARES", "RuleForm", "baseline_forms", "first_lines", "variants"]

PROBABILITIES = (0.08, 0.12, 0.17, 0.23, 0.3, 0.37, 0.45, 0.53, 0.61, 0.7, 0.8, 0.9)
SHARES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.86, 0.91, 0.95)
"""Shares of the way from the usual level to the limit, for rules that look at a level alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleForm:
    """A rule without the numbers of one limit: levels are shares of the way from the usual level to the limit.

    Parameters
    ----------
    family
        ``forecast``, ``level``, ``upstream``, ``both`` (a probability while the post above is at *above*),
        ``either`` (a probability, or the post above passing *above*), or one of the baselines that a scorecard
        compares with: ``threshold_only``, ``upstream_threshold``.
    at
        Probability, share of the way, or level of the post above; of no use to ``threshold_only``.
    above
        Level of the post above, its unit.
    """

    family: str
    at: float
    horizons: tuple[int, ...] = ()
    share_min: float = -math.inf
    above: float = math.nan
    confirm: int = 1
    hold_h: int = 24
    renew: bool = False
    rearm_h: int = 6
    quiet_h: int = 6

    def policy(self, limit: float, usual: float, lower: float = math.nan) -> WarningPolicy:
        """Return the rule for one limit.

        Parameters
        ----------
        usual
            Usual level of the post.
        lower
            Level at which ``threshold_only`` warns of this limit.
        """
        way = limit - usual
        level_on = {"level": usual + self.at * way, "threshold_only": lower}.get(self.family, math.inf)
        upstream_on = {"upstream": self.at, "upstream_threshold": self.at, "either": self.above}
        return WarningPolicy(
            limit=limit,
            horizons=self.horizons,
            probability_on=self.at if self.family in {"forecast", "both", "either"} else math.inf,
            level_min=usual + self.share_min * way if self.share_min > -math.inf else -math.inf,
            level_on=math.inf if math.isnan(level_on) else level_on,
            upstream_on=upstream_on.get(self.family, math.inf),
            upstream_min=self.above if self.family == "both" else -math.inf,
            confirm=self.confirm,
            hold_us=self.hold_h * US_PER_HOUR,
            renew=self.renew,
            rearm_us=self.rearm_h * US_PER_HOUR,
            quiet_us=self.quiet_h * US_PER_HOUR,
        )


def baseline_forms(upstream_alert: float) -> list[RuleForm]:
    """Return the rules a scorecard compares with, told only of floods to come.

    Parameters
    ----------
    upstream_alert
        Alert level of the nearest post above; NaN when there is none.
    """
    forms = [RuleForm(family="threshold_only", at=math.nan)]
    if math.isfinite(upstream_alert):
        forms.append(RuleForm(family="upstream_threshold", at=upstream_alert))
    return forms


def first_lines(
    horizons: int, upstream_levels: Sequence[float], upstream_alert: float
) -> list[list[RuleForm]]:
    """Return lines of neighbours, which differ in *at* alone: every set of horizons, levels, the post above.

    Parameters
    ----------
    horizons
        How many the forecast has.
    upstream_levels
        Levels of the nearest post above to try, ascending; none without one.
    upstream_alert
        Its alert level; NaN without one.
    """
    places = range(horizons)
    sets = sorted({tuple(places[:n]) for n in range(1, horizons + 1)} | {(n,) for n in places})
    lines = [
        [RuleForm(family="forecast", at=p, horizons=chosen, share_min=share) for p in PROBABILITIES]
        for chosen, share in itertools.product(sets, (-math.inf, 0.0, 0.3, 0.5, 0.65))
    ]
    lines.append([RuleForm(family="level", at=share) for share in SHARES])
    if upstream_levels:
        lines.append([RuleForm(family="upstream", at=float(level)) for level in upstream_levels])
    if math.isfinite(upstream_alert):
        above = sorted({*upstream_levels, upstream_alert})
        lines += [
            [RuleForm(family=family, at=p, horizons=chosen, above=float(level)) for p in PROBABILITIES]
            for family, chosen, level in itertools.product(
                ("both", "either"), [*sets[-2:], tuple(places[:2])], above
            )
        ]
    return lines


def variants(line: Sequence[RuleForm]) -> list[list[RuleForm]]:
    """Return the same line with other ways of confirming, holding and waiting for quiet."""
    ways = itertools.product((1, 2), (6, 12, 24), (0, 6, 12))
    return [
        [replace(form, confirm=c, hold_h=h, quiet_h=q) for form in line]
        for c, h, q in ways
        if (c, h, q) != (1, 24, 6)
    ]
