"""``serayu vision card``: measure weights on every domain and write their model card."""

from pathlib import Path
from typing import Annotated, Any

import typer

from serayu.models.command import emit, reported, write_atomically
from serayu.models.errors import BadInputError
from serayu.vision.evaluate.dataset import read_dataset
from serayu.vision.evaluate.evaluation import evaluate
from serayu.vision.evaluate.report import Source, document
from serayu.vision.runtime.manifest import read_manifest
from serayu.vision.runtime.weights import load_detector, weights_folder
from serayu.vision.training.calibration import Calibration, calibration
from serayu.vision.training.card import Domain, card_text
from serayu.vision.training.config import read_config
from serayu.vision.training.record import read_record

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
@reported()
def card(
    config: Annotated[Path, typer.Argument(help="TOML pelatihan · Configuration of the training")],
    domain: Annotated[
        list[str], typer.Option(help="nama=DATA.yaml[:split][=kalimat] · a domain to measure on; repeat")
    ],
    weights: Annotated[str | None, typer.Option(help="Bobot di manifes · Weights of the manifest")] = None,
    baseline: Annotated[str | None, typer.Option(help="Pembanding · Weights to compare with")] = None,
    record: Annotated[
        Path | None, typer.Option(help="record.json pelatihan · Record of the training")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Angka sebagai JSON · The figures as JSON")] = False,
    output: Annotated[Path | None, typer.Option(help="Kartu (.md) · The card")] = None,
) -> None:
    """Ukur bobot lalu tulis kartu modelnya · Measure weights and write their model card."""
    plan, _ = read_config(config)
    name = weights or plan.name
    folder = weights_folder()
    entry = read_manifest(folder).entry(name, folder=folder)
    domains = [_measured(one, name, baseline) for one in domain]
    text = card_text(plan, entry, domains, record=read_record(record) if record else None)
    if output is not None:
        write_atomically(output, text)
    figures = {
        one.name: {**one.report, "calibration": one.calibration, "baseline": one.baseline} for one in domains
    }
    emit(figures, as_json=as_json, text=text if output is None else str(output))


def _measured(words: str, weights: str, baseline: str | None) -> Domain:
    """Measure weights, and the baseline, on one domain."""
    name, data, sentence = [*words.split("=", 2), "", ""][:3]
    place, _, split = data.rpartition(":")
    if not place:
        place, split = data, "val"
    if not name or not place:
        raise BadInputError(
            f"expected name=DATA.yaml or name=DATA.yaml:split, not {words!r}", field="--domain"
        )
    report, scores = _figures(weights, Path(place), split)
    other = _figures(baseline, Path(place), split)[0] if baseline else None
    return Domain(name, sentence, report, other, scores)


def _figures(weights: str, data: Path, split: str) -> tuple[dict[str, Any], Calibration]:
    """Return the evaluation document of weights, and how far their scores can be believed."""
    dataset = read_dataset(data, split=split)
    with load_detector(weights) as detector:
        done = evaluate(detector, dataset, threshold=detector.threshold)
        source = Source(
            task="segment" if detector.has_masks else "detect",
            weights=weights,
            sha256="",
            threshold_source="",
            runtime=detector.name.rpartition(" ")[2],
            data=data.name,
            split=split,
        )
    scores = calibration(pairs for picture in done.pictures for pairs in picture.every.values())
    return document(done, source), scores
