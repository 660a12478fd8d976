"""The benchmark of alerts, small: two dozen posts, the embedded broker, a real ingest process."""

import random
from pathlib import Path

import pytest

from bench import alerts


def test_every_alert_is_timed_once_from_reading_to_webhook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "TURN_S", 0.5)
    monkeypatch.setattr(alerts, "WARM_UP_S", 0.5)
    found = alerts.measure(
        tmp_path / "run",
        broker="iotcore",
        stations=24,
        alerts=6,
        burst=3,
        chance=random.Random(1),  # noqa: S311 -- no secret
    )
    assert {name: len(values) for name, values in found.items()} == {"steady": 6, "burst": 3}
    assert all(value > 0 for values in found.values() for value in values)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([1.0], 0.99, 1.0), ([3.0, 1.0, 2.0], 0.5, 2.0), (list(map(float, range(1, 101))), 0.95, 95.0)],
)
def test_a_quantile_is_a_value_that_was_measured(values: list[float], share: float, expected: float) -> None:
    assert alerts.quantile(values, share) == expected
