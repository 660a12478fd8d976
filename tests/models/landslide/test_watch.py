"""When a road's landslide level is told: a table of every case, and what holds whatever happens."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.landslide.watch import (
    LOWER_AFTER_US,
    RENEW_BEFORE_US,
    VALID_US,
    Act,
    Decision,
    Situation,
    decide,
    in_force,
)
from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.times import US_PER_HOUR, US_PER_S
from serayu.models.warning.bulletin import Bulletin, BulletinStatus, Hazard, MessageType

N, W, S, A = Siaga
SENT_US = 1_000_000 * US_PER_S


def bulletin(level: Siaga, **changes: Any) -> Bulletin:  # noqa: ANN401 -- fields of a bulletin
    first = Bulletin(
        id="a", alert_id="b", change_id=None, region="33.02", station="g", hazard=Hazard.LANDSLIDE,
        msg_type=MessageType.ALERT, status=BulletinStatus.TEST, sent_us=SENT_US, expires_us=SENT_US + VALID_US,
        level=level, before=N, reason=Reason.THRESHOLD, post="g", at_us=SENT_US,
    )  # fmt: skip
    return msgspec.structs.replace(first, **changes)


def at(hours: float, level: Siaga | None, **changes: Any) -> Situation:  # noqa: ANN401 -- fields of a situation
    at_us = SENT_US + round(hours * US_PER_HOUR)
    fields: dict[str, Any] = {"evidence_us": at_us, "storm": True, **changes}
    return Situation(level, at_us, **fields)


STOOD = SENT_US + US_PER_HOUR - LOWER_AFTER_US
NOTHING, WARN, END, LAPSE, WITHDRAW = Act


@pytest.mark.parametrize(
    ("told", "now", "expected"),
    [
        (None, at(0, None), Decision(NOTHING, N)),
        (None, at(0, N), Decision(NOTHING, N)),
        (None, at(0, W), Decision(WARN, W)),
        (W, at(1, W), Decision(NOTHING, W)),
        (W, at(1, S), Decision(WARN, S)),
        (W, at(1, S, storm=False), Decision(WARN, S)),
        (S, at(1, W), Decision(NOTHING, S, held=True)),
        (S, at(1, W, storm=False), Decision(NOTHING, S, held=True)),
        (S, at(1, W, lower_since_us=STOOD), Decision(NOTHING, S, held=True)),
        (S, at(1, W, storm=False, lower_since_us=STOOD + 1), Decision(NOTHING, S, held=True)),
        (S, at(1, W, storm=False, lower_since_us=STOOD), Decision(WARN, W)),
        (S, at(1, N, storm=False, lower_since_us=STOOD), Decision(END, N)),
        (S, at(22, S), Decision(WARN, S)),
        (S, at(21.9, S), Decision(NOTHING, S)),
        (S, at(22, N), Decision(WARN, S, held=True)),
        (S, at(23, S, evidence_us=SENT_US), Decision(NOTHING, S)),
        (S, at(23, W, evidence_us=0), Decision(NOTHING, S, held=True)),
        (S, at(24, W, evidence_us=0), Decision(WARN, W)),
        (S, at(24, W), Decision(WARN, S, held=True)),
        (S, at(23, None), Decision(NOTHING, S)),
        (S, at(24, None), Decision(LAPSE, S)),
        (A, at(1, W, revised=True), Decision(WARN, W)),
        (A, at(1, N, revised=True), Decision(WITHDRAW, N)),
        (A, at(1, None, revised=True), Decision(WITHDRAW, N)),
        (W, at(1, S, revised=True), Decision(WARN, S)),
    ],
)
def test_what_is_said(told: Siaga | None, now: Situation, expected: Decision) -> None:
    assert decide(None if told is None else bulletin(told), now) == expected


def test_only_a_warning_that_is_open_is_in_force() -> None:
    last = bulletin(W)
    cancelled = bulletin(N, msg_type=MessageType.CANCEL, references=(("z", SENT_US),))
    assert in_force(None, at_us=SENT_US) is None
    assert in_force(cancelled, at_us=SENT_US) is None
    assert in_force(last, at_us=last.expires_us + VALID_US - 1) is last
    assert in_force(last, at_us=last.expires_us + VALID_US) is None


SPANS = st.integers(0, 3 * VALID_US)
LATER = st.builds(lambda span_us: SENT_US + span_us, SPANS)
SITUATIONS = st.builds(
    Situation,
    st.sampled_from([None, *Siaga]),
    LATER,
    LATER,
    st.booleans(),
    st.none() | LATER,
    revised=st.just(value=False),
)


@given(st.sampled_from([W, S, A]), SITUATIONS)
def test_a_level_never_falls_in_a_storm_and_never_ends_unknown_before_it_expires(
    told: Siaga, now: Situation
) -> None:
    last = bulletin(told)
    decision = decide(last, now)
    carried = now.evidence_us + VALID_US - last.expires_us > RENEW_BEFORE_US
    if now.storm and now.level is not None and (carried or now.at_us < last.expires_us):
        assert decision.level.rank >= told.rank
    if now.level is None:
        assert decision.act is (LAPSE if now.at_us >= last.expires_us else NOTHING)
    if decision.act is WARN and decision.level is told:
        assert last.expires_us - now.at_us <= RENEW_BEFORE_US
        assert now.evidence_us + VALID_US > last.expires_us
