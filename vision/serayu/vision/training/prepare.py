"""Lay out the pictures of a training: which are learnt from, which are kept back, which judge.

The result is a folder in YOLO's form (``images/<split>``, ``labels/<split>``, ``<split>.yaml``) with one more file,
``prepared.json``, that says of each picture what YOLO's form cannot: source, scene, how often it is drawn, and where
nothing is said about a class.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from serayu.models.command import write_atomically
from serayu.models.errors import BadInputError
from serayu.vision.training.config import Config, Judge
from serayu.vision.training.labels import Labels, yolo_text
from serayu.vision.training.pictures import Ignored, Picture, source_pictures
from serayu.vision.training.scenes import hold_out, scene_numbers

__all__ = ["Entry", "Prepared", "prepare"]

_GREY = 114
_QUALITY = 97


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One picture of a prepared split.

    Parameters
    ----------
    source
        Number of its source in the configuration.
    scene
        Number of its scene; pictures of one scene show one place.
    weight
        How often it is drawn, against others.
    ignored
        Classes and boxes about which nothing is said.
    """

    source: int
    scene: int
    weight: float
    ignored: tuple[Ignored, ...] = ()


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """What was laid out.

    Parameters
    ----------
    fingerprint
        Of the configuration's file.
    train, holdout
        Pictures by file name.
    judges
        Scene of each picture of each judge, by its file name.
    left_out
        Pictures not learnt from because a judge's picture shows the same place.
    counts
        Labels by class, for each split.
    """

    fingerprint: str
    train: dict[str, Entry]
    holdout: dict[str, Entry]
    judges: dict[str, dict[str, int]]
    left_out: int
    counts: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A picture of a source or a judge, with its scene."""

    picture: Picture
    source: int
    scene: int


def prepare(config: Config, *, fingerprint: str, data: Path, folder: Path) -> Prepared:
    """Lay out the pictures of a training in a folder; what lies there of the same configuration is kept.

    Training pictures that show a place which a judge's picture shows as well are left out, so that a judge never
    asks for what was learnt by heart.

    Parameters
    ----------
    config
        The training.
    fingerprint
        Of its file.
    data
        The data folder.
    folder
        Where to.

    Raises
    ------
    BadInputError
        Data are absent or wrong; names file, row and reason.
    """
    done = folder / "prepared.json"
    if done.exists():
        kept = msgspec.json.decode(done.read_bytes(), type=Prepared)
        if kept.fingerprint == fingerprint:
            return kept
        raise BadInputError("was prepared from another configuration; name another run", file=folder)
    learnt = [source_pictures(source, data=data, classes=config.classes) for source in config.source]
    asked = [
        source_pictures(judge.source, data=data, classes=config.classes) if judge.source else ()
        for judge in config.judge
    ]
    _refuse_twins([one for group in learnt for one in group])
    for group in asked:
        _refuse_twins(group)
    train, judged = _with_scenes(config, learnt, asked)
    shown = {drawn.scene for one in judged for drawn in one}
    clean = [drawn for drawn in train if drawn.scene not in shown]
    scenes = np.array([drawn.scene for drawn in clean], dtype=np.int64)
    back = hold_out(scenes, share=config.holdout, seed=config.seed)
    back &= np.array([drawn.source == 0 for drawn in clean], dtype=bool)
    entries = _entries(config, clean)
    splits: dict[str, list[_Drawn]] = {
        "train": [one for one, kept in zip(clean, back, strict=True) if not kept],
        "holdout": [one for one, kept in zip(clean, back, strict=True) if kept],
    }
    counts = {}
    for name, drawn in splits.items():
        counts[name] = _write_split(config, drawn, folder=folder, split=name)
    judges = {}
    for judge, drawn in zip(config.judge, judged, strict=True):
        pictures = splits["holdout"] if judge.source is None else drawn
        judges[judge.name], counts[judge.name] = _write_judge(config, judge, pictures, folder=folder)
    prepared = Prepared(
        fingerprint=fingerprint,
        train={_name(one): entries[_name(one)] for one in splits["train"]},
        holdout={_name(one): entries[_name(one)] for one in splits["holdout"]},
        judges=judges,
        left_out=len(train) - len(clean),
        counts=counts,
    )
    _write_yaml(config, folder)
    write_atomically(done, msgspec.json.format(msgspec.json.encode(prepared), indent=1))
    return prepared


def _refuse_twins(pictures: Sequence[Picture]) -> None:
    """Refuse two pictures of one name, whatever their format: they and their labels would lie in one folder.

    Raises
    ------
    BadInputError
        Names the second one.
    """
    seen: dict[str, Path] = {}
    for one in pictures:
        if one.file.stem in seen:
            raise BadInputError(f"has the name of {seen[one.file.stem]}", file=one.file)
        seen[one.file.stem] = one.file


def _with_scenes(
    config: Config, learnt: Sequence[Sequence[Picture]], asked: Sequence[Sequence[Picture]]
) -> tuple[list[_Drawn], list[list[_Drawn]]]:
    """Give every picture its scene: one numbering of each data folder, going on from folder to folder."""
    folders = [source.folder for source in config.source]
    folders += [judge.source.folder if judge.source else "" for judge in config.judge]
    groups = [*learnt, *asked]
    scene: dict[Path, int] = {}
    for folder in sorted(set(folders) - {""}):
        files = sorted(
            {one.file for name, group in zip(folders, groups, strict=True) if name == folder for one in group}
        )
        numbers = scene_numbers(files) + len(scene)
        scene |= dict(zip(files, map(int, numbers), strict=True))
    train = [_Drawn(one, number, scene[one.file]) for number, group in enumerate(learnt) for one in group]
    judged = [[_Drawn(one, -1, scene[one.file]) for one in group] for group in asked]
    return train, judged


def _entries(config: Config, drawn: Sequence[_Drawn]) -> dict[str, Entry]:
    """Return what is known of each picture; frames of one scene are drawn less often each.

    The weight falls with the square root of the scene's size [project proposal]: a hundred frames of one street
    teach more than one, but not a hundred times as much.
    """
    sizes = np.bincount([one.scene for one in drawn]) if drawn else np.zeros(0)
    return {
        _name(one): Entry(
            source=one.source,
            scene=one.scene,
            weight=round(config.source[one.source].weight / float(np.sqrt(sizes[one.scene])), 6),
            ignored=one.picture.ignored,
        )
        for one in drawn
    }


def _write_split(config: Config, drawn: Sequence[_Drawn], *, folder: Path, split: str) -> dict[str, int]:
    """Write pictures and labels of a split; return the number of labels of each class."""
    images, labels = folder / "images" / split, folder / "labels" / split
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    for one in drawn:
        _place(one.picture, images / _name(one))
        text = yolo_text(one.picture.labels, polygons=config.task == "segment")
        write_atomically((labels / _name(one)).with_suffix(".txt"), text)
    return _counts(config, [one.picture.labels for one in drawn])


def _write_judge(
    config: Config, judge: Judge, drawn: Sequence[_Drawn], *, folder: Path
) -> tuple[dict[str, int], dict[str, int]]:
    """Write the pictures of a judge; return the scene of each file and the number of labels of each class."""
    if judge.shrink == 1:
        return {_name(one): one.scene for one in drawn}, _write_split(
            config, drawn, folder=folder, split=judge.name
        )
    images, labels = folder / "images" / judge.name, folder / "labels" / judge.name
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    scenes, all_labels = {}, []
    per_sheet = judge.shrink**2
    for number, first in enumerate(range(0, len(drawn), per_sheet)):
        sheet, together = _sheet([one.picture for one in drawn[first : first + per_sheet]], judge.shrink)
        name = f"sheet_{number:04d}.png"
        cv2.imwrite(str(images / name), sheet)
        write_atomically(
            (labels / name).with_suffix(".txt"), yolo_text(together, polygons=config.task == "segment")
        )
        scenes[name] = drawn[first].scene
        all_labels.append(together)
    return scenes, _counts(config, all_labels)


def _sheet(pictures: Sequence[Picture], shrink: int) -> tuple[npt.NDArray[np.uint8], Labels]:
    """Lay shrunken pictures side by side on a sheet of the first one's size."""
    first = _read(pictures[0])
    height, width = first.shape[0] // shrink, first.shape[1] // shrink
    sheet = np.full((height * shrink, width * shrink, 3), _GREY, np.uint8)
    classes, boxes, polygons = [], [], []
    for index, picture in enumerate(pictures):
        left, top = index % shrink * width, index // shrink * height
        cell = cv2.resize(_read(picture), (width, height), interpolation=cv2.INTER_AREA)
        sheet[top : top + height, left : left + width] = cell
        offset = np.array([index % shrink, index // shrink], float)
        classes.append(picture.labels.classes)
        boxes.append((picture.labels.boxes + np.tile(offset, 2)) / shrink)
        polygons += [(polygon + offset) / shrink for polygon in picture.labels.polygons]
    return sheet, Labels(np.concatenate(classes), np.vstack(boxes), tuple(polygons))


def _place(picture: Picture, target: Path) -> None:
    """Link a picture that is used whole, and write what is left of one that is cut."""
    if not picture.top:
        target.unlink(missing_ok=True)
        target.symlink_to(picture.file.resolve())
    elif not cv2.imwrite(str(target), _read(picture), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]):
        raise BadInputError("cannot write the picture", file=target)


def _read(picture: Picture) -> npt.NDArray[np.uint8]:
    image = cv2.imread(str(picture.file))
    if image is None:
        raise BadInputError("is not a picture", file=picture.file)
    return np.asarray(image[round(picture.top * image.shape[0]) :], np.uint8)


def _counts(config: Config, labels: Sequence[Labels]) -> dict[str, int]:
    numbers = np.concatenate([one.classes for one in labels]) if labels else np.zeros(0, np.int64)
    return dict(
        zip(config.classes, np.bincount(numbers, minlength=len(config.classes)).tolist(), strict=True)
    )


def _name(drawn: _Drawn) -> str:
    return drawn.picture.file.name


def _write_yaml(config: Config, folder: Path) -> None:
    """Write one ``data.yaml`` per judge (JSON is YAML), with the training pictures and that judge's."""
    for name in ("holdout", *(judge.name for judge in config.judge)):
        document: dict[str, Any] = {
            "path": str(folder.resolve()),
            "train": "images/train",
            "val": f"images/{name}",
            "holdout": "images/holdout",
            "names": dict(enumerate(config.classes)),
        }
        write_atomically(folder / f"{name}.yaml", json.dumps(document, indent=1) + "\n")
