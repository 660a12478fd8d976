"""Examples for the OpenAPI page: shapes with invented values."""

from typing import Any

__all__ = ["ALERT_EXAMPLE", "CHANGE_EXAMPLE"]

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
    "from_label": "Siaga 3 (WASPADA)",
    "to_label": "Siaga 2 (SIAGA)",
}
ALERT_EXAMPLE: dict[str, Any] = {
    "id": "0197c2d4-0000-7000-8000-000000000001",
    "region": "33.02",
    "station": "bgs-hulu",
    "station_name": "Bendung Gerak Serayu, hulu",
    "status": "active",
    "level": "siaga",
    "label": "Siaga 2 (SIAGA)",
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
    "acknowledged": None,
    "changes": [CHANGE_EXAMPLE],
}
