"""What one training is made of: data, seed, hyper-parameters, augmentation, judges; all of it in one TOML file.

A configuration names folders below the data folder and the start weights by role, never by a path of one machine:
those come from options of ``serayu vision train`` or its environment variables.
"""

import hashlib
import importlib.resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from serayu.models.errors import BadInputError

__all__ = ["Augment", "Card", "Config", "Graft", "Judge", "Paste", "Source", "read_config", "shipped_configs"]

Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]

SET_HERE = frozenset(
    {
        "data", "model", "pretrained", "epochs", "imgsz", "batch", "seed", "device", "workers", "project", "name",
        "exist_ok", "resume", "plots", "verbose", "save_dir", "cache", "val", "task", "mode", "amp", "channels_last",
        "copy_paste", "augmentations", "cfg", "classes", "single_cls", "save", "save_period",
    }
)  # fmt: skip
"""Hyper-parameters of ultralytics that the training itself decides."""


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pictures to learn from.

    Parameters
    ----------
    folder, split
        ``<folder>/images/<split>`` and ``<folder>/labels/<split>`` below the data folder, and ``<folder>/data.yaml``.
    only
        Shell pattern of file names.
    known
        Classes that are labelled wherever they occur; empty: all. Of any other class only the labels are learnt
        from, and what the network says of it elsewhere in these pictures is neither praised nor blamed.
    keep
        Classes whose labels are used; empty: all.
    weight
        How often a picture of this source is drawn, against 1 for the others.
    crop_top
        Part of the height cut off at the top (blurred far end of views warped to a plan).
    join_gap
        Labels of one class nearer than this part of the longer side become one box (masks that fall to pieces).
    least, most, longest
        Labels whose longer side is below ``least``, whose area is above ``most`` (parts of the picture) or whose
        sides differ by more than ``longest`` are neither learnt nor counted as background.
    licence, attribution
        For the model card.
    """

    folder: str
    split: str
    licence: str
    attribution: str
    only: str = "*"
    known: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    weight: Positive = 1.0
    crop_top: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    join_gap: Share = 0.0
    least: Share = 0.0
    most: Share = 1.0
    longest: Positive = 1e9


class Judge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pictures that decide which epoch is the best.

    Parameters
    ----------
    name
        Of the domain they stand for.
    source
        The pictures; None: the scenes held out of training.
    shrink
        Their size is divided by this, and several are laid together to one picture: what a higher flight sees.
    weight
        Share of its mAP50 in the fitness; 0: only recorded.
    """

    name: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$")]
    source: Source | None = None
    shrink: Count = 1
    weight: Annotated[float, Meta(ge=0)] = 1.0


class Paste(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cut-outs laid on pictures as new things of one class.

    Parameters
    ----------
    folder
        Of RGBA cut-outs, below the data folder.
    label
        Their class.
    p
        Share of pictures that get some.
    most
        Largest number laid on one picture.
    size_px
        Smallest and largest longer side, drawn evenly in its logarithm.
    licence, attribution
        For the model card.
    """

    folder: str
    label: str
    licence: str
    attribution: str
    p: Share = 0.3
    most: Count = 3
    size_px: tuple[Positive, Positive] = (20.0, 90.0)


class Graft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Things of one class taken from training pictures and laid on other roads.

    Parameters
    ----------
    label
        The class.
    p
        Share of pictures that get some.
    most
        Largest number laid on one picture.
    most_px
        Longer side above which a thing is not taken, pixels.
    scale
        Smallest and largest factor of its size.
    """

    label: str
    p: Share = 0.1
    most: Count = 1
    most_px: Positive = 200.0
    scale: tuple[Positive, Positive] = (0.6, 1.4)


class Augment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Serayu's own changes to pictures, before and after those of ultralytics; all zero by default.

    Parameters
    ----------
    zoom
        Smallest and largest factor of the ground resolution, drawn evenly in its logarithm.
    zoom_p, tone_p, soft_p, noise_p, jpeg_p
        Share of pictures that are resampled, get another tone, are blurred, get noise, are compressed again.
    shade_p
        Share of pictures that get shadows of leaves: dark spots that are no damage.
    clean_p
        Share of pictures that are cut to a part without any label: nearly every picture of the data has one, and a
        network that never saw clean road finds something on it.
    """

    zoom: tuple[Positive, Positive] = (1.0, 1.0)
    zoom_p: Share = 0.0
    clean_p: Share = 0.0
    tone_p: Share = 0.0
    shade_p: Share = 0.0
    soft_p: Share = 0.0
    noise_p: Share = 0.0
    jpeg_p: Share = 0.0


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of the model card that no measurement gives.

    Parameters
    ----------
    title, purpose
        What the weights are and are for.
    limits, never
        What they cannot, and what they must not be used for.
    weights_licence
        Licence of the weights.
    restriction
        What using them is restricted to; empty: nothing beyond the licence.
    """

    title: str
    purpose: str
    limits: tuple[str, ...]
    never: tuple[str, ...]
    weights_licence: str
    restriction: str = ""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One training.

    Parameters
    ----------
    name
        Of the weights.
    task
        Boxes or masks.
    classes
        In the order of the network's outputs.
    model
        ``start``: the network of the start weights; otherwise a structure that ultralytics knows by name, filled
        from the start weights where the shapes agree.
    size_px, epochs, batch, seed
        Side of the training pictures, rounds, pictures per step, and the seed of everything drawn.
    holdout
        Share of the training scenes kept back to choose the score threshold and to measure calibration.
    judge_every
        Epochs between judgements.
    paste, graft
        What is laid on pictures.
    gsd_mm, gsd_range_mm
        Ground resolution of the training pictures, mm per pixel: the usual one, and the least and largest; None
        where it is not known.
    hyper
        Hyper-parameters handed to ultralytics; unnamed ones keep its defaults.
    """

    name: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$")]
    task: Literal["detect", "segment"]
    classes: Annotated[tuple[str, ...], Meta(min_length=1)]
    source: Annotated[tuple[Source, ...], Meta(min_length=1)]
    judge: Annotated[tuple[Judge, ...], Meta(min_length=1)]
    card: Card
    model: str = "start"
    size_px: Annotated[int, Meta(ge=32, le=2048, multiple_of=32)] = 416
    epochs: Count = 20
    batch: Count = 16
    seed: int = 0
    holdout: Annotated[float, Meta(ge=0, le=0.5)] = 0.0
    judge_every: Count = 1
    augment: Augment = Augment()
    paste: tuple[Paste, ...] = ()
    graft: tuple[Graft, ...] = ()
    gsd_mm: Positive | None = None
    gsd_range_mm: tuple[Positive, Positive] | None = None
    hyper: dict[str, Any] = {}

    def __post_init__(self) -> None:
        """Refuse names and settings that contradict one another.

        Raises
        ------
        ValueError
            Names the field and the reason.
        """
        known = set(self.classes)
        if len(known) != len(self.classes):
            raise ValueError("classes: a name occurs twice")
        sources = [*self.source, *(judge.source for judge in self.judge if judge.source)]
        named = {name for source in sources for name in (*source.known, *source.keep)}
        named |= {one.label for one in self.paste} | {one.label for one in self.graft}
        if strange := sorted(named - known):
            raise ValueError(f"{strange[0]!r} is not among the classes")
        if decided := sorted(SET_HERE & self.hyper.keys()):
            raise ValueError(f"hyper.{decided[0]}: is decided by the training, not by a hyper-parameter")
        boxes_only = any(source.known or source.crop_top or source.join_gap for source in sources)
        if self.task == "segment" and (self.paste or self.graft or boxes_only):
            raise ValueError("paste, graft, known, crop_top and join_gap are for boxes only")
        if any(judge.source is None for judge in self.judge) and not self.holdout:
            raise ValueError("a judge without source needs holdout above 0")
        if not any(judge.weight for judge in self.judge):
            raise ValueError("judge: all weights are 0")
        ranges = [
            self.augment.zoom,
            *(paste.size_px for paste in self.paste),
            *(one.scale for one in self.graft),
        ]
        for low, high in ranges:
            if low > high:
                raise ValueError(f"[{low:g}, {high:g}]: the smallest is above the largest")


def read_config(file: Path) -> tuple[Config, str]:
    """Return a configuration and its fingerprint.

    Parameters
    ----------
    file
        TOML, or the name of one that Serayu ships (``road``).

    Returns
    -------
    tuple
        The configuration, and the SHA-256 of the file's bytes in hex.

    Raises
    ------
    BadInputError
        It is absent or not a configuration; names file, field and reason.
    """
    place = file
    if not file.exists() and str(file) in shipped_configs():
        place = Path(str(_shipped() / f"{file}.toml"))
    try:
        content = place.read_bytes()
    except OSError as error:
        names = ", ".join(shipped_configs())
        raise BadInputError(f"cannot read ({error.strerror}); shipped are: {names}", file=file) from None
    try:
        config = msgspec.toml.decode(content, type=Config)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
        raise BadInputError(str(error), file=file) from None
    return config, hashlib.sha256(content).hexdigest()


def shipped_configs() -> tuple[str, ...]:
    """Return the names of the configurations that Serayu ships."""
    names = (entry.name for entry in _shipped().iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def _shipped() -> Traversable:
    return importlib.resources.files("serayu.vision.training") / "configs"
