"""What people say of findings, and how well the detector and they agree."""

import enum
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from serayu.models.survey.finding import DefectClass

__all__ = [
    "Agreement",
    "Judgement",
    "Kappa",
    "Review",
    "Score",
    "Tally",
    "Words",
    "agreement",
    "cohen_kappa",
    "wilson",
]

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


Words = tuple[DefectClass | None, DefectClass | None]
"""What two people say that the same thing is; None: not what the detector called it."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of findings and of what was said of them: all that is needed to tell how people agree.

    Parameters
    ----------
    findings
        How many there are.
    last
        Findings by the detector's class and their last review, as far as they have one.
    both
        Of each two keys that judged a finding both: findings by their owners' last words.
    names
        Whose the keys are.
    """

    findings: int
    last: Mapping[tuple[DefectClass, Judgement], int]
    both: Mapping[tuple[str, str], Mapping[Words, int]]
    names: Mapping[str, str]


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


def agreement(tally: Tally) -> Agreement:
    """Return how the detector and the reviewers agree."""
    by_class = {
        label.value: {word: tally.last.get((label, word), 0) for word in Judgement} for label in DefectClass
    }
    whole = {word: sum(said[word] for said in by_class.values()) for word in Judgement}
    return Agreement(
        findings=tally.findings,
        reviewed=sum(whole.values()),
        classes={name: _score(said) for name, said in by_class.items() if any(said.values())},
        all=_score(whole),
        reviewers=tuple(_pairs(tally)),
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


def _score(said: Mapping[Judgement, int]) -> Score:
    confirmed, n = said[Judgement.CONFIRMED], sum(said.values())
    return Score(
        confirmed=confirmed,
        corrected=said[Judgement.CORRECTED],
        rejected=said[Judgement.REJECTED],
        precision=confirmed / n if n else None,
        interval=wilson(confirmed, n) if n else None,
    )


def _pairs(tally: Tally) -> Iterable[Kappa]:
    """Yield how each two people agree, in the order of their names; keys tell people apart."""

    def place(by: str) -> tuple[str, str]:
        return tally.names[by], by

    for pair in sorted(tally.both, key=lambda pair: sorted(map(place, pair))):
        counts = tally.both[pair]
        one, other = sorted(pair, key=place)
        said = [words for words, n in counts.items() for _ in range(n)]
        same = sum(n for (a, b), n in counts.items() if a == b)
        yield Kappa(
            reviewers=(tally.names[one], tally.names[other]),
            both=len(said),
            same=same,
            kappa=cohen_kappa(said),
        )
