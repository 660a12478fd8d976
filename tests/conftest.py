"""What every test has around it."""

import logging
from collections.abc import Iterator

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the file that takes longest, for it waits for a storm: beside it another worker has the others."""
    items.sort(key=lambda item: item.path.name != "test_demo.py")


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """Take back what a program under test set up for its logs: its stderr is closed when the next test begins."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
