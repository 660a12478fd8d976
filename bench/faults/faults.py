"""What can go wrong, one function a kind: it breaks something and returns what mends it."""

import os
import random
import resource
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from types import MappingProxyType

from bench.faults.processes import Process
from bench.faults.scene import Scene
from bench.faults.station import Station

Mend = Callable[[], None]
Fault = Callable[[Scene, list[Station], random.Random], Mend]

_LEAST_BYTES = 4096  # a process limited to files of this size can write neither database nor log
_FILL_BYTES = 2**20
HOUR_US = 3_600_000_000
YEAR_US = 365 * 24 * HOUR_US


def _restart(scene: Scene, server: Process) -> Mend:
    return lambda: scene.start(server)


def _start_again(victims: list[Station]) -> Mend:
    def mend() -> None:
        for station in victims:
            station.process.start()

    return mend


def _broker_killed(scene: Scene, _victims: list[Station], _rng: random.Random) -> Mend:
    scene.broker.kill()
    return _restart(scene, scene.broker)


def _broker_stopped(scene: Scene, _victims: list[Station], _rng: random.Random) -> Mend:
    scene.broker.stop()
    return _restart(scene, scene.broker)


def _broker_suspended(scene: Scene, _victims: list[Station], _rng: random.Random) -> Mend:
    scene.broker.suspend()
    return scene.broker.resume


def _ingest_killed(scene: Scene, _victims: list[Station], _rng: random.Random) -> Mend:
    scene.ingest.kill()
    return _restart(scene, scene.ingest)


def _ingest_stopped(scene: Scene, _victims: list[Station], _rng: random.Random) -> Mend:
    scene.ingest.stop()
    return _restart(scene, scene.ingest)


def _ingest_suspended(scene: Scene, _victims: list[Station], _rng: random.Random) -> Mend:
    scene.ingest.suspend()
    return scene.ingest.resume


def _broker_and_ingest_killed(scene: Scene, _victims: list[Station], rng: random.Random) -> Mend:
    """Kill both at once; either comes back first."""
    scene.broker.kill()
    scene.ingest.kill()
    first, second = rng.sample([scene.broker, scene.ingest], 2)

    def mend() -> None:
        scene.start(first)
        scene.start(second)

    return mend


def _broker_killed_while_ingest_down(scene: Scene, _victims: list[Station], _rng: random.Random) -> Mend:
    """Let readings pile up in a broker that nobody reads, then take its memory, and bring ingest back last."""
    scene.ingest.kill()

    def mend() -> None:
        scene.broker.kill()
        scene.start(scene.broker)
        scene.start(scene.ingest)

    return mend


def _influx_killed(scene: Scene, _victims: list[Station], _rng: random.Random) -> Mend:
    influx = _influx(scene)
    influx.kill()
    return _restart(scene, influx)


def _influx_suspended(scene: Scene, _victims: list[Station], _rng: random.Random) -> Mend:
    influx = _influx(scene)
    influx.suspend()
    return influx.resume


def _influx(scene: Scene) -> Process:
    if scene.influx is None:
        raise RuntimeError("this campaign runs without InfluxDB")
    return scene.influx


def _store_locked(scene: Scene, _victims: list[Station], _rng: random.Random) -> Mend:
    """Hold the write lock of the hot store's file from this process."""
    database = sqlite3.connect(scene.places.hot_store, isolation_level=None, timeout=10)
    database.execute("BEGIN IMMEDIATE")

    def mend() -> None:
        database.execute("ROLLBACK")
        database.close()

    return mend


def _store_unwritable(scene: Scene, _victims: list[Station], _rng: random.Random) -> Mend:
    """Let every write of ingest fail, its logs included (EFBIG: SQLite reports an I/O error)."""
    pid = scene.ingest.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (_LEAST_BYTES, hard))

    def mend() -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))

    return mend


def _store_full(scene: Scene, _victims: list[Station], _rng: random.Random) -> Mend:
    """Fill the hot store's disk to the last byte (ENOSPC: SQLite reports that it is full)."""
    filler = scene.places.data / "filler"
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(scene.places.hot_store)) as database:
        # An old write-ahead log is space that SQLite can use again on a full disk.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _fill(filler)
    return filler.unlink


def _fill(filler: Path) -> None:
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        size = _FILL_BYTES
        while size:
            try:
                os.write(descriptor, bytes(size))
            except OSError:
                size //= 2
    finally:
        os.close(descriptor)


def _agents_killed(_scene: Scene, victims: list[Station], _rng: random.Random) -> Mend:
    for station in victims:
        station.kill()
    return _start_again(victims)


def _agents_stopped(_scene: Scene, victims: list[Station], _rng: random.Random) -> Mend:
    for station in victims:
        station.stop()
    return _start_again(victims)


def _agents_suspended(_scene: Scene, victims: list[Station], _rng: random.Random) -> Mend:
    for station in victims:
        station.process.suspend()

    def mend() -> None:
        for station in victims:
            station.process.resume()

    return mend


def _devices_without_power(_scene: Scene, victims: list[Station], _rng: random.Random) -> Mend:
    """Kill agents and start them as a Pi without a clock starts: in 1970, the time since start from zero."""
    for station in victims:
        station.kill()
        station.set_ahead(to_1970_us())
        station.start_device()

    def mend() -> None:
        for station in victims:
            station.set_ahead(0)

    return mend


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "agents_killed": _agents_killed,
        "agents_stopped": _agents_stopped,
        "agents_suspended": _agents_suspended,
        "devices_without_power": _devices_without_power,
        "broker_killed": _broker_killed,
        "broker_stopped": _broker_stopped,
        "broker_suspended": _broker_suspended,
        "ingest_killed": _ingest_killed,
        "ingest_stopped": _ingest_stopped,
        "ingest_suspended": _ingest_suspended,
        "broker_and_ingest_killed": _broker_and_ingest_killed,
        "broker_killed_while_ingest_down": _broker_killed_while_ingest_down,
        "influx_killed": _influx_killed,
        "influx_suspended": _influx_suspended,
        "store_locked": _store_locked,
        "store_unwritable": _store_unwritable,
        "store_full": _store_full,
    }
)
NEEDS_INFLUX = frozenset({"influx_killed", "influx_suspended"})
NEEDS_SMALL_DISK = frozenset({"store_full"})


def to_1970_us() -> int:
    """Return how far a clock must go back to stand at the beginning of 1970."""
    return -time.time_ns() // 1000


def clock_jumps(rng: random.Random) -> Mapping[str, int]:
    """Return how far ahead a clock may jump, by the name of the jump."""
    return {
        "hours_ahead": rng.randint(HOUR_US, 9 * HOUR_US),
        "hours_back": -rng.randint(HOUR_US, 9 * HOUR_US),
        "year_ahead": YEAR_US + rng.randint(0, HOUR_US),
        "to_1970": to_1970_us(),
    }
