"""Run one ingest process until it is told to end."""

import logging
import signal
import threading
from pathlib import Path

from serayu.ingest.service import IngestService
from serayu.ingest.settings import IngestSettings
from serayu.models import logs

CONNECT_TIMEOUT_S = 10.0
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
    """
    logs.configure()
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
        ended.wait()
    finally:
        service.stop()
