"""The desk: where a bulletin is recorded with its deliveries, and where what nobody acknowledged goes on."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from serayu.models.delivery.delivery import Delivery, Escalation, NewDelivery
from serayu.models.delivery.plan import plan, start_escalation, step_reached
from serayu.models.delivery.recipient import Recipient
from serayu.models.delivery.settings import DeliverySettings
from serayu.models.warning.bulletin import Bulletin


class DeliveryBook(Protocol):
    """What the desk needs of the register."""

    def recipients(self, region: str, *, stopped: bool = False) -> Sequence[Recipient]:
        """Return the recipients of a region."""
        ...

    def told(self, alert_id: str) -> Mapping[str, Delivery]:
        """Return the newest delivery of an alert by recipient."""
        ...

    def escalations(self, *, region: str | None = None, alert_id: str | None = None) -> Sequence[Escalation]:
        """Return waits for an acknowledgement."""
        ...

    def open_escalations(self, region: str) -> Sequence[Escalation]:
        """Return what still waits."""
        ...

    def latest_bulletin(self, alert_id: str) -> Bulletin | None:
        """Return what was said last about an alert."""
        ...

    def record_bulletin(
        self,
        bulletin: Bulletin,
        *,
        deliveries: Sequence[NewDelivery] = (),
        escalation: Escalation | None = None,
        now_us: int,
    ) -> bool:
        """Record a bulletin with what it asks for."""
        ...

    def escalate(
        self,
        bulletin: Bulletin,
        *,
        opened_by: str,
        step: int,
        due_us: int | None,
        deliveries: Sequence[NewDelivery],
        rules_us: int,
        now_us: int,
    ) -> bool:
        """Move an escalation on."""
        ...


class DeliveryDesk:
    """Applies the rules of delivery to what the register holds.

    Parameters
    ----------
    book
        The register.
    settings
        Timers of the region.
    """

    def __init__(self, book: DeliveryBook, settings: DeliverySettings) -> None:
        self._book = book
        self._settings = settings

    def issue(self, bulletin: Bulletin, *, rules_us: int, now_us: int) -> bool:
        """Record a bulletin, queue its deliveries and start its escalation; False where it was told already.

        Parameters
        ----------
        bulletin
            What is said.
        rules_us, now_us
            Present by the clock of the rules (a replay has its own), and by the computer's; microseconds UTC.
        """
        earlier = self._book.escalations(alert_id=bulletin.alert_id)
        deliveries = self._plan(bulletin, step_reached(earlier), rules_us, now_us)
        rule = self._settings.escalation
        escalation = start_escalation(bulletin, earlier, rule=rule, rules_us=rules_us)
        return self._book.record_bulletin(
            bulletin, deliveries=deliveries, escalation=escalation, now_us=now_us
        )

    def escalate_due(self, region: str, *, rules_us: int, now_us: int) -> list[Escalation]:
        """Tell the next step what nobody has acknowledged in time; return what was moved on, as it was before."""
        moved = []
        for escalation in self._book.open_escalations(region):
            if escalation.due_us is None or escalation.due_us > rules_us:
                continue
            bulletin = self._book.latest_bulletin(escalation.alert_id)
            if bulletin is None:
                continue
            step = escalation.step + 1
            wait_us = self._settings.escalation.wait_us(step)
            done = self._book.escalate(
                bulletin,
                opened_by=escalation.bulletin_id,
                step=step,
                due_us=None if wait_us is None else rules_us + wait_us,
                deliveries=self._plan(bulletin, step, rules_us, now_us),
                rules_us=rules_us,
                now_us=now_us,
            )
            if done:
                moved.append(escalation)
        return moved

    def _plan(self, bulletin: Bulletin, step: int, rules_us: int, now_us: int) -> list[NewDelivery]:
        return plan(
            bulletin,
            self._book.recipients(bulletin.region),
            told=self._book.told(bulletin.alert_id),
            settings=self._settings,
            rules_us=rules_us,
            now_us=now_us,
            step=step,
        )
