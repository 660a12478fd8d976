"""Tables of the register, as the newest migration leaves them (a test compares the two).

Levels, kinds, reasons and roles are stored as their words; times are integer microseconds UTC.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
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

bulletin = Table(
    "bulletin",
    metadata,
    Column("number", RunningNumber, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("alert_id", String(36), nullable=False),  # of a flood in `alert`; a landslide has none there
    Column("change_id", BigInteger),
    Column("region", String(20), nullable=False),
    Column("station", String(40), nullable=False),
    Column("hazard", String(16), nullable=False),
    Column("msg_type", String(8), nullable=False),
    Column("status", String(8), nullable=False),
    Column("level", String(8), nullable=False),
    Column("sent_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_bulletin_change", bulletin.c.alert_id, bulletin.c.change_id, unique=True)
Index("ix_bulletin_alert", bulletin.c.alert_id, bulletin.c.number)
Index("ix_bulletin_region", bulletin.c.region, bulletin.c.number)

recipient = Table(
    "recipient",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("region", String(20), nullable=False),
    Column("name", Text, nullable=False),
    Column("audience", String(8), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("languages", Text, nullable=False),
    Column("hazards", Text, nullable=False),
    Column("lowest", String(8), nullable=False),
    Column("stations", Text, nullable=False),
    Column("quiet", Text),
    Column("step", Integer, nullable=False),
    Column("allow_private", Boolean, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("opted_in_us", BigInteger),
    Column("stopped_us", BigInteger),
    Column("erased_us", BigInteger),
    Column("address", Text),  # encrypted
    Column("secret", Text),  # encrypted
    Column("address_hash", String(64)),  # keyed: tells nothing without the key file
)
Index("ix_recipient_address", recipient.c.region, recipient.c.channel, recipient.c.address_hash, unique=True)

gateway = Table(
    "gateway",
    metadata,
    Column("region", String(20), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("url", Text, nullable=False),  # encrypted
    Column("allow_private", Boolean, nullable=False, server_default=false()),
)

consent = Table(
    "consent",
    metadata,
    Column("id", RunningNumber, primary_key=True, autoincrement=True),
    Column("region", String(20), nullable=False),
    Column("recipient_id", String(36), ForeignKey("recipient.id")),
    Column("address_hash", String(64)),
    Column("action", String(4), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_consent_address", consent.c.region, consent.c.address_hash)

delivery = Table(
    "delivery",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("bulletin_id", String(36), ForeignKey("bulletin.id"), nullable=False),
    Column("alert_id", String(36), nullable=False),
    Column("region", String(20), nullable=False),
    Column("recipient_id", String(36), ForeignKey("recipient.id"), nullable=False),
    Column("level", String(8), nullable=False),
    Column("step", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("reason", String(40)),
    Column("not_before_us", BigInteger, nullable=False),
    Column("retry_us", BigInteger, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("expires_us", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("leased_by", String(80)),
    Column("leased_until_us", BigInteger),
)
Index("ix_delivery_once", delivery.c.bulletin_id, delivery.c.recipient_id, unique=True)
Index("ix_delivery_alert", delivery.c.alert_id, delivery.c.recipient_id)
Index("ix_delivery_recipient", delivery.c.recipient_id, delivery.c.created_us)
QUEUED = delivery.c.state == "queued"
Index("ix_delivery_due", delivery.c.region, delivery.c.retry_us, sqlite_where=QUEUED, postgresql_where=QUEUED)

delivery_attempt = Table(
    "delivery_attempt",
    metadata,
    Column("delivery_id", String(36), ForeignKey("delivery.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("elapsed_ms", Integer, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
)

escalation = Table(
    "escalation",
    metadata,
    Column("bulletin_id", String(36), ForeignKey("bulletin.id"), primary_key=True),
    Column("alert_id", String(36), nullable=False, index=True),
    Column("region", String(20), nullable=False),
    Column("level", String(8), nullable=False),
    Column("step", Integer, nullable=False),
    Column("due_us", BigInteger),
    Column("started_us", BigInteger, nullable=False),
    Column("acknowledged_us", BigInteger),
    Column("acknowledged_by", Text),
    Column("ended_us", BigInteger),
)

escalation_step = Table(
    "escalation_step",
    metadata,
    Column("bulletin_id", String(36), ForeignKey("escalation.bulletin_id"), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
)

forecast = Table(
    "forecast",
    metadata,
    Column("region", String(20), primary_key=True),
    Column("station", String(40), primary_key=True),
    Column("issued_us", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)

landslide = Table(
    "landslide",
    metadata,
    Column("region", String(20), primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    Column("roads", Text, nullable=False),
)

survey = Table(
    "survey",
    metadata,
    Column("region", String(20), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("detector", Text, nullable=False),
    Column("first_us", BigInteger),
    Column("last_us", BigInteger),
    Column("findings", Integer, nullable=False),
    Column("segments", Integer, nullable=False),
    Column("pictures", Integer, nullable=False),
    Column("published_us", BigInteger, nullable=False),
    Column("published_by", Text, nullable=False),
    Column("document", Text, nullable=False),
)
Index("ix_survey_published", survey.c.region, survey.c.published_us)

finding = Table(
    "finding",
    metadata,
    Column("region", String(20), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("survey_id", String(64), nullable=False),
    Column("label", String(24), nullable=False),
    Column("score", Double),
    Column("ruas", String(40)),
    Column("west", Double, nullable=False),
    Column("south", Double, nullable=False),
    Column("east", Double, nullable=False),
    Column("north", Double, nullable=False),
    Column("picture", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    ForeignKeyConstraint(["region", "survey_id"], ["survey.region", "survey.id"]),
)
Index("ix_finding_survey", finding.c.region, finding.c.survey_id)
Index("ix_finding_ruas", finding.c.region, finding.c.ruas)

segment = Table(
    "segment",
    metadata,
    Column("id", RunningNumber, primary_key=True, autoincrement=True),
    Column("region", String(20), nullable=False),
    Column("survey_id", String(64), nullable=False),
    Column("ruas", String(40), nullable=False),
    Column("km_from", Double, nullable=False),
    Column("west", Double, nullable=False),
    Column("south", Double, nullable=False),
    Column("east", Double, nullable=False),
    Column("north", Double, nullable=False),
    Column("body", Text, nullable=False),
    ForeignKeyConstraint(["region", "survey_id"], ["survey.region", "survey.id"]),
    sqlite_autoincrement=True,
)
Index(
    "ix_segment_survey", segment.c.region, segment.c.survey_id, segment.c.ruas, segment.c.km_from, unique=True
)

survey_photo = Table(
    "survey_photo",
    metadata,
    Column("region", String(20), primary_key=True),
    Column("survey_id", String(64), primary_key=True),
    Column("photo", String(200), primary_key=True),
    Column("body", Text, nullable=False),
    ForeignKeyConstraint(["region", "survey_id"], ["survey.region", "survey.id"]),
)

review = Table(
    "review",
    metadata,
    Column("id", RunningNumber, primary_key=True, autoincrement=True),
    Column("region", String(20), nullable=False),
    Column("finding_id", String(36), nullable=False),
    Column("judgement", String(8), nullable=False),
    Column("label", String(24)),
    Column("key_id", String(36), nullable=False),
    Column("name", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    ForeignKeyConstraint(["region", "finding_id"], ["finding.region", "finding.id"]),
    sqlite_autoincrement=True,
)
Index("ix_review_finding", review.c.region, review.c.finding_id, review.c.id)
