"""The rounds themselves, and the drain behind them."""

import random
import time
from collections.abc import Callable
from typing import NamedTuple

from bench.faults.faults import FAULTS, clock_jumps
from bench.faults.follow import Follower
from bench.faults.plan import Round
from bench.faults.scene import Scene
from bench.faults.station import Station

RESUME_TIMEOUT_S = 60.0
DRAIN_TIMEOUT_S = 120.0
FORWARD_TIMEOUT_S = 180.0
FORWARD_CURSOR = "influx"
_POLL_S = 0.1


class Done(NamedTuple):
    """A round that was played; ``resumed_s`` is None where not every station's readings came in again in time."""

    fault: str
    clock_jump: str
    resumed_s: float | None


class Drained(NamedTuple):
    """How the end went: readings that stayed in outboxes, and whether the long store got everything."""

    unconfirmed: int
    forwarded: bool


def play(
    scene: Scene, rounds: list[Round], *, steady_s: float, rng: random.Random, tell: Callable[[str], None]
) -> list[Done]:
    """Play all rounds; every station's readings come in before the first fault."""
    follower = Follower(scene.places, scene.series)
    if follower.wait_for_all(dict.fromkeys(scene.series, 0), timeout_s=RESUME_TIMEOUT_S) is None:
        raise RuntimeError("not all stations came up")
    done = []
    for number, each in enumerate(rounds, start=1):
        time.sleep(steady_s)
        resumed_s = _round(scene, each, follower, rng)
        done.append(Done(each.fault, each.clock_jump, resumed_s))
        took = "NOT resumed" if resumed_s is None else f"resumed after {resumed_s:.1f} s"
        tell(
            f"round {number}/{len(rounds)}: {each.fault} for {each.outage_s:.1f} s, clock {each.clock_jump}: {took}"
        )
        scene.look_after()
    return done


def _round(scene: Scene, each: Round, follower: Follower, rng: random.Random) -> float | None:
    """Break, let a clock jump, swap a card, mend; return the seconds until every station is heard again."""
    drawn = rng.sample(scene.stations, min(len(scene.stations), each.victims + 2))
    jumping, swapped = drawn[0], drawn[1 % len(drawn)]
    victims: list[Station] = drawn[2:] or drawn[:1]
    began_s = time.monotonic()
    mend = FAULTS[each.fault](scene, victims, rng)
    try:
        jumping.set_ahead(clock_jumps(rng)[each.clock_jump])
        time.sleep(each.outage_s / 2)
        swapped.swap_card(kill=each.card_by_kill)
        time.sleep(max(0.0, each.outage_s - (time.monotonic() - began_s)))
    finally:
        issued = follower.issued()
        mended_s = time.monotonic()  # the start of a killed program belongs to the time until all is well
        mend()
    jumping.set_ahead(0)
    if follower.wait_for_all(issued, timeout_s=RESUME_TIMEOUT_S) is None:
        return None
    return time.monotonic() - mended_s


def drain(scene: Scene, tell: Callable[[str], None]) -> Drained:
    """End the generators, let every outbox empty itself, old cards too, then the forwarder; stop ingest."""
    scene.places.stop.touch()
    _wait(lambda: not any(station.process.running for station in scene.stations), DRAIN_TIMEOUT_S)
    for station in scene.stations:
        station.process.stop()
    _drain_cards(scene)
    unconfirmed = sum(station.unconfirmed() for station in scene.stations)
    tell(f"drained; {unconfirmed} readings are left in outboxes")
    forwarded = True
    if scene.influx is not None:
        follower = Follower(scene.places, scene.series)
        forwarded = _wait(lambda: follower.forwarded(FORWARD_CURSOR), FORWARD_TIMEOUT_S)
    scene.ingest.stop()
    return Drained(unconfirmed, forwarded)


def _drain_cards(scene: Scene) -> None:
    """Put the cards that were taken out and still hold readings into their station once more, one after another."""
    for station in scene.stations:
        for card in station.leftover_cards():
            agent = station.drain_agent(card)
            agent.start()
            _wait(lambda agent=agent: not agent.running, DRAIN_TIMEOUT_S)  # type: ignore[misc]
            agent.stop()


def _wait(done: Callable[[], bool], timeout_s: float) -> bool:
    give_up = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > give_up:
            return False
        time.sleep(_POLL_S)
    return True
