"""``serayu vision export CHECKPOINT.pt``: weights that run without torch, and their entry in the manifest."""

import contextlib
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from serayu.models.command import emit, reported
from serayu.vision.evaluate.dataset import Dataset, read_dataset
from serayu.vision.export.checkpoint import Exported, export_onnx
from serayu.vision.export.int8 import CALIBRATION_PICTURES, quantise
from serayu.vision.export.judge import Judged, drawn, judge
from serayu.vision.export.shelf import digest, put, weights_file
from serayu.vision.runtime.manifest import ThresholdChoice, WeightsEntry, WeightsFile
from serayu.vision.runtime.network import Precision, Runtime, cores, open_network
from serayu.vision.runtime.pictures import read_picture
from serayu.vision.runtime.scale import Scale
from serayu.vision.runtime.tiled import TiledDetector
from serayu.vision.runtime.weights import weights_folder

app = typer.Typer()

MOST_LOSS = 0.5
"""Points of F1 or mAP50 that 8 bit may cost."""


@app.command("export")
@reported()
def run(
    checkpoint: Annotated[Path, typer.Argument(help="checkpoint .pt")],
    name: Annotated[str, typer.Option(help="nama bobot · name of the weights")],
    data: Annotated[
        Path, typer.Option(help="data.yaml untuk ambang dan kalibrasi · for threshold, calibration")
    ],
    licence: Annotated[str, typer.Option(help="lisensi bobot · licence of the weights")] = "AGPL-3.0",
    split: Annotated[str, typer.Option(help="bagian data latih · train-side split")] = "train",
    pictures: Annotated[
        int, typer.Option(min=1, help="gambar untuk ambang · pictures for the threshold")
    ] = 400,
    imgsz: Annotated[int | None, typer.Option(help="sisi masukan, px · side of the input")] = None,
    tile: Annotated[
        int | None, typer.Option(help="sisi gambar latih, px · side of training pictures")
    ] = None,
    margin: Annotated[
        int,
        typer.Option(
            min=0, help="tepi abu-abu di sekeliling gambar, px masukan · grey margin, px of the input"
        ),
    ] = 16,
    gsd: Annotated[float | None, typer.Option(help="mm per px masukan · mm per px of the input")] = None,
    gsd_range: Annotated[
        tuple[float, float] | None, typer.Option(help="rentang gsd tanpa penskalaan · gsd looked at as it is")
    ] = None,
    gsd_also: Annotated[
        list[float] | None,
        typer.Option(help="dilihat lagi pada mm per px · looked at once more at, mm per px"),
    ] = None,
    threshold_also: Annotated[
        float, typer.Option(min=0, max=1, help="nilai terendah di situ · least score there")
    ] = 0.0,
    restriction: Annotated[str | None, typer.Option(help="batas pemakaian · restriction")] = None,
    card: Annotated[str | None, typer.Option(help="kartu model · model card")] = None,
    commit: Annotated[str | None, typer.Option(help="commit pelatihan · commit of the training")] = None,
    int8: Annotated[bool, typer.Option(help="coba INT8 · try INT8")] = True,
    folder: Annotated[Path | None, typer.Option(help="folder bobot · folder of weights")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Jadikan bobot yang berjalan tanpa torch · Make weights that run without torch."""
    whole = read_dataset(data, split=split)
    dataset = drawn(whole, most=pictures)
    scale = Scale(gsd_mm=gsd, gsd_range_mm=gsd_range, tile_px=tile, margin_px=margin)
    with (
        contextlib.redirect_stdout(sys.stderr),  # what the libraries tell is not the command's one document
        tempfile.TemporaryDirectory(prefix="serayu-export-") as place,
    ):
        exported = export_onnx(checkpoint, Path(place) / f"{name}.onnx", input_px=imgsz, margin_px=margin)
        full = _judged(exported, None, scale, dataset)
        files: tuple[Path, ...] = (exported.file,)
        quantised: Judged | None = None
        if int8:
            some = drawn(dataset, most=CALIBRATION_PICTURES)
            images = [read_picture(sample.image, upright=True) for sample in some.samples]
            for float_head in (False, True):
                made = quantise(
                    exported.file,
                    Path(place) / f"{name}-int8.xml",
                    images,
                    scale=scale,
                    float_head=float_head,
                )
                quantised = _judged(exported, made[0], scale, dataset)
                if quantised.points_below(full) <= MOST_LOSS:
                    files += made
                    break
        choice = ThresholdChoice(
            f1=round(full.choice.f1, 3),
            pictures=full.pictures,
            whole=len(whole.samples),
            split=dataset.split,
            learnt=dataset.split == "train",
        )
        entry = WeightsEntry(
            name=name,
            task=exported.task,
            file=exported.file.name,
            sha256=digest(exported.file),
            int8=_told(files[1:]),
            licence=licence,
            restriction=restriction,
            classes=exported.classes,
            input_px=exported.input_px,
            gsd_mm=gsd,
            gsd_range_mm=gsd_range,
            tile_px=tile,
            margin_px=margin,
            also_gsd_mm=tuple(gsd_also or ()),
            also_threshold=threshold_also,
            threshold=full.choice.threshold,
            threshold_source=choice.said("en"),
            threshold_choice=choice,
            training_commit=commit,
            card=card,
        )
        put(entry, files, folder=folder or weights_folder())
    document = {
        "entry": entry,
        "full": full,
        "int8": quantised,
        "int8_kept": len(files) > 1,
    }
    emit(document, as_json=as_json, output=output)


def _judged(exported: Exported, int8_file: Path | None, scale: Scale, dataset: Dataset) -> Judged:
    """Return what a network reaches: in fp32, or in 8 bit where its file is given."""
    precision = Precision.FP32 if int8_file is None else Precision.INT8
    network = open_network(
        exported.file, int8_file=int8_file, runtime=Runtime.OPENVINO, precision=precision, threads=cores()
    )
    with TiledDetector(
        network, weights="export", classes=exported.classes, threshold=0.5, scale=scale, threads=cores()
    ) as detector:
        return judge(detector, dataset)


def _told(files: tuple[Path, ...]) -> tuple[WeightsFile, ...]:
    return tuple(weights_file(file) for file in files)
