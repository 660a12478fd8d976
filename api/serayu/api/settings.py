"""Settings of the api, from ``SERAYU_API_*`` or given in code."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["ApiSettings"]

SECRET_AT_LEAST = 32
"""Characters of a session secret; 32 hexadecimal digits are 128 bits."""

PUBLISHED = frozenset(
    {
        "",
        "admin",
        "changeme",
        "change-me",
        "default",
        "example",
        "password",
        "postgres",
        "secret",
        "serayu",
        "test",
    }
)
"""Secrets that everybody knows: the defaults of other products' images and examples."""


class ApiSettings(BaseSettings):
    """How one api process runs.

    Parameters
    ----------
    region
        Region folder.
    data_dir
        Folder with ``hot.sqlite``, ``register.sqlite``, the first keys and the session secret.
    register_url
        SQLAlchemy URL of the register; ``register.sqlite`` in `data_dir` when absent.
    host, port
        Where to listen.
    trusted_proxies
        Addresses and networks, with commas between, of proxies whose ``X-Forwarded-For`` and ``X-Forwarded-Proto``
        are believed; empty for none, ``*`` for whoever connects.
    clock
        ``replay``: the present is the newest phenomenon time in the hot store, so that a replayed flood has ages.
    notice
        Text that stands on top of the map and of the field pages as long as it is set, e.g. that a storm is invented.
    profile
        ``production`` refuses published and short secrets and sends cookies over HTTPS only.
    session_secret
        Signs session cookies; generated on the first run when absent.
    session_hours
        How long a login lasts.
    tiles_url
        Map tiles such as ``https://tiles.example/{z}/{x}/{y}.png``; none by default: the map works offline.
    snapshot_min_age_s, snapshot_max_age_s
        The list of stations is made again after a change, but not more often than the first, and at least as often
        as the second, seconds.
    scorecard_min_age_s, scorecard_max_age_s
        The same of the scorecard, seconds: it reads the whole history.
    nowcast_path
        Folder (or one file) where the operator's own job puts BMKG's nowcast: the list (RSS) and CAP files. Nothing is
        fetched by us; without it no nowcasts are shown.
    nowcast_stale_after_s
        Age of the newest of these files from which on it is said that there may be newer ones, seconds.
    stream_poll_s, stream_heartbeat_s, stream_clients
        How often the stream looks for news, how often it says that it lives, and how many may listen.
    failed_logins, failed_logins_window_s
        So many wrong keys or farmer addresses per client in so many seconds, then 429 to more wrong ones.
    gateway_messages
        So many messages from phones per gateway in a minute, then 429.
    survey_bytes
        Larger bundles of surveys are refused, 413.
    delivery_overdue_after_s
        Readiness fails when a delivery has been due for so long and nobody has taken it; None does not ask.
    ingest_silent_after_s
        Readiness fails when nothing new has been received for so long; None does not ask.
    """

    model_config = SettingsConfigDict(env_prefix="SERAYU_API_", frozen=True, extra="forbid")

    region: Path
    data_dir: Path = Path("data")
    register_url: SecretStr | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    trusted_proxies: str = "127.0.0.1"
    clock: Literal["system", "replay"] = "system"
    notice: Annotated[str, Field(max_length=500)] | None = None
    profile: Literal["development", "production"] = "development"
    session_secret: SecretStr | None = None
    session_hours: Annotated[float, Field(gt=0, le=24 * 31)] = 12.0
    tiles_url: str | None = None
    snapshot_min_age_s: Annotated[float, Field(ge=0)] = 0.5
    snapshot_max_age_s: Annotated[float, Field(ge=0)] = 1.0
    scorecard_min_age_s: Annotated[float, Field(ge=0)] = 60.0
    scorecard_max_age_s: Annotated[float, Field(ge=0)] = 900.0
    nowcast_path: Path | None = None
    nowcast_stale_after_s: Annotated[float, Field(gt=0)] = 3600.0
    stream_poll_s: Annotated[float, Field(gt=0)] = 0.5
    stream_heartbeat_s: Annotated[float, Field(gt=0)] = 10.0
    stream_clients: Annotated[int, Field(ge=1)] = 500
    failed_logins: Annotated[int, Field(ge=1)] = 10
    failed_logins_window_s: Annotated[float, Field(gt=0)] = 60.0
    gateway_messages: Annotated[int, Field(ge=1)] = 120
    survey_bytes: Annotated[int, Field(ge=1)] = 2**30
    delivery_overdue_after_s: Annotated[float, Field(gt=0)] | None = 300.0
    ingest_silent_after_s: Annotated[float, Field(gt=0)] | None = 900.0

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: str) -> str:
        """Refuse what is no address: uvicorn takes it silently and then trusts nobody."""
        if value.strip() not in ("", "*"):
            for part in value.split(","):
                ipaddress.ip_network(part.strip())
        return value.strip()

    @model_validator(mode="after")
    def _no_published_secret(self) -> Self:
        if self.session_secret is not None:
            secret = self.session_secret.get_secret_value()
            if self.profile == "production" and (
                secret.lower() in PUBLISHED or len(secret) < SECRET_AT_LEAST
            ):
                raise ValueError(
                    f"SERAYU_API_SESSION_SECRET is empty, published or shorter than {SECRET_AT_LEAST} characters; "
                    "leave it out to have one generated"
                )
        if self.profile == "production" and self.register_url is not None:
            refuse_published_password(self.register_url.get_secret_value())
        return self

    @property
    def hot_path(self) -> Path:
        """File of the hot store."""
        return self.data_dir / "hot.sqlite"

    @property
    def register(self) -> str:
        """URL of the register."""
        if self.register_url is not None:
            return self.register_url.get_secret_value()
        return f"sqlite:///{self.data_dir / 'register.sqlite'}"


def refuse_published_password(url: str) -> None:
    """Raise ValueError where a database URL carries no password or a published one; SQLite needs none."""
    if url.startswith("sqlite"):
        return
    credentials, _, _ = url.partition("://")[2].partition("@")
    password = credentials.partition(":")[2]
    if password.lower() in PUBLISHED:
        raise ValueError("SERAYU_API_REGISTER_URL has no password or a published one")
