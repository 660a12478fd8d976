"""``serayu vision detect IMAGE…``: what a detector sees in pictures, in pixels."""

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from serayu.models.command import emit, reported
from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.runtime.found import Found
from serayu.vision.runtime.network import Precision, Runtime
from serayu.vision.runtime.pictures import drawn, read_picture, write_picture
from serayu.vision.runtime.tiled import TiledDetector
from serayu.vision.runtime.tiles import DEFAULT_OVERLAP
from serayu.vision.runtime.weights import load_detector

app = typer.Typer()

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})  # what is looked at in a folder that is given


@app.command()
@reported()
def detect(
    images: Annotated[
        list[Path], typer.Argument(help="gambar, atau folder JPEG/PNG · pictures, or folders of JPEG/PNG")
    ],
    weights: Annotated[
        str, typer.Option(help="nama bobot atau berkas .onnx · name of weights or a file")
    ] = "road",
    runtime: Annotated[Runtime | None, typer.Option(help="pustaka · library")] = None,
    precision: Annotated[Precision | None, typer.Option(help="ketelitian angka · numbers")] = None,
    threshold: Annotated[float | None, typer.Option(help="skor terendah · least score")] = None,
    tile: Annotated[int | None, typer.Option(help="sisi petak, px gambar · side of a tile, px")] = None,
    overlap: Annotated[
        float, typer.Option(help="bagian petak yang tumpang tindih · overlap")
    ] = DEFAULT_OVERLAP,
    gsd: Annotated[
        float | None, typer.Option(help="jarak piksel di tanah, mm · ground sampling distance")
    ] = None,
    annotate: Annotated[
        Path | None, typer.Option(help="folder untuk gambar bertanda · folder for annotated pictures")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Cari kerusakan pada gambar · Find defects in pictures.

    Gambar yang tidak terbaca dilampaui dan disebut · A picture that cannot be read is passed over and named.
    """
    if gsd is not None and not gsd > 0:
        raise BadInputError(f"must be above 0 mm, not {gsd}", field="gsd")
    images = _pictures(images)
    drawings = {} if annotate is None else _drawings(images, annotate)
    with load_detector(
        weights, runtime=runtime, precision=precision, threshold=threshold, tile_px=tile, overlap=overlap
    ) as detector:
        start = time.perf_counter()
        rows: list[dict[str, object]] = []
        skipped: list[BadInputError] = []
        for file, image, found in _looked(detector, images, gsd, skipped):
            rows.append(_row(file, image, found, detector.classes))
            if annotate is not None:
                annotate.mkdir(parents=True, exist_ok=True)
                write_picture(drawings[file], drawn(image, found, detector.classes))
        seconds = time.perf_counter() - start
        if not rows:
            raise BadInputError("; ".join(str(one) for one in skipped))
        document = {
            "detector": detector.name,
            "classes": detector.classes,
            "threshold": detector.threshold,
            "ms_per_image": round(seconds / len(rows) * 1000, 3),
            "images": rows,
            "skipped": [{"file": str(one.file), "reason": one.reason} for one in skipped],
        }
    for one in skipped:
        typer.echo(f"dilewati · skipped: {one.file}: {one.reason}", err=True)
    emit(document, as_json=as_json, output=output, text=_text(rows))


def _pictures(given: Iterable[Path]) -> list[Path]:
    """Return the files to look at: of a folder its JPEG and PNG pictures, by name."""
    files: list[Path] = []
    for one in given:
        if not one.is_dir():
            files.append(one)
            continue
        inside = sorted(file for file in one.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file())
        if not inside:
            raise BadInputError("folder tanpa gambar JPEG atau PNG · a folder without JPEG or PNG", file=one)
        files.extend(inside)
    return list(dict.fromkeys(files))


def _drawings(images: list[Path], folder: Path) -> dict[Path, Path]:
    """Return where each picture's drawing goes; refuse two that would lie over each other."""
    drawings = {file: folder / f"{file.stem}.jpg" for file in images}
    for place, count in Counter(drawings.values()).items():
        if count > 1:
            same = ", ".join(str(file) for file, drawing in drawings.items() if drawing == place)
            raise BadInputError(f"{same} would all be drawn here; look at them one by one", file=place)
    return drawings


def _looked(
    detector: TiledDetector, files: list[Path], gsd_mm: float | None, skipped: list[BadInputError]
) -> Iterator[tuple[Path, Image, Found]]:
    """Yield each picture with what is in it; the next is read while the cores look at one.

    Why a picture cannot be read is added to *skipped*.
    """
    read: deque[tuple[Path, Image]] = deque()

    def pictures() -> Iterator[tuple[Image, float | None]]:
        for file in files:
            try:
                image = read_picture(file, upright=False)
            except BadInputError as error:
                skipped.append(error)
                continue
            read.append((file, image))
            yield image, gsd_mm

    for found in detector.find_all(pictures()):
        file, image = read.popleft()
        yield file, image, found


def _row(file: Path, image: Image, found: Found, classes: tuple[str, ...]) -> dict[str, object]:
    return {
        "image": str(file),
        "width_px": image.shape[1],
        "height_px": image.shape[0],
        "detections": [
            {
                "class": classes[found.labels[row]],
                "score": round(float(found.scores[row]), 4),
                "xyxy_px": [round(float(side), 2) for side in found.xyxy_px[row]],
                "outlines_px": [ring.round(2).tolist() for ring in found.outlines_px[row]]
                if found.outlines_px
                else [],
            }
            for row in range(len(found))
        ],
    }


def _text(rows: list[dict[str, object]]) -> str:
    lines = []
    for row in rows:
        detections = row["detections"]
        assert isinstance(detections, list)  # noqa: S101 - made above
        counts = Counter(str(one["class"]) for one in detections)
        told = "  ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "(kosong · none)"
        lines.append(f"{row['image']}: {told}")
    return "\n".join(lines)
