"""Bulletins on MQTT: the newest of each alert retained under its own topic, cleared when it no longer holds."""

import logging

from serayu.ingest.alert_publisher import Broker
from serayu.ingest.channels.channel import document_body
from serayu.ingest.clock import IngestClock
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register
from serayu.models.topics import bulletin_topic
from serayu.models.warning.bulletin import Bulletin, MessageType

CURSOR = "bulletins-published"
_AT_ONCE = 500
_logger = logging.getLogger(__name__)


class BulletinPublisher:
    """Publishes what was recorded, at least once; like `AlertPublisher` by a durable cursor.

    After every new connection the bulletins in force are published again and the topics of the last ones that are
    not are cleared again. One that lapses is cleared when it does.
    """

    def __init__(
        self, register: Register, store: HotStore, broker: Broker, region: str, clock: IngestClock
    ) -> None:
        self._register = register
        self._store = store
        self._broker = broker
        self._region = region
        self._clock = clock
        self._connection = -1
        self._retained: dict[str, Bulletin] = {}

    def step(self) -> int:
        """Publish what is new; return how many bulletins were."""
        now_us = self._clock.now_us()
        if self._broker.connections != self._connection:
            connection = self._broker.connections
            held = self._register.bulletins(self._region, active_at_us=now_us, limit=_AT_ONCE)
            recent = self._register.bulletins(self._region, limit=_AT_ONCE)
            for bulletin in {one.alert_id: one for one in (*held, *reversed(recent))}.values():
                self._publish(bulletin, now_us)
            self._connection = connection
        for bulletin in [one for one in self._retained.values() if one.expires_us <= now_us]:
            self._publish(bulletin, now_us)
        return self._publish_news(now_us)

    def _publish_news(self, now_us: int) -> int:
        published = 0
        position = self._store.cursor(CURSOR)
        if position > self._register.last_bulletin_number():
            position = 0  # another register: restored, or made anew
        while news := self._register.bulletins_after(position, region=self._region, limit=_AT_ONCE):
            newest = {one.bulletin.alert_id: one.bulletin for one in news}
            for bulletin in newest.values():
                self._publish(bulletin, now_us)
            published += len(newest)
            position = news[-1].number
            self._store.set_cursor(CURSOR, position)
        return published

    def _publish(self, bulletin: Bulletin, now_us: int) -> None:
        holds = bulletin.msg_type is not MessageType.CANCEL and bulletin.expires_us > now_us
        try:
            payload = document_body(bulletin) if holds else b""
        except (
            Exception
        ):  # a text that cannot be made must not hold up the deliveries, nor the other bulletins
            _logger.exception("bulletin %s has no document, it is not published", bulletin.id)
            return
        self._broker.publish(bulletin_topic(self._region, bulletin.alert_id), payload, retain=True, qos=1)
        if holds:
            self._retained[bulletin.alert_id] = bulletin
        else:
            self._retained.pop(bulletin.alert_id, None)
