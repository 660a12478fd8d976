"""The wait for an acknowledgement as people see it: since when, who was told in between, who saw it and when."""

from collections.abc import Iterable
from typing import Any

import msgspec

from serayu.models.delivery.delivery import Escalation
from serayu.models.siaga_levels import Siaga
from serayu.models.times import US_PER_S, rfc3339


class StepTold(msgspec.Struct, frozen=True):
    """One step of an escalation that was told.

    Parameters
    ----------
    bulletin_id
        Which opened the escalation.
    step
        Which step, from 1.
    at_us
        When (clock of the rules, microseconds UTC).
    """

    bulletin_id: str
    step: int
    at_us: int


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """How long somebody took to acknowledge an alert, or has been waited for by now.

    Parameters
    ----------
    level
        What is, or was, to be acknowledged.
    asked_us
        When the first bulletin asked for it; a rise before anybody answered does not begin anew.
    steps
        Steps that were told meanwhile, in order.
    due_us
        When the next step will be told; None where there is none, or the wait is over.
    acknowledged_us, acknowledged_by
        When who acknowledged; None while nobody has.
    ended_us
        When it ended without, because the hazard was over.
    """

    level: Siaga
    asked_us: int
    steps: tuple[StepTold, ...] = ()
    due_us: int | None = None
    acknowledged_us: int | None = None
    acknowledged_by: str | None = None
    ended_us: int | None = None

    @property
    def seconds_to_acknowledge(self) -> float | None:
        """From the first bulletin that asked to the acknowledgement; None while there is none."""
        return None if self.acknowledged_us is None else (self.acknowledged_us - self.asked_us) / US_PER_S


def newest_wait(escalations: Iterable[Escalation], steps: Iterable[StepTold] = ()) -> Wait | None:
    """Return the newest wait of one alert; None where nothing has asked for an acknowledgement.

    A rise to a higher level ends the escalation before it and starts its own. As long as nobody has acknowledged,
    both are one wait, because somebody was waited for since the first; after an acknowledgement a new one begins.

    Parameters
    ----------
    escalations, steps
        All of the alert.
    """
    ordered = sorted(escalations, key=lambda one: (one.started_us, one.level.rank))
    if not ordered:
        return None
    first = len(ordered) - 1
    while first > 0 and ordered[first - 1].acknowledged_us is None:
        first -= 1
    last = ordered[-1]
    mine = {one.bulletin_id for one in ordered[first:]}
    over = last.acknowledged_us is not None or last.ended_us is not None
    return Wait(
        level=last.level,
        asked_us=ordered[first].started_us,
        steps=tuple(sorted((one for one in steps if one.bulletin_id in mine), key=lambda one: one.at_us)),
        due_us=None if over else last.due_us,
        acknowledged_us=last.acknowledged_us,
        acknowledged_by=last.acknowledged_by,
        ended_us=last.ended_us,
    )


def wait_document(wait: Wait | None) -> dict[str, Any] | None:
    """Return a wait as a JSON object."""
    if wait is None:
        return None
    return {
        "level": wait.level.value,
        "asked": rfc3339(wait.asked_us),
        "steps": [{"step": one.step, "told": rfc3339(one.at_us)} for one in wait.steps],
        "next_step_due": _time(wait.due_us),
        "acknowledged": _time(wait.acknowledged_us),
        "acknowledged_by": wait.acknowledged_by,
        "ended": _time(wait.ended_us),
        "seconds_to_acknowledge": wait.seconds_to_acknowledge,
    }


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else rfc3339(at_us)
