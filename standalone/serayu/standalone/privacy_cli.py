"""``serayu privacy export | erase``: what is kept of one person, and how it is forgotten (UU 27/2022)."""

from typing import Annotated, Any

import typer

from serayu.models.command import emit, reported
from serayu.models.delivery.delivery import delivery_document
from serayu.models.delivery.recipient import Recipient
from serayu.models.errors import BadInputError, NotFoundError
from serayu.models.times import SystemClock, rfc3339
from serayu.standalone.delivery_place import (
    ACTOR,
    DataOption,
    JsonOption,
    OutputOption,
    Place,
    RegionOption,
    RegisterOption,
    WhoArgument,
    consent_document,
    given,
    opened,
    recipient_document,
)
from serayu.standalone.recipients_cli import attempt_documents

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Data pribadi penerima · Personal data of recipients")
EVERYTHING = 1_000_000


@app.callback()
def _privacy() -> None:
    """Tangani data pribadi penerima · Handle personal data of recipients."""


@app.command()
@reported()
def export(
    who: WhoArgument,
    region: RegionOption = None,
    data: DataOption = None,
    register_url: RegisterOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Semua yang disimpan tentang satu nomor atau penerima · Everything kept of one number or recipient."""
    with opened(region, data, register_url) as place:
        found = place.find(given(who))
        document = {
            "exported": rfc3339(SystemClock().now_us()),
            "region": place.region.code,
            "recipients": [_everything(place, one) for one in found],
        }
    emit(document, as_json=as_json, output=output)


@app.command()
@reported()
def erase(
    who: WhoArgument,
    yes: Annotated[bool, typer.Option("--yes", help="sungguh hapus · really erase")] = False,
    region: RegionOption = None,
    data: DataOption = None,
    register_url: RegisterOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Lupakan nomor dan nama; catatan kiriman tinggal tanpa nama · Forget number and name, keep the bare log."""
    if not yes:
        raise BadInputError("this cannot be undone; say --yes", field="--yes")
    with opened(region, data, register_url) as place:
        document = _erase(place, given(who))
    lines = f"{len(document['erased'])} penerima dihapus · recipients erased"
    emit(document, as_json=as_json, output=output, text=lines)


def _erase(place: Place, who: str) -> dict[str, Any]:
    """Erase every recipient of a number, and the number where it stands in the log alone."""
    now_us = SystemClock().now_us()
    forgotten = place.register.forget_number(place.region.code, who, place.vault)
    try:
        found = place.find(who)
    except NotFoundError:
        if not forgotten:
            raise
        found = []
    erased = [place.register.erase_recipient(one.id, now_us=now_us, actor=ACTOR) for one in found]
    return {"erased": [recipient_document(place, one) for one in erased], "log_entries": forgotten}


def _everything(place: Place, recipient: Recipient) -> dict[str, Any]:
    """Return all that is kept of a recipient, the address in clear: it is for the person."""
    address = place.register.address(recipient.id, place.vault)
    consents = place.register.consents(place.region.code, recipient_id=recipient.id)
    deliveries = place.register.deliveries(recipient_id=recipient.id, limit=EVERYTHING)
    return {
        **recipient_document(place, recipient),
        "address": None if address is None else address.target,
        "consents": [consent_document(one) for one in consents],
        "deliveries": [
            {**delivery_document(one), "log": attempt_documents(place, one.id)} for one in deliveries
        ],
    }
