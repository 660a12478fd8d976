"""Tables of the register, as the newest migration leaves them (a test compares the two).

Levels, kinds, reasons and roles are stored as their words; times are integer microseconds UTC.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
NAMES["fk"] = "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s"
metadata = MetaData(naming_convention=NAMES)

# SQLite counts up by itself only in a column called INTEGER, which holds 64 bits there.
RunningNumber = BigInteger().with_variant(Integer(), "sqlite")

alert = Table(
    "alert",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("region", String(20), nullable=False),
    Column("station", String(40), nullable=False),
    Column("status", String(8), nullable=False),
    Column("level", String(8), nullable=False),
    Column("highest", String(8), nullable=False),
    Column("highest_by_threshold", String(8), nullable=False),
    Column("reason", String(16), nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("level_m", Double, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("acknowledged_us", BigInteger),
    Column("acknowledged_by", Text),
    Column("acknowledged_note", Text),
)
ACTIVE = alert.c.status == "active"
Index(
    "ix_alert_active",
    alert.c.region,
    alert.c.station,
    unique=True,
    sqlite_where=ACTIVE,
    postgresql_where=ACTIVE,
)
Index("ix_alert_opened", alert.c.opened_us, alert.c.id)
Index("ix_alert_station", alert.c.region, alert.c.station, alert.c.opened_us)

alert_change = Table(
    "alert_change",
    metadata,
    Column("id", RunningNumber, primary_key=True, autoincrement=True),
    Column("alert_id", String(36), ForeignKey("alert.id"), nullable=False, index=True),
    Column("region", String(20), nullable=False),
    Column("station", String(40), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    Column("before", String(8), nullable=False),
    Column("after", String(8), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("reason", String(16), nullable=False),
    Column("level_m", Double, nullable=False),
    Column("slope_m_per_h", Double),
    Column("verified", Boolean, nullable=False),
    sqlite_autoincrement=True,
)

evaluator_state = Table(
    "evaluator_state",
    metadata,
    Column("region", String(20), primary_key=True),
    Column("station", String(40), primary_key=True),
    Column("state", Text, nullable=False),
)

evaluator_cursor = Table(
    "evaluator_cursor",
    metadata,
    Column("region", String(20), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("position", BigInteger, nullable=False),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("region", String(20), nullable=False),
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("stations", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
    Column("last_used_us", BigInteger),
)

field_token = Table(
    "field_token",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("region", String(20), nullable=False),
    Column("station", String(40), nullable=False),
    Column("label", Text, nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("created_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
)

audit = Table(
    "audit",
    metadata,
    Column("id", RunningNumber, primary_key=True, autoincrement=True),
    Column("at_us", BigInteger, nullable=False),
    Column("region", String(20), nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(40), nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)
