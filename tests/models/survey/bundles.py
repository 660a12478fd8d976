"""A small published survey, invented, and ways to spoil it."""

import copy
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

SURVEY = "019f1b67-9100-7000-b2ad-ea27d3be6201"
IDS = tuple(f"019f1b67-94e8-7000-b727-2d65b0594a{n:02x}" for n in range(4))
JPEG = b"\xff\xd8\xff\xe0 not much of a picture \xff\xd9"
KINDS = ("pothole", "longitudinal_crack", "patch_repair", "landslide")


def properties(n: int = 0, *, survey: str = SURVEY, **changes: object) -> dict[str, Any]:
    """Return the properties of a finding."""
    return {
        "id": IDS[n],
        "survey": survey,
        "class": KINDS[n],
        "score": (0.9, 0.35, 0.6, None)[n],
        "ruas": "CONTOH-01" if n < 3 else None,
        "km": 0.0235 + n / 100 if n < 3 else None,
        "side": "kiri" if n < 3 else None,
        "length_m": 3.25 if n == 1 else None,
        "width_mm": None,
        "area_m2": None if n == 1 else 0.42,
        "severity": "tidak terukur",
        "errors": {
            "position_m": 1.578,
            "length_m": 0.2 if n == 1 else None,
            "width_mm": None,
            "area_m2": None if n == 1 else 0.08,
            "road_edge_m": 1.6 if n == 3 else None,
        },
        "photo": "SRY_0002.jpg",
        "photos": ["SRY_0001.jpg", "SRY_0002.jpg"],
        "time": "2026-07-01T02:00:01Z",
        "unmeasured": ["finding.unmeasured.severity_patch"],
        "road_edge_m": 1.5 if n == 3 else None,
        "slope_deg": 31.0 if n == 3 else None,
        **changes,
    }


def feature(n: int = 0, *, survey: str = SURVEY, **changes: object) -> dict[str, Any]:
    """Return a finding as a feature."""
    lon, lat = 109.3361 + n / 1000, -7.5037
    ring = [[lon, lat], [lon + 1e-5, lat], [lon + 1e-5, lat + 1e-5], [lon, lat]]
    line = [[lon, lat], [lon + 1e-5, lat]]
    geometry = {"type": "LineString", "coordinates": line}
    if n != 1:
        geometry = {"type": "Polygon", "coordinates": [ring]}
    own = properties(n, survey=survey, **changes)
    return {"type": "Feature", "id": own["id"], "geometry": geometry, "properties": own}


def segment(*, survey: str = SURVEY, **changes: object) -> dict[str, Any]:
    """Return a segment as a feature."""
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[109.3362, -7.5035], [109.3361, -7.5044]]},
        "properties": {
            "survey": survey, "ruas": "CONTOH-01", "sta": "0+000–0+100", "km_from": 0.0, "km_to": 0.1,
            "length_m": 100.0, "width_m": 6.0, "surveyed": 0.95, "findings": 3, "crack_area_pct": [0.1, 0.4],
            "pci": [61.5, 74.0], "sdi": [15.0, 35.0], "missing": [], **changes,
        },
    }  # fmt: skip


def documents(survey: str = SURVEY) -> dict[str, Any]:
    """Return the documents of a bundle."""
    features = [feature(n, survey=survey) for n in range(len(IDS))]
    photos = [
        {
            "photo": "SRY_0001.jpg", "width_px": 1600, "height_px": 1200, "unplaced": 0,
            "boxes": [{"finding": IDS[0], "xyxy_px": [800.0, 600.0, 960.0, 720.0]}],
        },
        {
            "photo": "SRY_0002.jpg", "width_px": 1600, "height_px": 1200, "unplaced": 0,
            "boxes": [{"finding": one, "xyxy_px": [100.0 * n, 0.0, 100.0 * n + 80, 60.0]} for n, one in enumerate(IDS)],
        },
    ]  # fmt: skip
    return {
        "survey.json": {
            "survey": survey, "source": "photos", "kind": "photos", "detector": "test", "weights": [],
            "first": "2026-07-01T02:00:00Z", "last": None,
            "counts": {"units": 2, "findings": len(features), "classes": dict.fromkeys(KINDS, 1)},
        },
        "findings.geojson": {"type": "FeatureCollection", "features": features},
        "segments.geojson": {"type": "FeatureCollection", "features": [segment(survey=survey)]},
        "sightings.json": {"survey": survey, "photos": photos},
    }  # fmt: skip


def crops() -> dict[str, bytes]:
    """Return a picture of each finding but the last."""
    return {f"crops/{one}.jpg": JPEG + one.encode() for one in IDS[:-1]}


def zipped(
    given: Mapping[str, Any] | None = None, pictures: Mapping[str, bytes] | None = None, *, year: int = 2026
) -> bytes:
    """Return a bundle."""
    files = {
        name: json.dumps(said).encode() for name, said in (documents() if given is None else given).items()
    }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in {**files, **(crops() if pictures is None else pictures)}.items():
            entry = zipfile.ZipInfo(name, date_time=(year, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, content)
    return data.getvalue()


def other(survey: str) -> bytes:
    """Return the same survey under another id, its findings too."""
    text = json.dumps(documents(survey)).replace("2d65b0594a", "2d65b0594b")
    renamed = {name.replace("2d65b0594a", "2d65b0594b"): content for name, content in crops().items()}
    return zipped(json.loads(text), renamed)


def changed(**values: object) -> dict[str, Any]:
    """Return the documents with another property of the first finding."""
    made = copy.deepcopy(documents())
    made["findings.geojson"]["features"][0]["properties"].update(values)
    return made
