"""The model card: what weights are, what they were made from, what they can and what they must not be used for."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serayu.vision.runtime.manifest import WeightsEntry
from serayu.vision.runtime.scale import STILL_WHOLE
from serayu.vision.training.calibration import Calibration
from serayu.vision.training.config import Config, Source
from serayu.vision.training.record import Record

__all__ = ["Domain", "card_text"]


@dataclass(frozen=True, slots=True)
class Domain:
    """The weights on the pictures of one domain.

    Parameters
    ----------
    name
        Of the domain.
    words
        What it is, a sentence; empty without.
    report
        The document of ``serayu vision eval``.
    baseline
        The same document of the baseline; None without one.
    calibration
        Of the scores; None where it was not measured.
    """

    name: str
    words: str
    report: Mapping[str, Any]
    baseline: Mapping[str, Any] | None = None
    calibration: Calibration | None = None


def card_text(
    config: Config, entry: WeightsEntry, domains: Sequence[Domain], *, record: Record | None = None
) -> str:
    """Return a model card, Markdown.

    Parameters
    ----------
    config
        The training.
    entry
        Of the manifest.
    domains
        Where the weights were measured.
    record
        Of the training; None where it was not kept.
    """
    card = config.card
    parts = [
        f"# {card.title}",
        f"`{entry.name}`: {card.purpose}",
        _restriction(config),
        "## Bobot · Weights",
        _weights(config, entry),
        "## Data latih · Training data",
        _data(config),
        _labels(config, record),
        "## Pelatihan · Training",
        _training(config, record),
        "## Nilai · Scores",
        _SCORES_WORDS,
        *(part for domain in domains for part in _domain(domain)),
        "## Batas · Limits",
        _bullets(card.limits),
        "## Jangan dipakai untuk · Must not be used for",
        _bullets(card.never),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_SCORES_WORDS = (
    "F1, P(recision) and R(ecall) at the one threshold above, boxes matched one to one at IoU 0.5 and more; in "
    "brackets the 95 % interval (bootstrap over scenes, not frames). AP50 is over all scores. n counts labels."
)


def _restriction(config: Config) -> str:
    return f"**Restriction: {config.card.restriction}**" if config.card.restriction else ""


def _looks(entry: WeightsEntry) -> str:
    """Return how pictures are brought before the network."""
    said = []
    if entry.tile_px is not None:
        side, most = entry.tile_px, math.floor(STILL_WHOLE * entry.tile_px)
        said.append(
            f"a picture of unknown scale is looked at whole up to {most} px, a larger one in squares of {side} px"
        )
    if entry.margin_px:
        said.append(f"{entry.margin_px} px of grey lie around a picture")
    if entry.also_gsd_mm:
        also = ", ".join(f"{one:g}" for one in entry.also_gsd_mm)
        said.append(
            f"pictures of known scale also at {also} mm per pixel, there with a score of "
            f"{entry.also_threshold:g} at least"
        )
    return "; ".join(said) or "pictures as they are"


def _weights(config: Config, entry: WeightsEntry) -> str:
    scale = "not known" if entry.gsd_mm is None else f"{entry.gsd_mm:g} mm per pixel of the input"
    if config.gsd_mm is not None:
        scale += f"; training pictures about {config.gsd_mm:g} mm per pixel"
    if config.gsd_range_mm is not None:
        scale += f" ({config.gsd_range_mm[0]:g}-{config.gsd_range_mm[1]:g})"
    rows = [
        ("file", f"`{entry.file}`, SHA-256 `{entry.sha256}`"),
        ("INT8 for OpenVINO", ", ".join(f"`{one.file}`" for one in entry.int8) or "none"),
        ("licence", _licence(config, entry)),
        ("classes", ", ".join(entry.classes)),
        ("input", f"{entry.input_px} px square"),
        ("scale", scale),
        ("looks", _looks(entry)),
        ("threshold", f"{entry.threshold:.3f}: {entry.threshold_source}"),
    ]
    return _table(("", ""), rows)


def _licence(config: Config, entry: WeightsEntry) -> str:
    told = config.card.weights_licence
    return told if told.startswith(entry.licence) else f"{entry.licence}. {told}"


def _data(config: Config) -> str:
    rows = [(_place(one), one.licence, one.attribution, _use(config, one)) for one in config.source]
    rows += [
        (one.folder, one.licence, one.attribution, f"{one.label}: cut-outs laid on roads")
        for one in config.paste
    ]
    return _table(("pictures", "licence", "who made them", "used for"), rows)


def _place(source: Source) -> str:
    return f"{source.folder}/{source.split}" + ("" if source.only == "*" else f" ({source.only})")


def _use(config: Config, source: Source) -> str:
    keep, known = source.keep or config.classes, source.known or config.classes
    words = "all classes" if set(keep) == set(config.classes) else ", ".join(keep)
    silent = [name for name in config.classes if name not in known]
    return words + (f"; not taken as absent: {', '.join(silent)}" if silent else "")


def _labels(config: Config, record: Record | None) -> str:
    if record is None:
        return ""
    rows = [
        (name, str(record.pictures[name]), *(str(counts[label]) for label in config.classes))
        for name, counts in record.labels.items()
    ]
    left_out = record.pictures.get("left_out", 0)
    words = (
        f"\n\n{left_out} training pictures were left out because a picture that judges shows the same place."
        if left_out
        else ""
    )
    return _table(("split", "pictures", *config.classes), rows) + words


def _training(config: Config, record: Record | None) -> str:
    base = (
        f"Configuration `{config.name}.toml`, {config.size_px} px, batch {config.batch}, seed {config.seed}"
    )
    if record is None:
        return f"{base}. No record was kept of this training."
    versions = ", ".join(f"{name} {version}" for name, version in sorted(record.versions.items()))
    where = "CPU" if record.device == "cpu" else "GPU"
    best = record.best
    lines = [
        (
            f"{base}; {record.done} of {record.epochs} epochs, {record.seconds / 3600:.1f} h on a {where}, begun or "
            f"resumed {record.begun} times. {versions}."
        ),
        (
            f"Configuration SHA-256 `{record.config_sha256}`, start weights `{record.start_sha256}`, "
            f"commit `{record.commit}`."
        ),
    ]
    if best is not None:
        told = ", ".join(f"{name} {one.map50:.3f}" for name, one in best.judges.items())
        lines.append(f"Kept: epoch {best.epoch}, the best by the weighted mAP50 of its judges ({told}).")
    return "\n\n".join(lines)


def _domain(domain: Domain) -> list[str]:
    report = domain.report
    whole = [_row("**all**", {**report, "n": report["n_boxes"], "ap50": report["map50"]}, domain.baseline)]
    rows = whole + [
        _row(name, one, (domain.baseline or {}).get("classes", {}).get(name))
        for name, one in report["classes"].items()
    ]
    header = ("class", "n", "F1", "P", "R", "AP50") + (("F1 of the baseline",) if domain.baseline else ())
    facts = (
        f"{report['n_images']} pictures of {report['scenes']['n']} scenes, {report['runtime']}, "
        f"{report['ms_per_image_median']:.0f} ms per picture (median) on the machine that measured."
    )
    parts = [f"### {domain.name}", f"{domain.words} {facts}".strip(), _table(header, rows)]
    if report.get("mask"):
        mask = report["mask"]
        parts.append(
            f"Masks: mAP50 {_shown(mask['map50'])}, IoU {_shown(mask['iou'])}, median error of area "
            f"{_shown(mask['area_error_median'])}."
        )
    if report["task"] == "segment":
        image = report["image"]
        parts.append(
            f"Pictures with anything against without: F1 {_shown(image['f1'])}, P {_shown(image['precision'])}, "
            f"R {_shown(image['recall'])}."
        )
    if domain.calibration is not None and domain.calibration.n:
        parts += _calibrated(domain.calibration)
    return parts


def _row(name: str, one: Mapping[str, Any], baseline: Mapping[str, Any] | None) -> tuple[str, ...]:
    interval = one.get("f1_ci95")
    f1 = _shown(one["f1"]) + (f" ({_shown(interval[0])}-{_shown(interval[1])})" if interval else "")
    row = (name, str(one["n"]), f1, _shown(one["precision"]), _shown(one["recall"]), _shown(one["ap50"]))
    return row if baseline is None else (*row, _shown(baseline["f1"]))


def _calibrated(measured: Calibration) -> list[str]:
    rows = [
        (
            f"{one.low:g}-{one.high:g}",
            str(one.n),
            f"{one.score:.2f}",
            f"{one.right:.2f} ({one.right_ci95[0]:.2f}-{one.right_ci95[1]:.2f})",
        )
        for one in measured.bins
    ]
    return [
        f"Calibration (of {measured.n} boxes; expected calibration error {measured.error:.3f}):",
        _table(("score", "boxes", "mean score", "share that is right"), rows),
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
