"""Scores of forecasts and warnings. An undefined score is None, never 0."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

__all__ = [
    "Contingency",
    "ContinuousScores",
    "LeadTimes",
    "continuous_scores",
    "lead_time",
    "persistence_index",
    "summarise_lead_times",
]

FloatArray = npt.NDArray[np.float64]


def _ratio(numerator: float, denominator: float) -> float | None:
    return None if denominator == 0 else numerator / denominator


@dataclass(frozen=True, slots=True, kw_only=True)
class Contingency:
    """Counts of yes/no warnings against events, and their scores.

    Count events, not samples, and merge exceedances closer than a few hours, or long floods count many times.
    Scores as in WWRP/WGNE Joint Working Group on Forecast Verification Research and Wilks, Statistical
    Methods in the Atmospheric Sciences, chapter on forecast verification.

    Parameters
    ----------
    hits
        Events that were warned of.
    false_alarms
        Warnings without an event.
    misses
        Events without a warning.
    correct_negatives
        Neither warning nor event; None when it was not counted, and scores that need it are None.

    Raises
    ------
    ValueError
        When a count is negative.
    """

    hits: float
    false_alarms: float
    misses: float
    correct_negatives: float | None = None

    def __post_init__(self) -> None:
        counts = (self.hits, self.false_alarms, self.misses, self.correct_negatives or 0)
        if not all(count >= 0 for count in counts):
            raise ValueError(f"counts must not be negative, got {counts}")

    @property
    def total(self) -> float | None:
        """All cases; None without correct negatives."""
        if self.correct_negatives is None:
            return None
        return self.hits + self.false_alarms + self.misses + self.correct_negatives

    @property
    def pod(self) -> float | None:
        """Probability of detection H / (H + M), 0 to 1, best 1."""
        return _ratio(self.hits, self.hits + self.misses)

    @property
    def far(self) -> float | None:
        """False alarm ratio F / (H + F), 0 to 1, best 0."""
        return _ratio(self.false_alarms, self.hits + self.false_alarms)

    @property
    def csi(self) -> float | None:
        """Critical success index H / (H + F + M), 0 to 1, best 1."""
        return _ratio(self.hits, self.hits + self.false_alarms + self.misses)

    @property
    def bias(self) -> float | None:
        """Frequency bias (H + F) / (H + M), best 1; above 1 warns too often."""
        return _ratio(self.hits + self.false_alarms, self.hits + self.misses)

    @property
    def pofd(self) -> float | None:
        """Probability of false detection F / (F + C), 0 to 1, best 0."""
        if self.correct_negatives is None:
            return None
        return _ratio(self.false_alarms, self.false_alarms + self.correct_negatives)

    @property
    def accuracy(self) -> float | None:
        """Share of right answers (H + C) / N, 0 to 1; flattering for rare events."""
        if self.total is None or self.correct_negatives is None:
            return None
        return _ratio(self.hits + self.correct_negatives, self.total)

    @property
    def ets(self) -> float | None:
        """Equitable threat score (Gilbert): CSI less the hits of chance, -1/3 to 1, best 1."""
        if not self.total:
            return None
        chance = (self.hits + self.misses) * (self.hits + self.false_alarms) / self.total
        return _ratio(self.hits - chance, self.hits + self.false_alarms + self.misses - chance)

    @property
    def hss(self) -> float | None:
        """Heidke skill score: accuracy against chance, -1 to 1, best 1."""
        if self.correct_negatives is None:
            return None
        h, f, m, c = self.hits, self.false_alarms, self.misses, self.correct_negatives
        return _ratio(2.0 * (h * c - f * m), (h + m) * (m + c) + (h + f) * (f + c))

    @property
    def tss(self) -> float | None:
        """True skill statistic (Peirce) POD - POFD, -1 to 1, best 1."""
        pod, pofd = self.pod, self.pofd
        return None if pod is None or pofd is None else pod - pofd


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousScores:
    """Scores of a simulated series against an observed one; each None where it is undefined.

    Parameters
    ----------
    n
        Pairs used.
    rmse
        Root mean square error, in the unit of the series.
    nse
        Nash-Sutcliffe efficiency (Nash and Sutcliffe 1970), best 1; None when the observations are constant.
    r
        Pearson's correlation.
    alpha
        Ratio of standard deviations, simulated by observed.
    beta
        Ratio of means, simulated by observed.
    kge
        Kling-Gupta efficiency with alpha (Gupta et al. 2009), best 1.
    kge_prime
        The version with the ratio of coefficients of variation (Kling et al. 2012), best 1.
    persistence
        Persistence index, see :func:`persistence_index`.
    """

    n: int
    rmse: float | None
    nse: float | None
    r: float | None
    alpha: float | None
    beta: float | None
    kge: float | None
    kge_prime: float | None
    persistence: float | None


def _two_rows(
    simulated: Sequence[float | None] | FloatArray, observed: Sequence[float | None] | FloatArray
) -> tuple[FloatArray, FloatArray]:
    # numpy turns None into NaN here.
    sim, obs = np.array(simulated, dtype=np.float64), np.array(observed, dtype=np.float64)
    if sim.ndim != 1 or sim.shape != obs.shape:
        raise ValueError(f"expected two rows of one length, got shapes {sim.shape} and {obs.shape}")
    return sim, obs


def _spread(values: FloatArray) -> float:
    """Compute the standard deviation, exactly 0 for a constant series (np.std leaves rounding behind)."""
    return float(values.std()) if float(np.ptp(values)) > 0 else 0.0


def _distance(*parts: float | None) -> float | None:
    """One minus the distance of the parts from 1; None when a part is undefined."""
    known = [part for part in parts if part is not None]
    return None if len(known) < len(parts) else 1.0 - math.hypot(*(part - 1.0 for part in known))


def continuous_scores(
    simulated: Sequence[float | None] | FloatArray,
    observed: Sequence[float | None] | FloatArray,
    *,
    lead: int = 1,
) -> ContinuousScores:
    """Score a simulated series.

    Parameters
    ----------
    simulated, observed
        Series of one length, shape (n,), one unit, equal steps. Pairs with a missing side (None, NaN) are
        left out.
    lead
        Lead of the forecast in steps, for the persistence index.

    Returns
    -------
    ContinuousScores
        Scores; all None but the count when no pair is left.

    Raises
    ------
    ValueError
        When the lengths differ or the lead is below 1.
    """
    sim, obs = _two_rows(simulated, observed)
    persistence = persistence_index(sim, obs, lead=lead)
    both = np.isfinite(sim) & np.isfinite(obs)
    sim, obs = sim[both], obs[both]
    if sim.size == 0:
        return ContinuousScores(
            n=0,
            rmse=None,
            nse=None,
            r=None,
            alpha=None,
            beta=None,
            kge=None,
            kge_prime=None,
            persistence=None,
        )
    squared_error = float(((obs - sim) ** 2).sum())
    spread_sim, spread_obs = _spread(sim), _spread(obs)
    mean_sim, mean_obs = float(sim.mean()), float(obs.mean())
    covariance = float(((sim - mean_sim) * (obs - mean_obs)).mean())
    r = _ratio(covariance, spread_sim * spread_obs)
    alpha, beta = _ratio(spread_sim, spread_obs), _ratio(mean_sim, mean_obs)
    gamma = None if alpha is None or beta is None else _ratio(alpha, beta)
    nse_loss = _ratio(squared_error, spread_obs**2 * obs.size)
    return ContinuousScores(
        n=int(sim.size),
        rmse=math.sqrt(squared_error / sim.size),
        nse=None if nse_loss is None else 1.0 - nse_loss,
        r=r,
        alpha=alpha,
        beta=beta,
        kge=_distance(r, alpha, beta),
        kge_prime=_distance(r, gamma, beta),
        persistence=persistence,
    )


def persistence_index(
    simulated: Sequence[float | None] | FloatArray,
    observed: Sequence[float | None] | FloatArray,
    *,
    lead: int = 1,
) -> float | None:
    """Skill over the forecast "as it is now" (Kitanidis and Bras 1980).

    Parameters
    ----------
    simulated, observed
        Series of one length, shape (n,), one unit, equal steps. Steps where the pair or the observation one
        lead earlier is missing (None, NaN) are left out.
    lead
        Lead of the forecast, steps, 1 or more.

    Returns
    -------
    float or None
        ``1 - Σ(o_t - s_t)² / Σ(o_t - o_(t-lead))²``, best 1, 0 no better than persistence; None when the
        series is no longer than the lead or the observations do not change over it.

    Raises
    ------
    ValueError
        When the lengths differ or the lead is below 1.
    """
    if lead < 1:
        raise ValueError(f"lead must be at least 1 step, got {lead}")
    sim, obs = _two_rows(simulated, observed)
    sim, now, before = sim[lead:], obs[lead:], obs[:-lead]
    known = np.isfinite(sim) & np.isfinite(now) & np.isfinite(before)
    error = float(((now - sim)[known] ** 2).sum())
    loss = _ratio(error, float(((now - before)[known] ** 2).sum()))
    return None if loss is None else 1.0 - loss


def lead_time(alert_at: datetime | None, crossed_at: datetime | None) -> timedelta | None:
    """Time a warning gave before the threshold was crossed.

    Parameters
    ----------
    alert_at
        Time of the warning; None when none was given.
    crossed_at
        Time at which the level crossed the threshold; None when it did not.

    Returns
    -------
    datetime.timedelta or None
        Crossing less warning, negative when the warning came late; None when either did not happen.

    Raises
    ------
    ValueError
        When one time has a zone and the other has not.
    """
    if alert_at is None or crossed_at is None:
        return None
    if (alert_at.utcoffset() is None) != (crossed_at.utcoffset() is None):
        raise ValueError(f"both times need a zone, got {alert_at.isoformat()} and {crossed_at.isoformat()}")
    return crossed_at - alert_at


@dataclass(frozen=True, slots=True)
class LeadTimes:
    """Lead times of many warnings.

    Parameters
    ----------
    median
        Median lead time; None without warnings.
    share_sufficient
        Share of the warnings with at least the required lead time, 0 to 1; None without warnings.
    """

    median: timedelta | None
    share_sufficient: float | None


def summarise_lead_times(leads: Sequence[timedelta], *, required: timedelta) -> LeadTimes:
    """Median lead time and the share of warnings that came early enough.

    Parameters
    ----------
    leads
        Lead times of events that were warned of, any order.
    required
        Time that people need to act.

    Returns
    -------
    LeadTimes
        Both None for an empty series.
    """
    if not leads:
        return LeadTimes(median=None, share_sufficient=None)
    seconds = statistics.median(lead.total_seconds() for lead in leads)
    return LeadTimes(
        median=timedelta(seconds=seconds),
        share_sufficient=sum(lead >= required for lead in leads) / len(leads),
    )
