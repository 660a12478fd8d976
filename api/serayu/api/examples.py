"""Examples for the OpenAPI page: shapes with invented values."""

from typing import Any

from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.times import US_PER_DAY, US_PER_HOUR, parse_rfc3339
from serayu.models.warning.bulletin import (
    AffectedArea,
    Bulletin,
    BulletinStatus,
    Foreseen,
    Hazard,
    Impact,
    MessageType,
)
from serayu.models.warning.documents import bulletin_document

__all__ = ["ALERT_EXAMPLE", "BULLETIN_EXAMPLE", "CHANGE_EXAMPLE", "ENTRY_EXAMPLE", "ESCALATION_EXAMPLE"]

CHANGE_EXAMPLE: dict[str, Any] = {
    "id": 7,
    "alert": "0197c2d4-0000-7000-8000-000000000001",
    "region": "33.02",
    "station": "bgs-hulu",
    "at": "2026-01-31T11:20:00Z",
    "recorded": "2026-01-31T11:20:02Z",
    "from": "waspada",
    "to": "siaga",
    "kind": "raise",
    "reason": "threshold",
    "level_m": 16.52,
    "slope_m_per_h": 0.41,
    "verified": True,
    "retracted": False,
    "unknown": False,
    "from_label": "Siaga 3 (WASPADA)",
    "to_label": "Siaga 2 (SIAGA)",
}
ESCALATION_EXAMPLE: dict[str, Any] = {
    "level": "siaga",
    "asked": "2026-01-31T11:20:02Z",
    "steps": [{"step": 1, "told": "2026-01-31T11:30:02Z"}],
    "next_step_due": None,
    "acknowledged": "2026-01-31T11:34:12Z",
    "acknowledged_by": "piket (dishub)",
    "ended": None,
    "seconds_to_acknowledge": 850.0,
}
ENTRY_EXAMPLE: dict[str, Any] = {
    "id": "0197c2d4-0000-7000-8000-000000000003",
    "bulletin": "0197c2d4-0000-7000-8000-000000000002",
    "alert": "0197c2d4-0000-7000-8000-000000000001",
    "recipient": {
        "id": "0197c2d4-0000-7000-8000-000000000004",
        "name": "Piket contoh",
        "audience": "agency",
        "channel": "webhook",
    },
    "level": "siaga",
    "step": 0,
    "state": "sent",
    "reason": None,
    "attempts": 1,
    "queued": "2026-01-31T11:20:02Z",
    "ended": "2026-01-31T11:20:03Z",
    "expires": "2026-02-01T11:20:00Z",
    "log": [{"attempt": 1, "at": "2026-01-31T11:20:03Z", "elapsed_ms": 41, "ok": True, "detail": "HTTP 200"}],
}
ALERT_EXAMPLE: dict[str, Any] = {
    "id": "0197c2d4-0000-7000-8000-000000000001",
    "region": "33.02",
    "station": "bgs-hulu",
    "station_name": "Bendung Gerak Serayu, hulu",
    "status": "active",
    "level": "siaga",
    "label": "Siaga 2 (SIAGA)",
    "outcome": None,
    "highest": "siaga",
    "highest_label": "Siaga 2 (SIAGA)",
    "highest_by_threshold": "siaga",
    "reason": "threshold",
    "verified": True,
    "level_m": 16.52,
    "peak": {"level_m": 16.61, "time": "2026-01-31T11:34:00Z", "flag_name": "good"},
    "opened": "2026-01-31T10:05:00Z",
    "updated": "2026-01-31T11:20:00Z",
    "ended": None,
    "acknowledged": {
        "at": "2026-01-31T11:34:12Z",
        "by": "piket (dishub)",
        "note": "",
        "after_s": 850.0,
    },
    "escalation": ESCALATION_EXAMPLE,
    "changes": [CHANGE_EXAMPLE],
}
_SENT_US = parse_rfc3339("2026-01-31T11:20:00Z")
BULLETIN_EXAMPLE: dict[str, Any] = bulletin_document(
    Bulletin(
        id="0197c2d4-0000-7000-8000-000000000002",
        alert_id="0197c2d4-0000-7000-8000-000000000001",
        change_id=7,
        region="33.02",
        station="bgs-hulu",
        hazard=Hazard.FLOOD,
        msg_type=MessageType.ALERT,
        status=BulletinStatus.EXERCISE,
        sent_us=_SENT_US,
        expires_us=_SENT_US + US_PER_DAY,
        level=Siaga.SIAGA,
        before=Siaga.WASPADA,
        reason=Reason.FORECAST,
        post="Bendung Gerak Serayu, hulu",
        river="Sungai Serayu",
        level_m=16.52,
        limit_m=17.0,
        at_us=_SENT_US,
        slope_m_per_h=0.41,
        foreseen=Foreseen(
            _SENT_US,
            3.0,
            17.4,
            16.9,
            17.9,
            0.82,
            _SENT_US + 2 * US_PER_HOUR,
            "ridge",
            0.44,
            ("hujan-contoh",),
        ),
        impact=Impact(
            areas=(
                AffectedArea("33.02.12.2001", "Desa Contoh", "Patikraja", 120, _SENT_US + 4 * US_PER_HOUR),
            ),
            people=120,
            basis="zona contoh (dibuat-buat)",
        ),
        invented=True,
    )
)
