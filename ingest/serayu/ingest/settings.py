"""Settings of ingest, from the environment (prefix ``SERAYU_INGEST_``)."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from serayu.models.places import default_data_dir, default_region
from serayu.models.region import load_region


def _data_dir(fields: dict[str, Any]) -> Path:
    return default_data_dir(load_region(fields["region"]).code)


class IngestSettings(BaseSettings):
    """How one ingest process runs.

    Spans are seconds; ``clock`` "replay" lets the readings' own times drive every rule.
    """

    model_config = SettingsConfigDict(env_prefix="SERAYU_INGEST_", frozen=True, extra="forbid")

    broker_url: SecretStr = SecretStr("mqtt://127.0.0.1:1883")
    region: Path = Field(default_factory=default_region, description="region folder")
    data_dir: Path = Field(default_factory=_data_dir, description="by default the region's own folder")
    register_url: str | None = Field(None, description="SQLAlchemy URL; default: register.sqlite in data_dir")
    client_id: str = "serayu-ingest"
    share_group: str | None = Field(None, description="subscribe as one of several workers of this group")
    store_only: bool = Field(
        default=False, description="store and acknowledge; another process evaluates alerts"
    )
    clock: Literal["system", "replay"] = "system"
    exercise: bool = Field(
        default=False, description="bulletins go out as Exercise: a drill, a demonstration"
    )
    max_payload_bytes: int = Field(64 * 1024, ge=256)
    late_after_s: float = Field(1800, gt=0)
    far_future_s: float = Field(600, gt=0)
    replay_far_future_s: float = Field(30 * 86400, gt=0, description="the same with clock=replay")
    landslide_every_s: float = Field(300, gt=0, description="between two assessments of the region's slopes")
    retention_days: float = Field(400, gt=0)
    delivery_retention_days: float = Field(400, gt=0, description="who was told what, and each attempt")
    consent_retention_days: float = Field(
        400, gt=0, description="opt-ins and opt-outs of who is told no more"
    )
    disk_warn_fraction: float = Field(0.80, gt=0, le=1)
    disk_refuse_fraction: float = Field(0.95, gt=0, le=1)
    metrics_port: int | None = Field(None, ge=1, le=65535)
    metrics_host: str = "127.0.0.1"
    influx_url: str | None = None
    influx_token: SecretStr = SecretStr("")
    influx_org: str = "serayu"
    influx_bucket: str = "serayu"

    @property
    def hot_path(self) -> Path:
        """File of the hot store."""
        return self.data_dir / "hot.sqlite"

    @property
    def register(self) -> str:
        """SQLAlchemy URL of the register."""
        return self.register_url or f"sqlite:///{self.data_dir / 'register.sqlite'}"
