"""Detectors by name: weights that Serayu carries, or a file of one's own."""

import sys
from pathlib import Path

import msgspec

import serayu.models
from serayu.models.errors import BadInputError
from serayu.vision.runtime.manifest import Manifest, WeightsEntry, read_manifest, verified
from serayu.vision.runtime.network import Precision, Runtime, cores, open_network
from serayu.vision.runtime.scale import Scale
from serayu.vision.runtime.settings import VisionSettings
from serayu.vision.runtime.tiled import TiledDetector
from serayu.vision.runtime.tiles import DEFAULT_OVERLAP

__all__ = ["DEFAULT_THRESHOLD", "available_weights", "is_file_name", "load_detector", "weights_folder"]

DEFAULT_THRESHOLD = 0.25
"""Of a file that has no manifest: ultralytics' own default."""

_OWN_FILES = frozenset({".onnx", ".xml", ".pt"})


def is_file_name(weights: str | Path) -> bool:
    """Return whether weights are named as a file of one's own, not as an entry of the manifest."""
    return Path(weights).suffix in _OWN_FILES


def weights_folder(settings: VisionSettings | None = None) -> Path:
    """Return the folder of weights: the one of the settings, else that which Serayu carries."""
    chosen = (settings or VisionSettings.read()).weights
    return chosen if chosen is not None else Path(next(iter(serayu.models.__path__))) / "weights"


def available_weights(settings: VisionSettings | None = None) -> Manifest:
    """Return the manifest without the weights that the settings remove.

    Raises
    ------
    BadInputError
        The manifest is absent or not valid.
    """
    settings = settings or VisionSettings.read()
    manifest = read_manifest(weights_folder(settings))
    if settings.research_weights:
        return manifest
    return msgspec.structs.replace(
        manifest, weights=tuple(one for one in manifest.weights if one.restriction is None)
    )


def load_detector(
    weights: str | Path,
    *,
    runtime: Runtime | str | None = None,
    precision: Precision | str | None = None,
    threshold: float | None = None,
    tile_px: int | None = None,
    overlap: float = DEFAULT_OVERLAP,
    settings: VisionSettings | None = None,
) -> TiledDetector:
    """Return a detector that is ready to look at pictures.

    A restriction of the weights is printed on stderr, in Indonesian and English.

    Parameters
    ----------
    weights
        A name of the manifest, or a file: ``.onnx``, or ``.xml`` of OpenVINO, as ultralytics exports it.
    runtime, precision
        Library and numbers; those of the settings when None. ``fp32`` computes the same on every machine with the
        same library.
    threshold
        Least score; the manifest's when None (0.25 for a file of one's own).
    tile_px
        Side of the square, in pixels of the pictures, that fills the network's input; by the ground sampling
        distances of picture and training when None.
    overlap
        Least share of a tile's side in common with the next, above 0 and at most 0.9.
    settings
        From the environment when None.

    Raises
    ------
    BadInputError
        There are no such weights, they were removed, changed or are no such network, or a value is outside its range.
    """
    settings = settings or VisionSettings.read()
    _check(threshold, tile_px, overlap)
    folder, own = weights_folder(settings), Path(weights)
    entry = None if is_file_name(own) else _entry(str(weights), settings)
    network = open_network(
        own if entry is None else verified(folder, entry.files()[0]),
        int8_file=None if entry is None else _int8(entry, folder),
        runtime=settings.runtime if runtime is None else Runtime(runtime),
        precision=settings.precision if precision is None else Precision(precision),
        threads=settings.threads,
    )
    if entry is None:
        classes = network.classes or _names(own)
        scale, least = Scale(forced_tile_px=tile_px), DEFAULT_THRESHOLD
    else:
        classes = entry.classes
        scale = Scale(
            gsd_mm=entry.gsd_mm,
            gsd_range_mm=entry.gsd_range_mm,
            tile_px=entry.tile_px,
            margin_px=entry.margin_px,
            also_gsd_mm=entry.also_gsd_mm,
            also_threshold=entry.also_threshold,
            forced_tile_px=tile_px,
        )
        least = entry.threshold
    return TiledDetector(
        network,
        weights=own.stem if entry is None else f"{entry.name} {entry.sha256[:12]}",
        classes=classes,
        threshold=least if threshold is None else threshold,
        scale=scale,
        overlap=overlap,
        threads=settings.threads or cores(),
    )


def _entry(name: str, settings: VisionSettings) -> WeightsEntry:
    folder = weights_folder(settings)
    entry = read_manifest(folder).entry(name, folder=folder)
    if entry.restricted is not None:
        if not settings.research_weights:
            raise BadInputError(
                f"weights {name!r} are removed by SERAYU_VISION_RESEARCH_WEIGHTS: {entry.restricted.both()}"
            )
        sys.stderr.write(f"{name}: {entry.restricted.both()}\n")
    return entry


def _int8(entry: WeightsEntry, folder: Path) -> Path | None:
    places = [verified(folder, one) for one in entry.int8]
    return places[0] if places else None


def _names(file: Path) -> tuple[str, ...]:
    from serayu.vision.runtime.onnx_network import names_in  # noqa: PLC0415 - heavy

    names = names_in(file) if file.suffix == ".onnx" else ()
    if not names:
        raise BadInputError("the file does not name its classes, as exports of ultralytics do", file=file)
    return names


def _check(threshold: float | None, tile_px: int | None, overlap: float) -> None:
    if threshold is not None and not 0 < threshold < 1:
        raise BadInputError(f"must be between 0 and 1, not {threshold}", field="threshold")
    if tile_px is not None and not 32 <= tile_px <= 65536:  # noqa: PLR2004
        raise BadInputError(f"must be 32 to 65536 px, not {tile_px}", field="tile")
    if not 0 < overlap <= 0.9:  # noqa: PLR2004
        raise BadInputError(f"must be above 0 and at most 0.9, not {overlap}", field="overlap")
