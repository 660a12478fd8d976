"""Who gets a bulletin, and from when."""

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.delivery.delivery import Delivery, DeliveryState, Drop, Escalation
from serayu.models.delivery.plan import plan, refusal, start_escalation
from serayu.models.delivery.recipient import Audience, Channel, QuietHours, Recipient
from serayu.models.delivery.settings import DeliverySettings, EscalationRule
from serayu.models.siaga_levels import Siaga
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, US_PER_S, parse_rfc3339
from serayu.models.warning.bulletin import Bulletin, BulletinStatus, Hazard
from tests.models.delivery.story import ACTUAL, ALERT, NOON_US, agency, cancel, citizen, following

DEFAULTS = DeliverySettings()
AT_ONCE = 0
NIGHT_US = parse_rfc3339("2026-01-10T15:30:00Z")  # 22:30 WIB
MORNING_US = parse_rfc3339("2026-01-10T22:00:00Z")  # 05:00 WIB
WASPADA = msgspec.structs.replace(ALERT, level=Siaga.WASPADA, expires_us=NIGHT_US + 24 * US_PER_HOUR)


def told(recipient: Recipient, bulletin: Bulletin, at_us: int = NOON_US, **changes: object) -> Delivery:
    fixed = Delivery(
        id="d",
        bulletin_id=bulletin.id,
        alert_id=bulletin.alert_id,
        region=bulletin.region,
        recipient_id=recipient.id,
        level=bulletin.level,
        step=0,
        state=DeliveryState.SENT,
        reason=None,
        not_before_us=0,
        retry_us=0,
        created_us=at_us,
        ended_us=at_us,
        expires_us=bulletin.expires_us,
        attempts=1,
    )
    return msgspec.structs.replace(fixed, **changes)


def planned(
    bulletin: Bulletin,
    recipients: Iterable[Recipient],
    before: Iterable[Delivery] = (),
    *,
    now_us: int = NOON_US + US_PER_S,
    step: int = 0,
) -> dict[str, int]:
    found = plan(
        bulletin,
        recipients,
        told={one.recipient_id: one for one in before},
        settings=DEFAULTS,
        rules_us=now_us,
        now_us=now_us,
        step=step,
    )
    return {one.recipient_id: one.not_before_us for one in found}


def test_nobody_is_told_where_there_is_nobody() -> None:
    assert planned(ALERT, []) == {}


@pytest.mark.parametrize("status", [BulletinStatus.TEST, BulletinStatus.EXERCISE])
def test_the_public_hears_no_exercise_and_no_test(status: BulletinStatus) -> None:
    warga, dishub = citizen(), agency()
    drill = msgspec.structs.replace(ACTUAL, status=status)
    assert set(planned(drill, [warga, dishub])) == {dishub.id}
    assert refusal(drill, warga, now_us=NOON_US) is Drop.NOT_PUBLIC
    assert set(planned(ACTUAL, [warga, dishub])) == {warga.id, dishub.id}


@given(
    status=st.sampled_from(BulletinStatus),
    channel=st.sampled_from(Channel),
    level=st.sampled_from([Siaga.WASPADA, Siaga.SIAGA, Siaga.AWAS]),
    opted=st.booleans(),
    heard=st.booleans(),
    end=st.booleans(),
)
def test_nothing_unsigned_reaches_the_public_by_any_way(
    status: BulletinStatus, channel: Channel, level: Siaga, *, opted: bool, heard: bool, end: bool
) -> None:
    warga = citizen(channel=channel, opted_in_us=NOON_US if opted else None)
    bulletin = msgspec.structs.replace(ACTUAL, status=status, level=level)
    bulletin = cancel(bulletin) if end else bulletin
    before = [told(warga, ACTUAL, at_us=0)] if heard else []
    reached = bool(planned(bulletin, [warga], before))
    assert not reached or status is BulletinStatus.ACTUAL
    assert not reached or opted or not channel.is_phone


@pytest.mark.parametrize(
    "changes",
    [
        {"stopped_us": NOON_US},
        {"erased_us": NOON_US},
        {"region": "99.02"},
        {"hazards": (Hazard.LANDSLIDE,)},
        {"stations": ("hilir",)},
        {"lowest": Siaga.AWAS},
        {"step": 1},
    ],
)
def test_a_recipient_that_is_not_concerned_is_not_told(changes: dict[str, object]) -> None:
    assert planned(ACTUAL, [agency(**changes)]) == {}


def test_a_phone_of_the_public_is_told_only_after_opting_in() -> None:
    assert planned(ACTUAL, [citizen(opted_in_us=None)]) == {}
    assert planned(ACTUAL, [citizen(opted_in_us=None, audience=Audience.AGENCY)]) != {}


def test_an_expired_bulletin_is_not_planned() -> None:
    assert planned(ACTUAL, [agency()], now_us=ACTUAL.expires_us) == {}
    assert planned(ACTUAL, [agency()], now_us=ACTUAL.expires_us - 1) != {}


def test_the_same_level_is_not_told_twice_within_the_window_and_a_higher_one_is() -> None:
    dishub = agency(channel=Channel.APPRISE)
    again = following(ALERT)
    before = [told(dishub, ALERT)]
    assert planned(again, [dishub], before) == {}
    assert planned(again, [dishub], before, now_us=NOON_US + US_PER_HOUR - 1) == {}
    assert planned(again, [dishub], before, now_us=NOON_US + US_PER_HOUR) != {}
    assert planned(following(ALERT, level=Siaga.AWAS), [dishub], before) != {}
    assert planned(following(ALERT, level=Siaga.WASPADA), [dishub], before) != {}


def test_a_program_is_told_everything_and_what_it_was_told_asleep_ends_for_it_too() -> None:
    hook = agency(quiet=QuietHours(22 * 60, 5 * 60))
    assert planned(following(ALERT), [hook], [told(hook, ALERT)]) == {hook.id: AT_ONCE}
    asleep = told(hook, WASPADA, state=DeliveryState.QUEUED, attempts=0, not_before_us=MORNING_US)
    assert planned(cancel(WASPADA), [hook], [asleep], now_us=NIGHT_US) == {hook.id: AT_ONCE}


def test_updates_and_the_end_go_to_who_was_told_and_to_nobody_else() -> None:
    heard, new = agency(lowest=Siaga.SIAGA), agency()
    lower = following(ALERT, level=Siaga.WASPADA)
    assert set(planned(lower, [heard], [told(heard, ALERT)])) == {heard.id}
    assert set(planned(cancel(ALERT), [heard, new], [told(heard, ALERT)])) == {heard.id}


def test_waspada_waits_for_the_morning_and_siaga_does_not() -> None:
    phone = citizen(audience=Audience.AGENCY)
    assert planned(WASPADA, [phone], now_us=NIGHT_US) == {phone.id: MORNING_US}
    for level in (Siaga.SIAGA, Siaga.AWAS):
        worse = msgspec.structs.replace(WASPADA, level=level)
        assert planned(worse, [phone], now_us=NIGHT_US) == {phone.id: AT_ONCE}


def test_a_machine_does_not_sleep_unless_it_says_so() -> None:
    hook = agency()
    assert planned(WASPADA, [hook], now_us=NIGHT_US) == {hook.id: AT_ONCE}
    sleeper = agency(quiet=QuietHours(22 * 60, 23 * 60))
    assert planned(WASPADA, [sleeper], now_us=NIGHT_US) == {sleeper.id: NIGHT_US + 30 * US_PER_MINUTE}


def test_who_sleeps_through_a_waspada_does_not_hear_of_its_end() -> None:
    phone = citizen(audience=Audience.AGENCY)
    asleep = told(phone, WASPADA, state=DeliveryState.QUEUED, attempts=0, not_before_us=MORNING_US)
    assert planned(cancel(WASPADA), [phone], [asleep], now_us=NIGHT_US) == {}
    tried = msgspec.structs.replace(asleep, attempts=1, not_before_us=0)
    assert planned(cancel(WASPADA), [phone], [tried], now_us=NIGHT_US) == {phone.id: AT_ONCE}


def test_who_still_sleeps_is_woken_by_a_higher_level() -> None:
    phone = citizen(audience=Audience.AGENCY)
    asleep = told(phone, WASPADA, state=DeliveryState.QUEUED, attempts=0, not_before_us=MORNING_US)
    rise = following(WASPADA, level=Siaga.SIAGA)
    assert planned(rise, [phone], [asleep], now_us=NIGHT_US) == {phone.id: AT_ONCE}


def test_a_later_step_is_told_when_it_is_reached() -> None:
    first, second = agency(channel=Channel.APPRISE), agency(step=1)
    assert set(planned(ALERT, [first, second])) == {first.id}
    assert set(planned(ALERT, [first, second], [told(first, ALERT)], step=1)) == {second.id}


def test_an_escalation_starts_at_its_level_and_again_at_a_higher_one() -> None:
    rule = EscalationRule(after_us=(5 * US_PER_MINUTE,))

    def start(bulletin: Bulletin, *earlier: Escalation) -> Escalation | None:
        return start_escalation(bulletin, earlier, rule=rule, rules_us=NOON_US)

    assert start(WASPADA) is None
    first = start(ALERT)
    assert first is not None
    assert (first.due_us, first.started_us) == (NOON_US + 5 * US_PER_MINUTE, NOON_US)
    assert start(following(ALERT), first) is None
    assert start(following(ALERT, level=Siaga.AWAS), first) is not None
    assert start(cancel(ALERT)) is None
    alone = start_escalation(ALERT, [], rule=EscalationRule(after_us=()), rules_us=NOON_US)
    assert alone is not None
    assert alone.due_us is None


def test_a_rise_goes_on_from_the_step_that_was_told() -> None:
    rule = EscalationRule(after_us=(5 * US_PER_MINUTE, US_PER_HOUR))
    first = start_escalation(ALERT, [], rule=rule, rules_us=NOON_US)
    assert first is not None
    for step, due_us in ((0, NOON_US + 5 * US_PER_MINUTE), (1, NOON_US + US_PER_HOUR), (2, None)):
        rise = following(ALERT, level=Siaga.AWAS)
        moved = msgspec.structs.replace(first, step=step)
        risen = start_escalation(rise, [moved], rule=rule, rules_us=NOON_US)
        assert risen is not None
        assert (risen.step, risen.due_us) == (step, due_us)
