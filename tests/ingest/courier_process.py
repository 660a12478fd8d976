"""A courier in a process of its own, to be killed: ``python -m tests.ingest.courier_process FOLDER``."""

import sys
import threading
from pathlib import Path
from types import MappingProxyType

from typing_extensions import override

from serayu.ingest.clock import LiveClock
from serayu.ingest.courier import Courier
from serayu.ingest.metrics import IngestMetrics
from serayu.models.region import Region, RegionInfo
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register.database import sqlite_url
from tests.models.delivery.story import NOON_US, REGION


class NoonClock(LiveClock):
    """Stands at the noon of the story."""

    @override
    def now_us(self) -> int:
        return NOON_US


class NoBroker:
    """Takes what is published and does nothing with it."""

    connections = 1

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 0) -> None:
        """Do nothing."""


def main() -> None:
    """Deliver until killed."""
    folder = Path(sys.argv[1])
    with HotStore(folder / "hot.sqlite") as store:
        Courier(
            sqlite_url(folder / "register.sqlite"),
            folder,
            store,
            Region(RegionInfo(REGION, "Uji", "test"), MappingProxyType({}), folder),
            NoBroker(),
            NoonClock(),
            metrics=IngestMetrics(),
            queued=threading.Event(),
            retention_days=400,
            consent_days=400,
        ).run(threading.Event())


if __name__ == "__main__":
    main()
