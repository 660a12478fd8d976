"""``serayu ingest``: run, back-fill, dead letters."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from serayu.ingest.backfill import backfill as backfill_file
from serayu.ingest.clock import LiveClock
from serayu.ingest.pipeline import Pipeline
from serayu.ingest.replay import replay
from serayu.ingest.run import run as run_ingest
from serayu.ingest.settings import IngestSettings
from serayu.models.command import emit, reported
from serayu.models.places import HOT_STORE, default_data_dir, default_region, existing_data_dir
from serayu.models.properties import OBSERVED_PROPERTIES
from serayu.models.region import load_region
from serayu.models.stores.dead_letters import KeptLetter
from serayu.models.stores.hot import HotStore
from serayu.models.times import rfc3339

app = typer.Typer(no_args_is_help=True, help="Terima, periksa, simpan · Receive, check, store")
letters_app = typer.Typer(
    no_args_is_help=True, help="Pesan yang tidak dapat disimpan · Messages that were not stored"
)
app.add_typer(letters_app, name="dead-letters")

RegionOption = Annotated[Path | None, typer.Option(help="folder wilayah · region folder; else Banyumas")]
DataOption = Annotated[Path | None, typer.Option(help="folder data · data folder; else serayu-data/<kode>")]
JsonOption = Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")]
OutputOption = Annotated[
    Path | None, typer.Option(help="tulis dokumen ke berkas · write the document to a file")
]


@app.command()
@reported()
def run(
    region: Annotated[Path | None, typer.Option(help="folder wilayah · region folder")] = None,
    data: Annotated[Path | None, typer.Option(help="folder data · data folder")] = None,
    store_only: Annotated[
        bool | None, typer.Option(help="hanya simpan · store only, alerts elsewhere")
    ] = None,
) -> None:
    """Layani sampai dihentikan; pengaturan lain dari SERAYU_INGEST_… · Serve until stopped."""
    given: dict[str, Any] = {"region": region, "data_dir": data, "store_only": store_only}
    run_ingest(settings=IngestSettings(**{name: value for name, value in given.items() if value is not None}))


@app.command()
@reported()
def backfill(
    file: Path,
    region: RegionOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Simpan isi CSV lewat jalur yang sama · Store a CSV file through the same path.

    Kolom · columns: station_id, property, time_utc (RFC 3339), value, unit. Properti · properties: stage, discharge,
    rain, soil-moisture, soil-temperature, ec, ph, air-temperature, humidity, count-mc, count-lv, count-hv, speed,
    occupancy, battery, signal; those that the station has in stations.geojson.
    """
    with _pipeline(region, data) as (pipeline, code):
        result = backfill_file(file, pipeline, region=code)
    document = result._asdict()
    counts = [f"{name} {count}" for name, count in document.items() if name != "first_reason"]
    emit(document, as_json=as_json, output=output, text=", ".join(counts))
    if result.rejected:
        typer.echo(
            f"ditolak · rejected: {result.rejected}; pertama · the first: {result.first_reason}\n"
            f"properti · properties: {', '.join(OBSERVED_PROPERTIES)}\n"
            "semua · all of them: serayu ingest dead-letters list",
            err=True,
        )
        raise typer.Exit(1)


@letters_app.command("list")
@reported()
def list_letters(
    region: RegionOption = None,
    data: DataOption = None,
    reason: Annotated[str | None, typer.Option(help="hanya alasan ini · only this reason")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 100,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Daftar pesan dengan alasannya · List the messages with their reasons."""
    folder = existing_data_dir(data, load_region(region or default_region()).code)
    with HotStore(folder / HOT_STORE) as store:
        letters = store.dead_letters.list(limit=limit, reason=reason)
        counts = store.dead_letters.counts()
    document = {"counts": counts, "letters": [_letter(letter) for letter in letters]}
    lines = [f"{one.id}  {one.count}×  {one.topic}  {one.reason}: {one.detail}" for one in letters]
    emit(document, as_json=as_json, output=output, text="\n".join(lines) or "(tidak ada · none)")


@letters_app.command("replay")
@reported()
def replay_letters(
    region: RegionOption = None,
    data: DataOption = None,
    reason: Annotated[str | None, typer.Option(help="hanya alasan ini · only this reason")] = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Coba simpan lagi, mis. setelah pos didaftarkan · Try again, e.g. after a station was registered."""
    folder = existing_data_dir(data, load_region(region or default_region()).code)
    with _pipeline(region, folder) as (pipeline, _), HotStore(folder / HOT_STORE) as store:
        document = replay(store, pipeline, reason=reason)._asdict()
    emit(document, as_json=as_json, output=output, text=", ".join(f"{k} {v}" for k, v in document.items()))


@contextmanager
def _pipeline(region: Path | None, data: Path | None) -> Iterator[tuple[Pipeline, str]]:
    loaded = load_region(region or default_region())
    with HotStore((data or default_data_dir(loaded.code)) / HOT_STORE) as store:
        yield Pipeline(store, loaded, LiveClock()), loaded.code


def _letter(letter: KeptLetter) -> dict[str, object]:
    return {
        "id": letter.id,
        "topic": letter.topic,
        "payload": letter.payload.decode("utf-8", "backslashreplace"),
        "reason": letter.reason,
        "detail": letter.detail,
        "first_received": rfc3339(letter.first_received_us),
        "last_received": rfc3339(letter.last_received_us),
        "count": letter.count,
        "replayed": None if letter.replayed_us is None else rfc3339(letter.replayed_us),
    }
