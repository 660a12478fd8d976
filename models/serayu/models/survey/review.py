"""What people say of findings, and how well the detector and they agree."""

import enum
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from serayu.models.survey.finding import DefectClass

__all__ = ["Agreement", "Judgement", "Kappa", "Review", "Score", "agreement", "cohen_kappa", "wilson"]

_Z95 = 1.959964  # of the normal distribution, two-sided 95 %


class Judgement(enum.StrEnum):
    """What a reviewer says of a finding."""

    CONFIRMED = "benar"
    REJECTED = "salah"
    CORRECTED = "ubah"


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One judgement of one person; the last one of all counts, none is ever removed.

    Parameters
    ----------
    id
        Running number.
    finding, survey
        Of which.
    judgement
        What was said.
    label
        What it is: as detected when confirmed, another class when corrected, null when rejected.
    by
        Id of the key that said so, and `name` whose it is.
    at_us
        When, microseconds UTC.
    """

    id: int
    finding: str
    survey: str
    judgement: Judgement
    label: DefectClass | None
    by: str
    name: str
    at_us: int


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What reviewers said of the detector's findings of one class.

    Parameters
    ----------
    confirmed, corrected, rejected
        Findings by their last review.
    precision
        Confirmed over all reviewed; null when none was.
    interval
        Wilson's 95 % interval of it.
    """

    confirmed: int
    corrected: int
    rejected: int
    precision: float | None
    interval: tuple[float, float] | None


class Kappa(msgspec.Struct, frozen=True, kw_only=True):
    """How two people agree on the findings that both judged.

    Parameters
    ----------
    reviewers
        Their names, in alphabetical order.
    both, same
        Findings that both judged, and those that they judged alike.
    kappa
        Cohen's; null where chance alone would agree wholly.
    """

    reviewers: tuple[str, str]
    both: int
    same: int
    kappa: float | None


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """The whole: each class of the detector, all together, each pair of reviewers."""

    findings: int
    reviewed: int
    classes: dict[str, Score]
    all: Score
    reviewers: tuple[Kappa, ...]


def agreement(labels: Mapping[str, DefectClass], reviews: Sequence[Review]) -> Agreement:
    """Return how the detector and the reviewers agree.

    Parameters
    ----------
    labels
        What the detector called each finding.
    reviews
        All of them, oldest first; those of other findings are passed over.
    """
    known = [one for one in reviews if one.finding in labels]
    last = {one.finding: one for one in known}
    by_class: dict[str, list[Judgement]] = {one.value: [] for one in DefectClass}
    for finding, review in last.items():
        by_class[labels[finding].value].append(review.judgement)
    return Agreement(
        findings=len(labels),
        reviewed=len(last),
        classes={name: _score(said) for name, said in by_class.items() if said},
        all=_score([one.judgement for one in last.values()]),
        reviewers=tuple(_pairs(known)),
    )


def wilson(hits: int, n: int, *, z: float = _Z95) -> tuple[float, float]:
    """Return the score interval of a share [Wilson 1927, J. Am. Stat. Assoc. 22(158)].

    Parameters
    ----------
    hits, n
        Of so many, ``0 <= hits <= n``, ``n >= 1``.
    z
        Quantile of the normal distribution; the default gives 95 %.

    Raises
    ------
    ValueError
        The counts are out of range.

    Examples
    --------
    >>> [round(one, 4) for one in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"{hits} of {n} is no share")
    share, weight = hits / n, z * z / n
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / n + weight / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def cohen_kappa(pairs: Iterable[tuple[str | None, str | None]]) -> float | None:
    """Return how far two people agree beyond chance [Cohen 1960, Educ. Psychol. Meas. 20(1)].

    Parameters
    ----------
    pairs
        What each of the two said of the same thing.

    Returns
    -------
    float or None
        1 for the same everywhere, 0 for chance; None of no pair, and where both always said one and the same word.

    Examples
    --------
    >>> cohen_kappa([("a", "a"), ("a", "b"), ("b", "b"), ("b", "b")])
    0.5
    """
    said = list(pairs)
    if not said:
        return None
    n = len(said)
    observed = sum(one == other for one, other in said)
    first, second = [one for one, _ in said], [other for _, other in said]
    expected = sum(first.count(word) * second.count(word) for word in set(first))
    return None if expected == n * n else (observed * n - expected) / (n * n - expected)


def _score(said: Sequence[Judgement]) -> Score:
    confirmed = said.count(Judgement.CONFIRMED)
    return Score(
        confirmed=confirmed,
        corrected=said.count(Judgement.CORRECTED),
        rejected=said.count(Judgement.REJECTED),
        precision=confirmed / len(said) if said else None,
        interval=wilson(confirmed, len(said)) if said else None,
    )


def _pairs(reviews: Sequence[Review]) -> Iterable[Kappa]:
    """Yield each pair of people that judged a finding both, by their last words; keys tell people apart."""
    last: dict[str, dict[str, DefectClass | None]] = {}
    names: dict[str, str] = {}
    for said_once in reviews:
        last.setdefault(said_once.by, {})[said_once.finding] = said_once.label
        names[said_once.by] = said_once.name
    for one, other in itertools.combinations(sorted(last, key=lambda by: (names[by], by)), 2):
        both = sorted(last[one].keys() & last[other].keys())
        if both:
            said = [(last[one][finding], last[other][finding]) for finding in both]
            same = sum(a == b for a, b in said)
            kappa = cohen_kappa(said)
            yield Kappa(reviewers=(names[one], names[other]), both=len(both), same=same, kappa=kappa)
