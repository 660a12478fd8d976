"""The first run makes one key per role and a link per field, and writes them where only the owner can read."""

import json
import logging
import os
from pathlib import Path

from serayu.models.access import Role
from serayu.models.region import Region
from serayu.models.station import StationKind
from serayu.models.stores.register import Register
from serayu.models.times import SystemClock

__all__ = ["KEYS_FILE", "first_keys"]

log = logging.getLogger(__name__)
KEYS_FILE = "keys.json"
ACTOR = "first run"


def first_keys(register: Register, region: Region, folder: Path) -> Path | None:
    """Make the first keys of a region that has none.

    Parameters
    ----------
    register
        Keeps hashes only.
    region
        Whose keys; each field station gets a link, and the farmer's key belongs to all of them.
    folder
        Where ``keys.json`` (mode 0600) is written; the secrets are there and nowhere else.

    Returns
    -------
    Path or None
        The file; None where there are keys already.
    """
    if register.keys(region.code):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    file, draft = folder / KEYS_FILE, folder / f".{KEYS_FILE}.new"
    try:
        # Also keeps a second api that starts at the same moment from making keys.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        log.warning("another process makes the first keys, or died at it: see %s", draft)
        return None
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(_make(register, region), stream, indent=2)
        stream.write("\n")
    draft.replace(file)
    log.warning("made the first keys: %s", file)
    return file


def _make(register: Register, region: Region) -> dict[str, object]:
    now_us = SystemClock().now_us()
    fields = [station.id for station in region.stations.values() if station.kind is StationKind.FIELD]
    keys = {
        role.value: register.create_key(
            region.code,
            f"kunci awal {role.value}",
            role,
            now_us=now_us,
            stations=fields if role is Role.FARMER else (),
            actor=ACTOR,
        ).secret
        for role in Role
    }
    links = {
        station: "/sawah/"
        + register.create_field_token(
            region.code, station, label=region.stations[station].name, now_us=now_us, actor=ACTOR
        ).token
        for station in fields
    }
    return {"region": region.code, "keys": keys, "fields": links}
