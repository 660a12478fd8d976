"""The wait for an acknowledgement: what belongs to one, and how long it was."""

from typing import Any

import msgspec
import pytest

from serayu.models.delivery.delivery import Escalation
from serayu.models.delivery.wait import StepTold, newest_wait, wait_document
from serayu.models.siaga_levels import Siaga
from serayu.models.times import US_PER_MINUTE, rfc3339
from tests.models.delivery.story import NOON_US, REGION


def minute(number: int) -> int:
    return NOON_US + number * US_PER_MINUTE


def asked(bulletin: str, at: int, level: Siaga = Siaga.SIAGA, **fields: Any) -> Escalation:  # noqa: ANN401 -- as there
    made = Escalation(
        bulletin_id=bulletin,
        alert_id="a",
        region=REGION,
        level=level,
        due_us=minute(at + 10),
        started_us=minute(at),
    )
    return msgspec.structs.replace(made, **fields)


def test_what_asked_for_nothing_has_no_wait() -> None:
    assert newest_wait([]) is None
    assert wait_document(None) is None


def test_an_open_wait_names_its_next_step() -> None:
    step = StepTold("b", 1, minute(10))
    wait = newest_wait([asked("b", 0, step=1, due_us=minute(30))], [step])
    assert wait is not None
    assert (wait.asked_us, wait.due_us, wait.steps, wait.seconds_to_acknowledge) == (
        minute(0), minute(30), (step,), None,
    )  # fmt: skip


def test_a_rise_before_anybody_answered_goes_on_with_the_same_wait() -> None:
    first = asked("b1", 0, ended_us=minute(12))
    second = asked("b2", 12, Siaga.AWAS, acknowledged_us=minute(14), acknowledged_by="piket")
    told = [StepTold("b2", 1, minute(13)), StepTold("b1", 1, minute(10))]
    wait = newest_wait([second, first], told)
    assert wait is not None
    assert (wait.level, wait.asked_us, wait.seconds_to_acknowledge) == (Siaga.AWAS, minute(0), 14 * 60.0)
    assert [one.at_us for one in wait.steps] == [minute(10), minute(13)]
    assert wait.due_us is None


def test_after_an_acknowledgement_a_new_wait_begins() -> None:
    first = asked("b1", 0, acknowledged_us=minute(4), acknowledged_by="piket")
    second = asked("b2", 12, Siaga.AWAS)
    wait = newest_wait([first, second], [StepTold("b1", 1, minute(3))])
    assert wait is not None
    assert (wait.asked_us, wait.acknowledged_us, wait.steps) == (minute(12), None, ())


@pytest.mark.parametrize(
    ("fields", "seconds", "due"),
    [
        ({}, None, rfc3339(minute(10))),
        ({"acknowledged_us": minute(4), "acknowledged_by": "piket"}, 240.0, None),
        ({"ended_us": minute(9)}, None, None),
    ],
)
def test_the_document_says_how_long(fields: dict[str, Any], seconds: float | None, due: str | None) -> None:
    said = wait_document(newest_wait([asked("b", 0, **fields)], [StepTold("b", 1, minute(2))]))
    assert said is not None
    assert (said["seconds_to_acknowledge"], said["next_step_due"]) == (seconds, due)
    assert said["steps"] == [{"step": 1, "told": rfc3339(minute(2))}]
    assert said["asked"] == rfc3339(minute(0))
