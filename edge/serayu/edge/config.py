"""Settings of one agent: one TOML file a station, checked once, wrong fields named.

Paths in a file are relative to that file. Secrets stand in no such file: a password comes from a file of its own
or from the environment, see `credentials`.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from typing_extensions import override

from serayu.edge.siren_config import SirenConfig
from serayu.models.errors import BadInputError
from serayu.models.topics import REGION, RESERVED, SLUG

USERNAME_VARIABLE = "SERAYU_EDGE_MQTT_USERNAME"
PASSWORD_VARIABLE = "SERAYU_EDGE_MQTT_PASSWORD"  # noqa: S105 -- the name of a variable, not a secret
MIN_INTERVAL_S, MAX_INTERVAL_S = 0.01, 86_400.0
_AT = re.compile(r"^(?P<reason>.*?) - at `\$\.?(?P<field>.*)`$", re.DOTALL)

T = TypeVar("T")
Positive = Annotated[float, msgspec.Meta(gt=0)]
Interval = Annotated[float, msgspec.Meta(ge=MIN_INTERVAL_S, le=MAX_INTERVAL_S)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all tables of the file have in common."""


class BrokerConfig(_Table, frozen=True):
    """Where readings go.

    Parameters
    ----------
    host, port
        The broker.
    tls, ca
        Encrypted or not; file of the authority that signed the broker's certificate (default: the system's).
        A given ``ca`` implies ``tls``.
    username
        MQTT user; by default the station id.
    password_file
        File whose first line is the password.
    keepalive_s
        Seconds of silence after which each side looks whether the other lives.
    connect_timeout_s
        Seconds that a connection may take.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 1883
    tls: bool = False
    ca: Path | None = None
    username: str | None = None
    password_file: Path | None = None
    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 30
    connect_timeout_s: Positive = 5.0


class OutboxConfig(_Table, frozen=True):
    """How much the outbox keeps, and how carefully.

    Parameters
    ----------
    max_bytes
        Bytes of readings kept; the file may be 4 MiB larger (write-ahead log).
    max_age_days
        Readings accepted longer ago are dropped. Counted is the time that the device ran: no wall clock is trusted
        with that, and time switched off is unknown.
    policy
        What gives way when ``max_bytes`` is reached: the oldest readings, or new ones. Both are counted and
        reported in the status.
    synchronous
        ``FULL``: a reading outlives a power cut from the moment it is accepted. ``NORMAL``: fewer writes, and a
        power cut may take the last seconds; a crash of the agent takes nothing.
    """

    max_bytes: Annotated[int, msgspec.Meta(ge=65_536)] = 64 * 2**20
    max_age_days: Positive = 90.0
    policy: Literal["drop_oldest", "refuse_newest"] = "drop_oldest"
    synchronous: Literal["FULL", "NORMAL"] = "FULL"


class UplinkConfig(_Table, frozen=True):
    """How readings are sent.

    Parameters
    ----------
    pack_max
        Readings in one message at most.
    window
        Unconfirmed readings on the way at most.
    ack_timeout_s, ack_timeout_max_s
        Seconds after which an unconfirmed reading is sent again, first and at most.
    backoff_s, backoff_max_s
        Mean wait before the first new connection, and the longest.
    """

    pack_max: Annotated[int, msgspec.Meta(ge=1, le=150)] = 20
    window: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 500
    ack_timeout_s: Positive = 10.0
    ack_timeout_max_s: Positive = 60.0
    backoff_s: Positive = 1.0
    backoff_max_s: Positive = 60.0


class ClockConfig(_Table, frozen=True):
    """When the device's clock is believed.

    Parameters
    ----------
    mode
        ``ntp``: when the kernel says that it is synchronised. ``trust``: always, for a device with a clock of its
        own and for simulations. In both, a clock before the year 2025 or one that has just jumped is not believed.
    settle_s
        Seconds that a clock must run on after a jump before it is believed again.
    source
        ``system``, or ``module:Class`` of another source of time (see `clock.ClockSource`).
    """

    mode: Literal["ntp", "trust"] = "ntp"
    settle_s: Annotated[float, msgspec.Meta(ge=0)] = 60.0
    source: str = "system"


class DriverConfig(_Table, frozen=True):
    """One sensor.

    Parameters
    ----------
    kind
        A name of `drivers.KINDS`, or ``module:Class``.
    property
        Slug of the observed property; None where the driver's samples name theirs.
    interval_s
        Seconds between readings.
    options
        What this kind needs, see its class.
    """

    kind: str
    property: str | None = None
    interval_s: Interval = 60.0
    options: Mapping[str, Any] = msgspec.field(default_factory=dict)


class AgentConfig(_Table, frozen=True):
    """One agent: a station, its sensors, and where its readings go.

    Parameters
    ----------
    region, station
        As in topics.
    state
        Folder for the outbox and accepted downlink configuration.
    drivers
        At least one, under ``[[driver]]``.
    heartbeat_s
        Seconds between status messages.
    grace_s
        Seconds that a stop waits for readings still on the way.
    backpressure
        Readings in the outbox at which replays pause.
    exit_when_done
        End when every driver has come to its end and every reading is confirmed or rejected.
    siren
        A siren at the station; None: there is none.
    """

    region: str
    station: str
    state: Path
    drivers: Annotated[tuple[DriverConfig, ...], msgspec.Meta(min_length=1)] = msgspec.field(name="driver")
    broker: BrokerConfig = BrokerConfig()
    outbox: OutboxConfig = OutboxConfig()
    uplink: UplinkConfig = UplinkConfig()
    clock: ClockConfig = ClockConfig()
    heartbeat_s: Annotated[float, msgspec.Meta(ge=1)] = 60.0
    grace_s: Annotated[float, msgspec.Meta(ge=0)] = 5.0
    backpressure: Annotated[int, msgspec.Meta(ge=1)] = 2_000
    exit_when_done: bool = False
    siren: SirenConfig | None = None

    def __post_init__(self) -> None:
        if REGION.match(self.region) is None:
            raise ValueError(f"region {self.region!r} must match {REGION.pattern}")
        if SLUG.match(self.station) is None or self.station in RESERVED:
            raise ValueError(
                f"station {self.station!r} must match {SLUG.pattern} and not be {sorted(RESERVED)}"
            )
        if self.uplink.ack_timeout_s > self.uplink.ack_timeout_max_s:
            raise ValueError("uplink: ack_timeout_s is longer than ack_timeout_max_s")
        if self.uplink.backoff_s > self.uplink.backoff_max_s:
            raise ValueError("uplink: backoff_s is longer than backoff_max_s")
        if self.siren is not None:
            self._check_siren(self.siren)

    def _check_siren(self, siren: SirenConfig) -> None:
        """Refuse a siren that could never sound; drivers without a property (replays) name theirs with each value."""
        if not any(driver.property in (None, siren.observed) for driver in self.drivers):
            raise ValueError(f"siren: no driver measures {siren.observed!r}")


class Credentials(msgspec.Struct, frozen=True):
    """MQTT user and password; the text form shows no password."""

    username: str
    password: str | None

    @override
    def __repr__(self) -> str:
        return f"Credentials({self.username!r}, {'***' if self.password else None})"


def load_config(file: Path) -> AgentConfig:
    """Read an agent's settings.

    Raises
    ------
    BadInputError
        The file is missing, not TOML, or has a wrong, unknown or missing field; names file and field.
    """
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"not TOML: {error}", file=file) from None
    config = converted(table, AgentConfig, file=file)
    home = file.resolve().parent
    broker = msgspec.structs.replace(
        config.broker,
        tls=config.broker.tls or config.broker.ca is not None,
        ca=home / config.broker.ca if config.broker.ca else None,
        password_file=home / config.broker.password_file if config.broker.password_file else None,
    )
    return msgspec.structs.replace(config, state=home / config.state, broker=broker)


def converted(value: object, kind: type[T], *, file: Path | str | None = None, prefix: str = "") -> T:
    """Return *value* as *kind*; a wrong field becomes a `BadInputError` that names it."""
    try:
        return msgspec.convert(value, kind, dec_hook=_path)
    except msgspec.ValidationError as error:
        found = _AT.match(str(error))
        reason, field = (found["reason"], found["field"]) if found else (str(error), "")
        path = ".".join(part for part in (prefix, field) if part)
        raise BadInputError(reason, file=file, field=path or None) from None


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    raise ValueError(f"expected a path, not {value!r}")


def credentials(config: AgentConfig, environment: Mapping[str, str] = os.environ) -> Credentials:
    """Return the MQTT user and password: from the environment, else the settings and the password file.

    Raises
    ------
    BadInputError
        The password file cannot be read or is empty.
    """
    username = environment.get(USERNAME_VARIABLE) or config.broker.username or config.station
    password = environment.get(PASSWORD_VARIABLE)
    file = config.broker.password_file
    if password is None and file is not None:
        try:
            password = file.read_text("utf-8").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInputError(
                f"password cannot be read: {error}", file=file, field="broker.password_file"
            ) from None
        if not password:
            raise BadInputError("the password is empty", file=file, field="broker.password_file")
    return Credentials(username, password or None)
