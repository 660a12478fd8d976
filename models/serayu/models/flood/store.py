"""Keep a fitted post in a file: trees by skops with a closed list of types, the rest as JSON; never a pickle."""

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import skops.io

from serayu.models.errors import BadInputError
from serayu.models.flood.blend import Blend
from serayu.models.flood.conformal import Sizes, Spread
from serayu.models.flood.features import FeatureSpec
from serayu.models.flood.fitted import FittedPost, Variant
from serayu.models.flood.methods.learner import Learner
from serayu.models.flood.methods.network import Network
from serayu.models.flood.methods.reservoir import Reservoir
from serayu.models.flood.methods.ridge import Ridge
from serayu.models.flood.methods.simple import Persistence, Trend
from serayu.models.flood.methods.trees import Boosting, Trees
from serayu.models.flood.shelf import FORMAT, HEAD, digest
from serayu.models.flood.skill import Skill

__all__ = ["FORMAT", "Stored", "digest", "load_post", "save_post"]

TRUSTED = ("sklearn.tree._tree.Tree",)
"""Types beyond those that skops trusts by itself; a file with any other is refused."""

_MAKERS: dict[str, type[Any]] = {
    "persistence": Persistence,
    "trend": Trend,
    "ridge": Ridge,
    "reservoir": Reservoir,
    "network": Network,
    "boosting": Boosting,
    "trees": Trees,
}
_MOST_BYTES = 256 * 1024 * 1024
_PARTS = (HEAD, "model.skops")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A fitted post from a file.

    Parameters
    ----------
    post
        The model, without its held-out forecasts.
    station
        Its station id.
    digest
        See :func:`digest`; compare it with that of the present station and limits.
    fit_until_us
        End of the fit part, microseconds UTC.
    kit
        What live use needs beside the model: plain values, see `serayu.models.flood.kit`.
    """

    post: FittedPost
    station: str
    digest: str
    fit_until_us: int
    kit: Mapping[str, Any] = field(default_factory=dict)


def save_post(
    file: Path,
    post: FittedPost,
    *,
    station: str,
    digest: str,
    fit_until_us: int,
    kit: Mapping[str, Any] | None = None,
) -> None:
    """Write a fitted post; mode 0600, in place of an older file at once or not at all.

    Parameters
    ----------
    file
        Where to.
    post
        The model; held-out forecasts are left out.
    station, digest, fit_until_us, kit
        As in :class:`Stored`.
    """
    head = {
        "format": FORMAT,
        "sklearn": sklearn.__version__,
        "station": station,
        "digest": digest,
        "fit_until_us": fit_until_us,
        "kit": dict(kit or {}),
        "horizons_h": post.horizons_h,
        "method": [post.method[hours] for hours in post.horizons_h],
        "skill": [asdict(post.skill[hours]) for hours in post.horizons_h],
        "index": [post.index[hours] for hours in post.horizons_h],
        "notes": post.notes,
        "variants": [
            {
                "without": variant.without,
                "spec": asdict(variant.spec),
                "methods": [each.name for each in variant.blend.learners],
            }
            for variant in post.variants
        ],
    }
    body = skops.io.dumps([_state(variant) for variant in post.variants])
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "wb") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(_PARTS[0], json.dumps(head, allow_nan=True))
                archive.writestr(_PARTS[1], body)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _state(variant: Variant) -> dict[str, Any]:
    return {
        "learners": [dict(vars(learner)) for learner in variant.blend.learners],
        "weights": variant.blend.weights,
        "sizes": dict(vars(variant.sizes)),
        "spreads": [dict(vars(spread)) for spread in variant.spreads],
    }


def load_post(file: Path) -> Stored:
    """Read a fitted post; nothing in the file is run.

    Raises
    ------
    BadInputError
        When the file is none of ours, of another version, too large, or holds a type that is not trusted.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(archive.getinfo(name).file_size for name in _PARTS) > _MOST_BYTES:
                raise BadInputError(f"a model of more than {_MOST_BYTES} bytes", file=file)
            head = json.loads(archive.read(_PARTS[0]))
            body = archive.read(_PARTS[1])
    except (OSError, KeyError, zipfile.BadZipFile, ValueError) as error:
        raise BadInputError(f"not a fitted flood model ({error})", file=file) from error
    if head.get("format") != FORMAT:
        raise BadInputError(
            f"model format {head.get('format')}, this version reads {FORMAT}; fit again", file=file
        )
    if head.get("sklearn") != sklearn.__version__:
        raise BadInputError(
            f"fitted with scikit-learn {head.get('sklearn')}, here is {sklearn.__version__}; fit again",
            file=file,
        )
    strange = sorted(set(skops.io.get_untrusted_types(data=body)) - set(TRUSTED))
    if strange:
        raise BadInputError(f"holds types that are not trusted: {', '.join(strange)}", file=file)
    states = skops.io.loads(body, trusted=list(TRUSTED))
    try:
        return _stored(head, states)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"a damaged flood model ({error})", file=file) from error


def _stored(head: Mapping[str, Any], states: list[dict[str, Any]]) -> Stored:
    horizons = tuple(float(hours) for hours in head["horizons_h"])
    variants = [_variant(told, state) for told, state in zip(head["variants"], states, strict=True)]
    post = FittedPost(
        horizons_h=horizons,
        method=dict(zip(horizons, head["method"], strict=True)),
        skill={hours: Skill(**each) for hours, each in zip(horizons, head["skill"], strict=True)},
        index=dict(zip(horizons, head["index"], strict=True)),
        variants=variants,
        fit_rows=np.zeros(0, dtype=np.int64),
        held_out=None,
        notes=tuple(head["notes"]),
    )
    return Stored(
        post=post,
        station=head["station"],
        digest=head["digest"],
        fit_until_us=int(head["fit_until_us"]),
        kit=head.get("kit", {}),
    )


def _variant(told: Mapping[str, Any], state: Mapping[str, Any]) -> Variant:
    spec: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in told["spec"].items()
    }
    learners: list[Learner] = []
    for name, values in zip(told["methods"], state["learners"], strict=True):
        learner = object.__new__(_MAKERS[name])
        vars(learner).update(values)
        learners.append(learner)
    return Variant(
        tuple(told["without"]),
        FeatureSpec(**spec),
        Blend(learners, np.asarray(state["weights"])),
        Sizes(**state["sizes"]),
        [Spread(**values) for values in state["spreads"]],
    )
