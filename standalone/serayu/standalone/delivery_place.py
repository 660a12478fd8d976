"""What the commands about recipients share: the register with its key file, and documents without addresses."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import typer

from serayu.models.delivery.phone import masked
from serayu.models.delivery.recipient import Consent, Recipient
from serayu.models.errors import BadInputError, NotFoundError
from serayu.models.places import default_data_dir, default_region
from serayu.models.region import Region, load_region
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.database import sqlite_url
from serayu.models.stores.register.vault import KEY_FILE, Vault
from serayu.models.times import rfc3339

RegionOption = Annotated[Path | None, typer.Option("--region", help="folder wilayah · region folder")]
DataOption = Annotated[Path | None, typer.Option("--data", help="folder data · data folder")]
RegisterOption = Annotated[
    str | None, typer.Option("--register-url", help="register di luar folder data · register elsewhere")
]
JsonOption = Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", help="tulis dokumen ke berkas · write the document to a file")
]
WhoArgument = Annotated[
    str,
    typer.Argument(
        metavar="NOMOR|ID|-",
        help="nomor, alamat atau id; - membaca masukan · number, address or id; - reads stdin",
    ),
]
ACTOR = "command line"


class Place(NamedTuple):
    """A region with its register, the key of its addresses, and its data folder."""

    region: Region
    register: Register
    vault: Vault
    folder: Path

    def find(self, who: str) -> list[Recipient]:
        """Return the recipients of an id, a phone number in any spelling, or an address.

        Raises
        ------
        NotFoundError
            There is none; the message does not repeat a number.
        """
        known = [one for one in self.register.recipients(self.region.code, stopped=True) if one.id == who]
        found = known or self.register.find_recipients(self.region.code, who, self.vault)
        if not found:
            raise NotFoundError("no recipient of this number, address or id")
        return found


@contextmanager
def opened(region: Path | None, data: Path | None, register_url: str | None) -> Iterator[Place]:
    """Open the register that ``serayu up`` uses with the same options, or that SERAYU_INGEST_* name.

    Raises
    ------
    BadInputError
        There is no data folder, or the key file cannot be used.
    """
    place = load_region(region or Path(os.environ.get("SERAYU_INGEST_REGION") or default_region()))
    named = os.environ.get("SERAYU_INGEST_DATA_DIR")
    folder = data or (Path(named) if named else default_data_dir(place.code))
    if not folder.is_dir():
        raise BadInputError("no data here; `serayu up` makes it, --data names another", file=folder)
    url = (
        register_url or os.environ.get("SERAYU_INGEST_REGISTER_URL") or sqlite_url(folder / "register.sqlite")
    )
    upgrade(url)
    with Register(url) as register:
        yield Place(place, register, Vault.open(folder / KEY_FILE), folder)


def given(text: str) -> str:
    """Return an argument, or the first line of stdin for ``-``: what is typed there stays out of the shell's history.

    Raises
    ------
    BadInputError
        There is nothing.
    """
    value = (sys.stdin.readline() if text == "-" else text).strip()
    if not value:
        raise BadInputError("expected a number or an address", field="address")
    return value


def recipient_document(place: Place, recipient: Recipient) -> dict[str, Any]:
    """Return a recipient as a JSON object with its address masked, and why it would be told nothing."""
    address = place.register.address(recipient.id, place.vault)
    fields: dict[str, Any] = _with_times(msgspec.to_builtins(recipient))
    return {
        **fields,
        "address": None if address is None else masked(address.target),
        "may_be_told": recipient.may_be_told,
        "not_told": not_told(place, recipient),
    }


def not_told(place: Place, recipient: Recipient) -> str | None:
    """Return why a recipient is told nothing: erased, stopped, not-opted-in or no-gateway; None where it is told."""
    if recipient.erased_us is not None:
        return "erased"
    if recipient.stopped_us is not None:
        return "stopped"
    if not recipient.may_be_told:
        return "not-opted-in"
    phone = recipient.channel.is_phone
    if phone and place.register.gateway(place.region.code, recipient.channel, place.vault) is None:
        return "no-gateway"
    return None


def consent_document(consent: Consent) -> dict[str, Any]:
    """Return an opt-in or opt-out as a JSON object."""
    return _with_times(msgspec.to_builtins(consent))


def _with_times(fields: dict[str, Any]) -> dict[str, Any]:
    times = {name: value for name, value in fields.items() if name.endswith("_us")}
    plain = {name: value for name, value in fields.items() if name not in times}
    said = {name.removesuffix("_us"): None if at is None else rfc3339(at) for name, at in times.items()}
    return {**plain, **said}
