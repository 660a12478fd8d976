"""``serayu keys create | revoke | list``: keys of the api and links to field pages; a secret is shown once."""

import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from serayu.api.cli import settings_from
from serayu.models.access import ApiKey, FieldToken, Role
from serayu.models.command import emit, reported
from serayu.models.errors import BadInputError
from serayu.models.places import default_data_dir, default_region
from serayu.models.region import Region, load_region
from serayu.models.station import StationKind
from serayu.models.stores.register import Register, upgrade
from serayu.models.times import SystemClock, rfc3339

__all__ = ["app"]

app = typer.Typer(help="Kunci dan alamat sawah / keys and field links", no_args_is_help=True)

RegionOption = Annotated[Path | None, typer.Option("--region", help="Region folder.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="folder data · data folder")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
OutputOption = Annotated[Path | None, typer.Option("--output", help="File that gets the document.")]
ACTOR = "command line"


@app.command()
@reported()
def create(
    role: Annotated[Role | None, typer.Option(help="What the key may do.")] = None,
    station: Annotated[list[str] | None, typer.Option(help="A farmer's own station; repeat it.")] = None,
    name: Annotated[str, typer.Option(help="Whose key it is.")] = "",
    field: Annotated[bool, typer.Option("--field", help="Make links to the stations' field pages.")] = False,
    region: RegionOption = None,
    data_dir: DataOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Make a key, or links to field pages, and print the secret: it cannot be shown again."""
    place, register = _open(region, data_dir)
    own = station or []
    with register:
        if field:
            made = [_link(register, place, one, name) for one in _fields(place, own)]
            emit({"links": made}, as_json=as_json, output=output, text="\n".join(m["path"] for m in made))
            return
        if role is None:
            raise BadInputError("expected --role, or --field with --station", field="--role")
        document = _key(register, place, role, own, name)
        emit(document, as_json=as_json, output=output, text=document["secret"])


@app.command()
@reported()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of a key or field link, from `serayu keys list`.")],
    region: RegionOption = None,
    data_dir: DataOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Make a key or a field link invalid for ever."""
    place, register = _open(region, data_dir)
    now_us = SystemClock().now_us()
    with register:
        is_link = any(link.id == key_id for link in register.field_tokens(place.code))
        end = register.revoke_field_token if is_link else register.revoke_key
        document = _listed(end(key_id, now_us=now_us, actor=ACTOR))
    emit(document, as_json=as_json, output=output, text=f"{key_id} revoked")


@app.command("list")
@reported()
def list_(
    region: RegionOption = None,
    data_dir: DataOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """List keys and field links, without their secrets."""
    place, register = _open(region, data_dir)
    with register:
        keys = [_listed(key) for key in register.keys(place.code)]
        links = [_listed(link) for link in register.field_tokens(place.code)]
    lines = [f"{k['id']}  {k['role']:8}  {k['name']}{_revoked(k)}" for k in keys]
    lines += [f"{k['id']}  field     {k['station']}  {k['label']}{_revoked(k)}" for k in links]
    emit({"keys": keys, "links": links}, as_json=as_json, output=output, text="\n".join(lines) or "no keys")


def _open(region: Path | None, data_dir: Path | None) -> tuple[Region, Register]:
    """Open the register that `serayu up` uses with the same options, or that SERAYU_API_* name."""
    folder = region or Path(os.environ.get("SERAYU_API_REGION") or default_region())
    place = load_region(folder)
    if data_dir is None and not os.environ.get("SERAYU_API_DATA_DIR"):
        data_dir = default_data_dir(place.code)
    settings = settings_from(region=folder, data_dir=data_dir)
    if settings.register_url is None and not settings.data_dir.is_dir():
        raise BadInputError(
            "no data here; `serayu up` makes it, --data names another", file=settings.data_dir
        )
    upgrade(settings.register)
    return place, Register(settings.register)


def _key(register: Register, region: Region, role: Role, stations: list[str], name: str) -> dict[str, Any]:
    if role is Role.FARMER and not stations:
        raise BadInputError("a farmer's key needs the farmer's own stations", field="--station")
    if role is not Role.FARMER and stations:
        raise BadInputError("only a farmer's key has own stations", field="--station")
    for one in stations:
        region.station(one)
    made = register.create_key(
        region.code,
        name or role.value,
        role,
        now_us=SystemClock().now_us(),
        stations=stations,
        actor=ACTOR,
    )
    return {"secret": made.secret, **_listed(made.key)}


def _fields(region: Region, stations: list[str]) -> list[str]:
    if not stations:
        raise BadInputError("expected the field's station", field="--station")
    for one in stations:
        if region.station(one).kind is not StationKind.FIELD:
            raise BadInputError(f"{one!r} is not a field", field="--station")
    return stations


def _link(register: Register, region: Region, station: str, label: str) -> dict[str, Any]:
    made = register.create_field_token(
        region.code,
        station,
        label=label or region.station(station).name,
        now_us=SystemClock().now_us(),
        actor=ACTOR,
    )
    return {"path": f"/sawah/{made.token}", **_listed(made.record)}


def _listed(record: ApiKey | FieldToken) -> dict[str, Any]:
    """Return a record with times as RFC 3339."""
    said: dict[str, Any] = msgspec.to_builtins(record)
    for name in [name for name in said if name.endswith("_us")]:
        at_us = said.pop(name)
        said[name.removesuffix("_us")] = None if at_us is None else rfc3339(at_us)
    return said


def _revoked(said: dict[str, Any]) -> str:
    return "" if said["revoked"] is None else f"  (revoked {said['revoked']})"
