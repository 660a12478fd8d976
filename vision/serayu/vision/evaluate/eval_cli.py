"""``serayu vision eval``: how good weights are on pictures with labels."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from serayu.models.command import emit, reported
from serayu.models.errors import BadInputError
from serayu.vision.evaluate.dataset import read_dataset
from serayu.vision.evaluate.evaluation import evaluate
from serayu.vision.evaluate.report import Source, document, text
from serayu.vision.evaluate.source import source_of
from serayu.vision.runtime.network import Precision, Runtime
from serayu.vision.runtime.weights import load_detector

app = typer.Typer()


@app.command("eval")
@reported()
def run(
    data: Annotated[Path, typer.Option(help="data.yaml YOLO")],
    weights: Annotated[
        str, typer.Option(help="nama bobot atau berkas .onnx · name of weights or a file")
    ] = "road",
    split: Annotated[str, typer.Option(help="bagian data · split")] = "val",
    runtime: Annotated[Runtime | None, typer.Option(help="pustaka · library")] = None,
    precision: Annotated[Precision | None, typer.Option(help="ketelitian angka · numbers")] = None,
    tile: Annotated[int | None, typer.Option(help="sisi petak, px gambar · side of a tile, px")] = None,
    gsd: Annotated[
        float | None, typer.Option(help="jarak piksel di tanah, mm · ground sampling distance")
    ] = None,
    scenes: Annotated[
        bool, typer.Option(help="kenali gambar lokasi yang sama · tell pictures of one scene")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Nilai bobot pada gambar berlabel; tidak menyetel apa pun · Evaluate weights; nothing is tuned."""
    if gsd is not None and not gsd > 0:
        raise BadInputError(f"must be above 0 mm, not {gsd}", field="gsd")
    dataset = read_dataset(data, split=split)
    with load_detector(weights, runtime=runtime, precision=precision, tile_px=tile) as detector:
        evaluation = evaluate(
            detector,
            dataset,
            threshold=detector.threshold,
            gsd_mm=gsd,
            by_scene=scenes,
            progress=_progress if sys.stderr.isatty() else None,
        )
        known = source_of(weights)
        source = Source(
            task="segment" if detector.has_masks else "detect",
            weights=weights,
            sha256=known.sha256,
            threshold_source=known.threshold_source,
            runtime=detector.name.rpartition(" ")[2],
            data=str(data),
            split=split,
        )
    report = document(evaluation, source)
    emit(report, as_json=as_json, output=output, text=text(report))


def _progress(done: int, whole: int) -> None:
    end = "\n" if done == whole else ""
    sys.stderr.write(f"\r{done}/{whole}{end}")
    sys.stderr.flush()
