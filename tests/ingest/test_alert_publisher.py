from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from serayu.ingest.alert_publisher import AlertPublisher
from serayu.ingest.evaluator import AlertEvaluator
from serayu.ingest.pipeline import Pipeline
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE
from tests.ingest.conftest import NOW_US, StillClock, message
from tests.registers import empty_register


class Broker:
    """Retains like a broker, and can forget."""

    def __init__(self) -> None:
        self.connections = 1
        self.retained: dict[str, bytes] = {}

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 0) -> None:
        assert (retain, qos) == (True, 1)
        if payload:
            self.retained[topic] = payload
        else:
            self.retained.pop(topic, None)


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    with Register(empty_register(tmp_path / "register.sqlite")) as register:
        yield register


@pytest.fixture
def pipeline(store: HotStore, region: Region) -> Pipeline:
    """Two hours old is not too late here."""
    return Pipeline(store, region, StillClock(), late_after_us=2 * US_PER_HOUR)


def flood(pipeline: Pipeline, evaluator: AlertEvaluator, *values: float, first_seq: int = 1) -> None:
    first_us = NOW_US - (60 - first_seq) * US_PER_MINUTE
    pipeline.process([message(*values, first_seq=first_seq, first_us=first_us)])
    evaluator.step()


def test_an_alert_is_retained_while_active_and_cleared_when_it_ends(
    pipeline: Pipeline, store: HotStore, region: Region, register: Register
) -> None:
    broker, evaluator = Broker(), AlertEvaluator(store, register, region)
    publisher = AlertPublisher(register, store, broker, region.code)
    flood(pipeline, evaluator, 1.0, 2.1, 2.2)
    publisher.step()
    ((topic, payload),) = broker.retained.items()
    assert topic.startswith("serayu/v1/99.01/alerts/")
    assert msgspec.json.decode(payload)["level"] == "waspada"
    flood(pipeline, evaluator, *[1.2] * 40, first_seq=4)
    publisher.step()
    assert broker.retained == {}


def test_what_was_recorded_before_a_crash_is_published_after_it(
    pipeline: Pipeline, store: HotStore, region: Region, register: Register
) -> None:
    evaluator = AlertEvaluator(store, register, region)
    flood(pipeline, evaluator, 1.0, 2.1)
    crashed = Broker()
    AlertPublisher(register, store, crashed, region.code).step()
    flood(pipeline, evaluator, *[1.2] * 40, first_seq=3)
    restarted = AlertPublisher(register, store, crashed, region.code)
    restarted.step()
    assert crashed.retained == {}


def test_a_broker_that_forgot_is_told_again(
    pipeline: Pipeline, store: HotStore, region: Region, register: Register
) -> None:
    broker, evaluator = Broker(), AlertEvaluator(store, register, region)
    publisher = AlertPublisher(register, store, broker, region.code)
    flood(pipeline, evaluator, 1.0, 2.1)
    publisher.step()
    broker.retained.clear()
    publisher.step()
    assert broker.retained == {}
    broker.connections += 1
    publisher.step()
    assert len(broker.retained) == 1


def test_an_alert_that_ended_unheard_is_cleared_on_a_broker_that_remembers(
    pipeline: Pipeline, store: HotStore, region: Region, register: Register
) -> None:
    broker, evaluator = Broker(), AlertEvaluator(store, register, region)
    flood(pipeline, evaluator, 1.0, 2.1)
    AlertPublisher(register, store, broker, region.code).step()
    remembered = dict(broker.retained)
    flood(pipeline, evaluator, *[1.2] * 40, first_seq=3)
    AlertPublisher(register, store, broker, region.code).step()
    broker.retained.update(remembered)  # the clearing was queued and died with the process
    AlertPublisher(register, store, broker, region.code).step()
    assert broker.retained == {}


def test_another_register_is_published_from_its_beginning(
    pipeline: Pipeline, store: HotStore, region: Region, register: Register
) -> None:
    broker, evaluator = Broker(), AlertEvaluator(store, register, region)
    publisher = AlertPublisher(register, store, broker, region.code)
    publisher.step()
    store.set_cursor("alerts-published", 1000)
    flood(pipeline, evaluator, 1.0, 2.1)
    publisher.step()
    assert len(broker.retained) == 1
