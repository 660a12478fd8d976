"""What every test has around it."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """Take back what a program under test set up for its logs: its stderr is closed when the next test begins."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
