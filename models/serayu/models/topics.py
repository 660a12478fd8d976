"""MQTT topics ``serayu/v1/<region>/<station>/<property>`` and their reserved downlinks."""

import re
from functools import lru_cache
from typing import NamedTuple

from serayu.models.errors import CodecError

PREFIX = "serayu/v1"
RESERVED = frozenset({"status", "latest", "config", "ack", "alerts"})
REGION = re.compile(r"^[0-9.]{1,20}\Z")
SLUG = re.compile(r"^[a-z][a-z0-9-]{1,39}\Z")
_PARTS = 5


class Topic(NamedTuple):
    """Parts of an uplink topic; ``leaf`` is a property or a reserved word."""

    region: str
    station: str
    leaf: str


@lru_cache(maxsize=65536)
def parse_topic(topic: str) -> Topic:
    """Return the parts of a topic below `PREFIX`.

    Raises
    ------
    CodecError
        Not of the form of the wire format (``bad_topic``).

    Examples
    --------
    >>> parse_topic("serayu/v1/33.02/bgs-hulu/stage")
    Topic(region='33.02', station='bgs-hulu', leaf='stage')
    """
    parts = topic.split("/")
    if len(parts) != _PARTS or "/".join(parts[:2]) != PREFIX:
        raise CodecError("bad_topic", f"{topic!r} is not {PREFIX}/<region>/<station>/<property>")
    _, _, region, station, leaf = parts
    for value, pattern, name in (
        (region, REGION, "region"),
        (station, SLUG, "station"),
        (leaf, SLUG, "property"),
    ):
        if pattern.match(value) is None:
            raise CodecError("bad_topic", f"{name} {value!r} does not match {pattern.pattern}")
    if station in RESERVED:
        raise CodecError("bad_topic", f"station {station!r} is a reserved word")
    return Topic(region, station, leaf)


def topic(region: str, station: str, leaf: str) -> str:
    """Return the topic of a property or reserved word of a station."""
    return f"{PREFIX}/{region}/{station}/{leaf}"


def alert_topic(region: str, alert_id: str) -> str:
    """Return the topic of an alert, retained while it is active."""
    return f"{PREFIX}/{region}/alerts/{alert_id}"


def bulletin_topic(region: str, alert_id: str) -> str:
    """Return the topic of an alert's newest bulletin, retained while it is in force.

    It is one level deeper than readings, so that nobody who subscribes to those gets it.
    """
    return f"{alert_topic(region, alert_id)}/bulletin"
