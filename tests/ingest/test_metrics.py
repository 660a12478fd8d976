import pytest
from prometheus_client import generate_latest

from serayu.ingest.metrics import IngestMetrics


def samples(*payloads: bytes) -> dict[str, float]:
    metrics = IngestMetrics()
    for payload in payloads:
        metrics.agent("hulu", payload)
    lines = generate_latest(metrics.registry).decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line.startswith("serayu_agent_"))
    return {name.removeprefix("serayu_agent_").partition("{")[0]: float(value) for name, value in pairs}


def test_an_agents_backlog_and_room_left_are_shown() -> None:
    status = (
        b'{"online":true,"backlog":{"count":12,"oldest_age_s":3.5,"capacity_hours_left":400.5,"dropped":0}}'
    )
    assert samples(status) == {
        "online": 1.0,
        "backlog_readings": 12.0,
        "backlog_oldest_seconds": 3.5,
        "capacity_hours": 400.5,
        "dropped_readings": 0.0,
    }


def test_a_last_will_shows_the_agent_offline_and_keeps_its_last_backlog() -> None:
    status, will = b'{"online":true,"backlog":{"count":12}}', b'{"online":false,"reason":"connection lost"}'
    assert samples(status, will) == {"online": 0.0, "backlog_readings": 12.0}


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"online":"perhaps"}', b"\xff"])
def test_a_status_that_cannot_be_read_is_no_news(payload: bytes) -> None:
    assert samples(payload) == {}
