"""Alerts on MQTT: each active one retained under its own topic, an ended one cleared."""

from typing import Protocol

import msgspec

from serayu.models.alert import Alert, AlertStatus, alert_document
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register
from serayu.models.topics import alert_topic

CURSOR = "alerts-published"
_AT_ONCE = 500


class Broker(Protocol):
    """The connection, as far as alerts are concerned."""

    @property
    def connections(self) -> int:
        """How many connections there have been."""
        ...

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 0) -> None:
        """Publish."""
        ...


class AlertPublisher:
    """Publishes what the evaluator has recorded, at least once.

    A durable cursor follows the recorded changes, so that a crash between recording and publishing leaves none
    out. After every new connection the active alerts are published again, because a broker may forget, and the
    topics of those that ended last are cleared again, because a broker may remember what we could not take back.
    """

    def __init__(self, register: Register, store: HotStore, broker: Broker, region: str) -> None:
        self._register = register
        self._store = store
        self._broker = broker
        self._region = region
        self._connection = -1

    def step(self) -> int:
        """Publish what is new; return how many alerts were."""
        published = 0
        if self._broker.connections != self._connection:
            self._connection = self._broker.connections
            for alert in self._register.active_levels(self._region).values():
                self._publish(alert)
            for alert in self._register.alerts(self._region, status=AlertStatus.ENDED, limit=_AT_ONCE):
                self._publish(alert)
        position = self._store.cursor(CURSOR)
        if position > self._register.last_change_id():
            position = 0  # another register: restored, or made anew
        while changes := self._register.changes_after(position, region=self._region, limit=_AT_ONCE):
            for alert_id in dict.fromkeys(change.alert_id for change in changes):
                self._publish(self._register.alert(alert_id))
                published += 1
            position = changes[-1].id
            self._store.set_cursor(CURSOR, position)
        return published

    def _publish(self, alert: Alert) -> None:
        active = alert.status is AlertStatus.ACTIVE
        payload = msgspec.json.encode(alert_document(alert)) if active else b""
        self._broker.publish(alert_topic(self._region, alert.id), payload, retain=True, qos=1)
