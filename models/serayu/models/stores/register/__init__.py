"""The register: alerts, keys, field links and audit in SQLite or PostgreSQL, one model for both."""

from serayu.models.stores.register.migrate import upgrade
from serayu.models.stores.register.register import Register

__all__ = ["Register", "upgrade"]
