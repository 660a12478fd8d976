"""The document of an evaluation."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from serayu.vision.evaluate.counts import LIMIT, Counts, count, f1_interval
from serayu.vision.evaluate.evaluation import Evaluation
from serayu.vision.evaluate.matching import match
from serayu.vision.evaluate.pictures import Compared
from serayu.vision.evaluate.precision import average_precisions

__all__ = ["Source", "document", "text"]

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Source:
    """What was evaluated, for the record.

    Parameters
    ----------
    task
        ``detect`` or ``segment``.
    weights, sha256
        Name of the weights and the digest of their file (of the ONNX file, for weights of the manifest).
    threshold_source
        Where the threshold was chosen.
    runtime
        What ran them, e.g. ``openvino-bf16``.
    data, split
        The data set.
    """

    task: str
    weights: str
    sha256: str
    threshold_source: str
    runtime: str
    data: str
    split: str


def document(evaluation: Evaluation, source: Source) -> dict[str, Any]:
    """Return the document: scores between 0 and 1, null where not defined."""
    naming, pictures = evaluation.naming, evaluation.pictures
    counts = {name: [_counted(picture, name, evaluation) for picture in pictures] for name in naming.counted}
    each = [sum((counts[name][k] for name in naming.counted), Counts()) for k in range(len(pictures))]
    whole = sum(each, Counts())
    precisions = {
        name: average_precisions([picture.every[name] for picture in pictures]) for name in naming.counted
    }
    defined = [values for values in precisions.values() if values is not None]
    return {
        "task": source.task,
        "weights": source.weights,
        "sha256": source.sha256,
        "runtime": source.runtime,
        "data": source.data,
        "split": source.split,
        "n_images": len(pictures),
        "n_boxes": whole.right + whole.missed,
        "threshold": evaluation.threshold,
        "threshold_source": source.threshold_source,
        **_scores(whole),
        "f1_ci95": _edges(f1_interval(each, evaluation.scenes)),
        "false_findings": whole.false,
        "map50": _rounded(float(np.mean([values[0] for values in defined])) if defined else None),
        "map50_95": _rounded(float(np.mean(defined)) if defined else None),
        "classes": {
            name: {
                "n": sum((one.right + one.missed for one in counts[name]), 0),
                **_scores(sum(counts[name], Counts())),
                "f1_ci95": _edges(f1_interval(counts[name], evaluation.scenes)),
                "ap50": _rounded(None if (values := precisions[name]) is None else float(values[0])),
            }
            for name in naming.counted
        },
        "classes_left_out": {
            "not_in_data": naming.weights_only,
            "not_in_weights": naming.data_only,
            "unlabelled": naming.unlabelled,
        },
        "mask": _mask(evaluation) if evaluation.masks is None else None,
        "mask_left_out": evaluation.masks,
        "image": _scores(_images(pictures)),
        "ms_per_image": round(statistics.fmean(evaluation.ms), 2),
        "ms_per_image_median": round(statistics.median(evaluation.ms), 2),
        "scenes": {"n": len(set(evaluation.scenes)), "source": evaluation.scenes_source},
        "skipped": [{"file": one.file, "reason": one.reason} for one in evaluation.skipped],
        "labels": {
            "images_without_file": evaluation.unlabelled_pictures,
            "repeated": evaluation.repeated_labels,
            "without_area": evaluation.empty_labels,
        },
    }


def text(report: dict[str, Any]) -> str:
    """Return the document as a few lines for people."""
    image = report["image"]
    lines = [
        f"{report['weights']} ({report['runtime']}), {report['data']} {report['split']}",
        (
            f"gambar · images {report['n_images']}  kotak · boxes {report['n_boxes']}  "
            f"lokasi · scenes {report['scenes']['n']}  {report['ms_per_image']:.1f} ms"
        ),
        (
            f"F1 {_shown(report['f1'])} ({_shown(report['f1_ci95'])})  P {_shown(report['precision'])}  "
            f"R {_shown(report['recall'])}  @ {report['threshold']:.3f}"
        ),
        f"mAP50 {_shown(report['map50'])}  mAP50-95 {_shown(report['map50_95'])}",
        f"gambar · image F1 {_shown(image['f1'])}  P {_shown(image['precision'])}  R {_shown(image['recall'])}",
    ]
    lines += [
        f"  {name:<20} n {one['n']:>4}  F1 {_shown(one['f1'])} ({_shown(one['f1_ci95'])})  "
        f"P {_shown(one['precision'])}  R {_shown(one['recall'])}  AP50 {_shown(one['ap50'])}"
        for name, one in report["classes"].items()
    ]
    if report["mask"] is not None:
        mask = report["mask"]
        lines.append(
            f"mask mAP50 {_shown(mask['map50'])}  IoU {_shown(mask['iou'])}  "
            f"luas · area error {_shown(mask['area_error_median'])}"
        )
    left_out = [name for names in report["classes_left_out"].values() for name in names]
    if left_out:
        lines.append(f"tidak dihitung · left out: {', '.join(left_out)}")
    lines += [f"dilewati · skipped: {one['file']}: {one['reason']}" for one in report["skipped"]]
    return "\n".join(lines)


def _counted(picture: Compared, name: str, evaluation: Evaluation) -> Counts:
    return count(picture.passing[name], threshold=evaluation.threshold)


def _images(pictures: Sequence[Compared]) -> Counts:
    return Counts(
        right=sum(one.seen and one.there for one in pictures),
        false=sum(one.seen and not one.there for one in pictures),
        missed=sum(one.there and not one.seen for one in pictures),
    )


def _mask(evaluation: Evaluation) -> dict[str, float | None]:
    """Return how well masks fit.

    `iou` is that of all passing masks against all outlines, pooled over the pictures, so that misses and false
    findings count; `area_error_median` is the median of ``|found / true - 1|`` over things whose boxes matched.
    """
    names = evaluation.naming.counted
    values = [
        average_precisions(
            [picture.every[name] for picture in evaluation.pictures], masks=True, limits=(LIMIT,)
        )
        for name in names
    ]
    defined = [float(one[0]) for one in values if one is not None]
    common = sum(picture.common_px or 0.0 for picture in evaluation.pictures)
    either = sum(picture.either_px or 0.0 for picture in evaluation.pictures)
    errors = [
        error for picture in evaluation.pictures for name in names for error in _area_errors(picture, name)
    ]
    return {
        "map50": _rounded(statistics.fmean(defined) if defined else None),
        "iou": _rounded(common / either if either else None),
        "area_error_median": _rounded(statistics.median(errors) if errors else None),
    }


def _area_errors(picture: Compared, name: str) -> list[float]:
    pairs = picture.passing[name]
    if pairs.areas_px is None or pairs.truth_areas_px is None:
        return []
    matched = match(pairs.box_ious, limit=LIMIT)
    return [
        float(abs(pairs.areas_px[row] - pairs.truth_areas_px[truth]) / pairs.truth_areas_px[truth])
        for row, truth in enumerate(matched)
        if truth >= 0 and pairs.truth_areas_px[truth] > 0
    ]


def _scores(counts: Counts) -> dict[str, float | None]:
    return {
        "f1": _rounded(counts.f1),
        "precision": _rounded(counts.precision),
        "recall": _rounded(counts.recall),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _edges(interval: list[float] | None) -> list[float] | None:
    return None if interval is None else [round(edge, _DIGITS) for edge in interval]


def _shown(value: float | list[float] | None) -> str:
    if value is None:
        return "-"
    return "–".join(f"{one:.3f}" for one in value) if isinstance(value, list) else f"{value:.3f}"
