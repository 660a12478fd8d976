"""``serayu recipients``: who is told of alerts, by which channel; addresses are shown masked."""

import ipaddress
import secrets
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from serayu.ingest.channels.addresses import is_public
from serayu.models.command import emit, reported
from serayu.models.delivery.delivery import DeliveryState, attempt_document, delivery_document
from serayu.models.delivery.inbound import make_inbound_secret
from serayu.models.delivery.recipient import Address, Audience, Channel, QuietHours, Recipient
from serayu.models.delivery.settings import minutes_of_day
from serayu.models.errors import BadInputError, ConflictError
from serayu.models.siaga_levels import Siaga
from serayu.models.texts import LANGUAGES
from serayu.models.times import SystemClock
from serayu.models.uuid7 import uuid7
from serayu.models.warning.bulletin import Hazard
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

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Penerima peringatan · Recipients of warnings")
SECRET_BYTES = 32
_NOT_TOLD = {
    "erased": "terhapus · erased",
    "stopped": "berhenti · stopped",
    "not-opted-in": "BELUM SETUJU, tidak dikabari · NOT OPTED IN, not told",
    "no-gateway": "TANPA GERBANG, tidak dikabari · NO GATEWAY, not told",
}


@app.callback()
def _recipients() -> None:
    """Penerima peringatan · Recipients of warnings."""


@app.command()
@reported()
def add(
    channel: Channel,
    address: Annotated[
        str,
        typer.Argument(
            metavar="ALAMAT|-", help="URL atau nomor; - membaca masukan · URL or number; - reads stdin"
        ),
    ],
    name: Annotated[str, typer.Option(help="sebutan, misalnya Piket BPBD · label, e.g. a duty desk")],
    audience: Annotated[
        Audience, typer.Option(help="publik atau instansi · public or agency")
    ] = Audience.AGENCY,
    language: Annotated[list[str] | None, typer.Option(help=f"{', '.join(LANGUAGES)}")] = None,
    hazard: Annotated[list[Hazard] | None, typer.Option(help="hanya bahaya ini · only this hazard")] = None,
    lowest: Annotated[str, typer.Option(help="waspada, siaga, awas")] = Siaga.WASPADA.value,
    station: Annotated[list[str] | None, typer.Option(help="hanya pos ini · only this post")] = None,
    quiet: Annotated[
        str | None, typer.Option(help="jam tenang sendiri · own quiet hours, e.g. 22:00-05:00")
    ] = None,
    step: Annotated[int, typer.Option(min=0, help="tingkat eskalasi · escalation step")] = 0,
    opt_in: Annotated[str | None, typer.Option(help="setuju lewat apa · by which way it opted in")] = None,
    allow_private: Annotated[
        bool, typer.Option(help="izinkan jaringan privat · allow a private network")
    ] = False,
    region: RegionOption = None,
    data: DataOption = None,
    register_url: RegisterOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Tambah penerima; rahasia webhook tampil sekali · Add a recipient; a webhook's secret is shown once."""
    secret = secrets.token_urlsafe(SECRET_BYTES) if channel is Channel.WEBHOOK else None
    target = _target(channel, given(address))
    if not allow_private:
        _refuse_private(target)
    with opened(region, data, register_url) as place:
        for one in station or []:
            place.region.station(one)
        now_us = SystemClock().now_us()
        new = Recipient(
            id=uuid7(now_us),
            region=place.region.code,
            name=name,
            audience=audience,
            channel=channel,
            languages=_languages(language),
            hazards=tuple(hazard or ()),
            lowest=_level(lowest),
            stations=tuple(station or ()),
            quiet=_quiet(quiet),
            step=step,
            allow_private=allow_private,
            created_us=now_us,
        )
        try:
            place.register.add_recipient(new, Address(target, secret), place.vault, actor=ACTOR)
        except ConflictError as error:
            (same,) = (one for one in place.find(target) if one.channel is channel)
            raise ConflictError(f"{error}, as {same.id}: {_instead(same.id)}") from None
        if opt_in is not None:
            new = place.register.opt_in(new.id, source=opt_in, now_us=now_us)
        document = {**recipient_document(place, new), "secret": secret}
    emit(document, as_json=as_json, output=output, text=_added(document))


@app.command("list")
@reported()
def list_(
    everything: Annotated[bool, typer.Option("--all", help="juga yang berhenti · stopped ones too")] = False,
    region: RegionOption = None,
    data: DataOption = None,
    register_url: RegisterOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Daftar penerima, alamat disamarkan · List recipients, addresses masked."""
    with opened(region, data, register_url) as place:
        found = place.register.recipients(place.region.code, stopped=everything)
        documents = [recipient_document(place, one) for one in found]
    lines = "\n".join(map(_line, documents)) or "tidak ada penerima · no recipients"
    emit({"recipients": documents}, as_json=as_json, output=output, text=lines)


@app.command("opt-in")
@reported()
def opt_in(
    who: WhoArgument,
    source: Annotated[str, typer.Option(help="lewat apa · by which way, e.g. formulir 12")],
    region: RegionOption = None,
    data: DataOption = None,
    register_url: RegisterOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Catat persetujuan · Note that somebody wants to be told."""
    with opened(region, data, register_url) as place:
        now_us = SystemClock().now_us()
        found = place.find(given(who))
        done = [place.register.opt_in(one.id, source=source, now_us=now_us) for one in found]
        _report(place, done, as_json=as_json, output=output)


@app.command()
@reported()
def stop(
    who: WhoArgument,
    source: Annotated[str, typer.Option(help="lewat apa · by which way, e.g. sms:BERHENTI")],
    region: RegionOption = None,
    data: DataOption = None,
    register_url: RegisterOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Catat BERHENTI: tidak dikabari lagi · Note that somebody wants to be told no more."""
    with opened(region, data, register_url) as place:
        now_us = SystemClock().now_us()
        found = place.find(given(who))
        done = [place.register.opt_out(one.id, source=source, now_us=now_us) for one in found]
        _report(place, done, as_json=as_json, output=output)


@app.command()
@reported()
def remove(
    who: WhoArgument,
    region: RegionOption = None,
    data: DataOption = None,
    register_url: RegisterOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Hapus penerima dan alamatnya; catatan kiriman tinggal tanpa nama · Remove a recipient and its address."""
    with opened(region, data, register_url) as place:
        now_us = SystemClock().now_us()
        found = place.find(given(who))
        done = [place.register.erase_recipient(one.id, now_us=now_us, actor=ACTOR) for one in found]
        _report(place, done, as_json=as_json, output=output)


@app.command()
@reported()
def gateway(
    channel: Channel,
    url: Annotated[
        str, typer.Argument(metavar="URL|-", help="URL apprise dengan {number} · apprise URL with {number}")
    ],
    allow_private: Annotated[
        bool, typer.Option(help="izinkan jaringan privat · allow a private network")
    ] = False,
    region: RegionOption = None,
    data: DataOption = None,
    register_url: RegisterOption = None,
) -> None:
    """Gerbang SMS atau WhatsApp · Set the gateway of phone numbers; it is kept encrypted."""
    target = given(url)
    if not allow_private:
        _refuse_private(target)
    with opened(region, data, register_url) as place:
        place.register.set_gateway(
            place.region.code, channel, target, place.vault, allow_private=allow_private
        )
    typer.echo(f"{channel.value}: gerbang disimpan · gateway kept")


@app.command()
@reported()
def inbound(
    region: RegionOption = None, data: DataOption = None, register_url: RegisterOption = None
) -> None:
    """Rahasia baru bagi gerbang yang meneruskan BERHENTI · New secret for the gateway that passes BERHENTI on."""
    with opened(region, data, register_url) as place:
        secret = make_inbound_secret(place.folder)
    typer.echo(f"rahasia, tampil sekali · secret, shown once: {secret}")


@app.command()
@reported()
def log(
    who: Annotated[
        str | None, typer.Argument(metavar="[NOMOR|ID]", help="semua jika kosong · all without")
    ] = None,
    state: Annotated[DeliveryState | None, typer.Option(help="misalnya dead · e.g. dead letters")] = None,
    limit: Annotated[int, typer.Option(min=1, help="paling banyak · at most")] = 100,
    region: RegionOption = None,
    data: DataOption = None,
    register_url: RegisterOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Siapa dikabari apa, dengan setiap percobaan · Who was told what, with every attempt."""
    with opened(region, data, register_url) as place:
        ids = [None] if who is None else [one.id for one in place.find(given(who))]
        names = {one.id: one.name for one in place.register.recipients(place.region.code, stopped=True)}
        documents = [
            {
                **delivery_document(one),
                "recipient_name": names.get(one.recipient_id) or None,
                "log": attempt_documents(place, one.id),
            }
            for recipient_id in ids
            for one in place.register.deliveries(
                place.region.code, recipient_id=recipient_id, state=state, limit=limit
            )
        ]
        counts = {
            one.value: count for one, count in place.register.delivery_counts(place.region.code).items()
        }
    emit(
        {"counts": counts, "deliveries": documents},
        as_json=as_json,
        output=output,
        text="\n".join(map(_delivered, documents)) or "belum ada kiriman · no deliveries",
    )


@app.command()
@reported()
def retry(region: RegionOption = None, data: DataOption = None, register_url: RegisterOption = None) -> None:
    """Coba lagi kiriman yang ditolak · Try dead letters of bulletins in force again."""
    with opened(region, data, register_url) as place:
        now_us = SystemClock().now_us()
        count = place.register.requeue_dead(place.region.code, rules_us=now_us, now_us=now_us)
    typer.echo(f"{count} kiriman diantrekan lagi · deliveries queued again")


def attempt_documents(place: Place, delivery_id: str) -> list[dict[str, Any]]:
    """Return the attempts of a delivery as JSON objects."""
    return [attempt_document(one) for one in place.register.attempts(delivery_id)]


def _target(channel: Channel, address: str) -> str:
    if channel is Channel.WEBHOOK and not address.startswith(("https://", "http://")):
        raise BadInputError("a webhook's address begins with https:// or http://", field="address")
    if channel is Channel.APPRISE and "://" not in address:
        raise BadInputError("expected an apprise URL", field="address")
    return address


def _refuse_private(target: str) -> None:
    """Refuse an address by number that no delivery would go to; names are looked up when they are used.

    Raises
    ------
    BadInputError
        The host is an address that is not on the public internet; the message does not repeat it.
    """
    try:
        host = urlsplit(target).hostname
        public = host != "localhost" and is_public(ipaddress.ip_address(host or ""))
    except ValueError:  # a name, or a service's token
        return
    if not public:
        raise BadInputError(
            "not a public address, so nothing would be delivered; "
            "--allow-private lets one in your own network be told",
            field="address",
        )


def _instead(recipient_id: str) -> str:
    return f"serayu recipients opt-in {recipient_id} --source … notes that it wants to be told"


def _languages(given_ones: list[str] | None) -> tuple[str, ...]:
    for one in given_ones or []:
        if one not in LANGUAGES:
            raise BadInputError(f"expected one of {', '.join(LANGUAGES)}, not {one!r}", field="--language")
    return tuple(given_ones or LANGUAGES[:1])


def _level(name: str) -> Siaga:
    levels = [one.value for one in Siaga if one is not Siaga.NORMAL]
    if name not in levels:
        raise BadInputError(f"expected one of {', '.join(levels)}, not {name!r}", field="--lowest")
    return Siaga(name)


def _quiet(span: str | None) -> QuietHours | None:
    if span is None:
        return None
    start, _, end = span.partition("-")
    try:
        return QuietHours(minutes_of_day(start.strip()), minutes_of_day(end.strip()))
    except ValueError as error:
        raise BadInputError(str(error), field="--quiet") from None


def _added(document: dict[str, Any]) -> str:
    lines = [_line(document)]
    if document["secret"] is not None:
        lines.append(f"rahasia, tampil sekali · secret, shown once: {document['secret']}")
    if document["not_told"] == "not-opted-in":
        lines.append(
            "belum setuju, jadi belum dikabari · not opted in, so not told yet: "
            f"serayu recipients opt-in {document['id']} --source …"
        )
    if document["not_told"] == "no-gateway":
        lines.append(
            "tanpa gerbang, jadi belum dikabari · no gateway, so not told yet: "
            f"serayu recipients gateway {document['channel']} URL"
        )
    return "\n".join(lines)


def _line(document: dict[str, Any]) -> str:
    marks = [_NOT_TOLD[document["not_told"]]] if document["not_told"] else []
    marks += ["setuju · opted in"] if document["opted_in"] and not document["not_told"] else []
    marks += ["jaringan privat boleh · private network allowed"] if document["allow_private"] else []
    about = f"{document['audience']:6} {document['channel']:8} {document['lowest']:7} step {document['step']}"
    shown = document["address"] or "-"
    return f"{document['id']}  {about}  {shown}  {document['name']}{''.join(f'  ({mark})' for mark in marks)}"


def _delivered(document: dict[str, Any]) -> str:
    about = f"{document['state']:8} {document['attempts']:3}  {document['recipient']}  {document['level']:7}"
    answers = [one["detail"] for one in document["log"][-1:]]
    why = [document["reason"]] if document["reason"] else []
    words = [document["recipient_name"] or "-", ": ".join([*why, *answers])]
    return f"{document['queued']}  {about}  {'  '.join(words)}".rstrip()


def _report(place: Place, done: list[Recipient], *, as_json: bool, output: Path | None) -> None:
    documents = [recipient_document(place, one) for one in done]
    consents = [
        consent_document(consent)
        for one in done
        for consent in place.register.consents(place.region.code, recipient_id=one.id)
    ]
    text = "\n".join(map(_line, documents))
    emit({"recipients": documents, "consents": consents}, as_json=as_json, output=output, text=text)
