"""Run one ingest process until it is told to end."""

import logging
import signal
import sys
import threading
from pathlib import Path

from serayu.ingest.service import IngestService
from serayu.ingest.settings import IngestSettings
from serayu.models import logs
from serayu.models.parent import leave_with_parent

CONNECT_TIMEOUT_S = 10.0
LOOK_EVERY_S = 0.5
_logger = logging.getLogger(__name__)


def run(*, ready_file: Path | None = None, settings: IngestSettings | None = None) -> None:
    """Serve until SIGTERM or SIGINT.

    Parameters
    ----------
    ready_file
        Made once everything runs and the broker has answered (or after ten seconds without it: ingest then goes
        on trying).
    settings
        By default from the environment.

    Raises
    ------
    SystemExit
        With status 1 when a part of it failed, for a supervisor to start it again.
    """
    logs.configure()
    leave_with_parent()
    settings = settings or IngestSettings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    service = IngestService(settings)
    service.start()
    try:
        if not service.consumer.connected.wait(CONNECT_TIMEOUT_S):
            _logger.warning("no broker yet; trying on")
        if ready_file is not None:
            ready_file.touch()
        while not ended.wait(LOOK_EVERY_S) and not service.failed.is_set():
            pass
    finally:
        service.stop()
    if service.failed.is_set():
        sys.exit(1)
