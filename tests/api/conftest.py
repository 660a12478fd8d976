from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.site import Site, site

READINGS = [
    ("hulu", "stage", 1.25),
    ("hilir", "stage", 3.25),
    ("hujan-a", "rain", 2.4),
    ("simpang-a", "count-mc", 31.0),
    ("simpang-a", "speed", 27.0),
    ("sawah-a", "soil-moisture", 41.5),
    ("sawah-a", "rain", 0.0),
    ("sawah-a", "battery", 12.5),
    ("sawah-b", "soil-moisture", 38.0),
    ("sawah-b", "rain", 0.0),
    ("sawah-b", "battery", 12.6),
]


@pytest.fixture(name="api")
def _api(tmp_path: Path) -> Iterator[Site]:
    """A fresh api with empty stores."""
    with site(tmp_path) as made:
        yield made


@pytest.fixture(scope="module", name="shared_api")
def _shared_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An api with a reading of everything, for tests that only look."""
    with site(tmp_path_factory.mktemp("shared-api")) as made:
        for name, slug, value in READINGS:
            made.put(name, slug, value)
        yield made
