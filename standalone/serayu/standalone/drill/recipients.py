"""Who is told in the demonstration: two desks by webhook, one after the other, and the public, which hears nothing."""

import secrets
from collections.abc import Iterator
from pathlib import Path

from serayu.models.delivery.recipient import Address, Audience, Channel, Recipient
from serayu.models.delivery.settings import DELIVERY_FILE
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.database import sqlite_url
from serayu.models.stores.register.vault import KEY_FILE, Vault
from serayu.models.times import SystemClock
from serayu.models.uuid7 import uuid7
from serayu.standalone.drill.receiver import Receiver

DESK, CHIEF, PUBLIC = "/piket", "/kepala", "public"
SECRET_BYTES = 32
NAMES = {DESK: "Piket (peragaan)", CHIEF: "Kepala (peragaan)"}
TIMERS = """\
# DIBUAT PERAGAAN · WRITTEN BY THE DEMONSTRATION
# Jam mana · which clock: retry and repeat run on the computer's, escalation, quiet hours and expiry on the storm's.

[repeat]
window = "0s"          # every change is told, so that each can be counted

[retry]                # wall time: a server that comes back comes back in real time
first = "0.5s"
most = "2s"

[escalation]           # storm time
lowest = "siaga"
after = ["20min"]
"""


def write_timers(region: Path) -> None:
    """Write the timers into the demonstration's own copy of a region folder."""
    (region / DELIVERY_FILE).write_text(TIMERS, encoding="utf-8")


def new_secrets() -> dict[str, str]:
    """Return a new secret for each desk."""
    return {path: secrets.token_urlsafe(SECRET_BYTES) for path in NAMES}


def add_recipients(data: Path, region: str, receiver: Receiver, keys: dict[str, str]) -> dict[str, str]:
    """Add the recipients; return their ids by path, that of the public by `PUBLIC`.

    Parameters
    ----------
    data
        The demonstration's data folder, with the register.
    region
        Region code.
    receiver, keys
        Where the desks' requests go, and their secrets. Only here a webhook may lie on this machine itself.
    """
    url = sqlite_url(data / "register.sqlite")
    upgrade(url)
    now_us = SystemClock().now_us()
    vault = Vault.open(data / KEY_FILE)
    with Register(url) as register:
        for path, recipient, address in _all(region, receiver, keys, now_us):
            register.add_recipient(recipient, address, vault, actor="demo")
            if path == PUBLIC:
                register.opt_in(recipient.id, source="demo", now_us=now_us)
        found = register.recipients(region)
    paths = {name: path for path, name in NAMES.items()} | {"Warga (peragaan)": PUBLIC}
    return {paths[one.name]: one.id for one in found}


def _all(
    region: str, receiver: Receiver, keys: dict[str, str], now_us: int
) -> Iterator[tuple[str, Recipient, Address]]:
    for step, path in enumerate((DESK, CHIEF)):
        desk = Recipient(
            id=uuid7(now_us),
            region=region,
            name=NAMES[path],
            audience=Audience.AGENCY,
            channel=Channel.WEBHOOK,
            step=step,
            allow_private=True,
            created_us=now_us,
        )
        yield path, desk, Address(receiver.url(path), keys[path])
    public = Recipient(
        id=uuid7(now_us),
        region=region,
        name="Warga (peragaan)",
        audience=Audience.PUBLIC,
        channel=Channel.LOG,
        created_us=now_us,
    )
    yield PUBLIC, public, Address("log")
