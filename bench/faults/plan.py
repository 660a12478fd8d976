"""Which fault comes in which round: every kind once in random order, then random ones; all from one seed."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from bench.faults.faults import FAULTS, NEEDS_INFLUX, NEEDS_SMALL_DISK

CLOCK_JUMPS = ("hours_ahead", "hours_back", "year_ahead", "to_1970")
MOST_VICTIMS = 3


class Round(NamedTuple):
    """One round: the fault, how many agents where it is about agents, a clock's jump, the way of a card's swap.

    ``outage_s`` is how long the fault lasts.
    """

    fault: str
    victims: int
    clock_jump: str
    card_by_kill: bool
    outage_s: float


def kinds(*, influx: bool, small_disk: bool, only: Sequence[str] = ()) -> list[str]:
    """Return the kinds of faults that can be made here.

    Raises
    ------
    ValueError
        A kind that was asked for is unknown or cannot be made here.
    """
    possible = [
        kind
        for kind in FAULTS
        if (influx or kind not in NEEDS_INFLUX) and (small_disk or kind not in NEEDS_SMALL_DISK)
    ]
    wrong = sorted(set(only) - set(possible))
    if wrong:
        raise ValueError(f"no such fault here: {', '.join(wrong)}; possible: {', '.join(possible)}")
    return [kind for kind in possible if kind in only] if only else possible


def plan(rounds: int, possible: Sequence[str], *, outage_s: float, rng: random.Random) -> list[Round]:
    """Return so many rounds; each also lets a clock jump and swaps a card."""
    order = rng.sample(list(possible), len(possible))
    faults = (order + [rng.choice(order) for _ in range(max(0, rounds - len(order)))])[:rounds]
    jumps = [CLOCK_JUMPS[number % len(CLOCK_JUMPS)] for number in range(rounds)]
    rng.shuffle(jumps)
    return [
        Round(
            fault,
            rng.randint(1, MOST_VICTIMS),
            jump,
            rng.random() < 0.5,
            outage_s * rng.choice((0.5, 1.0, 2.0)),
        )
        for fault, jump in zip(faults, jumps, strict=True)
    ]
