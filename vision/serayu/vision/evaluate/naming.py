"""Which classes an evaluation counts: those that the weights and the data name alike, and that the data label."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from serayu.models.errors import BadInputError

__all__ = ["Naming", "match_names", "plain_name"]


@dataclass(frozen=True, slots=True)
class Naming:
    """How the classes of the data stand to those of the weights.

    Parameters
    ----------
    counted
        Classes that are counted, in the weights' names and order.
    by_index
        Name of each class number of the data that is counted.
    weights_only
        Classes of the weights that the data do not name: what is found of them is left out.
    data_only
        Classes of the data that the weights do not know: their labels are left out.
    unlabelled
        Classes named alike of which the split has no label: left out, since nothing tells whether what is found of
        them is there.
    """

    counted: tuple[str, ...]
    by_index: dict[int, str]
    weights_only: tuple[str, ...]
    data_only: tuple[str, ...]
    unlabelled: tuple[str, ...]


def plain_name(name: str) -> str:
    """Return a class name with the differences of spelling taken out: ``Patch-Repair `` is ``patch_repair``."""
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


def match_names(weights: Sequence[str], data: Sequence[str], *, labelled: Iterable[int]) -> Naming:
    """Return which classes count.

    A split without any label (pictures of background) leaves no class out: there, everything found is false.

    Parameters
    ----------
    weights
        Class names of the weights.
    data
        Class names of the data, by number.
    labelled
        Numbers of the classes that the split has labels of.

    Raises
    ------
    BadInputError
        No class is named by both.
    """
    known = {plain_name(name): name for name in weights}
    shared = {index: known[plain_name(name)] for index, name in enumerate(data) if plain_name(name) in known}
    if not shared:
        raise BadInputError(
            f"no class of the data ({', '.join(data)}) is one of the weights ({', '.join(weights)})",
            field="names",
        )
    present = set(labelled)
    with_labels = (
        {name for index, name in shared.items() if index in present} if present else set(shared.values())
    )
    return Naming(
        counted=tuple(name for name in weights if name in with_labels),
        by_index={index: name for index, name in shared.items() if name in with_labels},
        weights_only=tuple(name for name in weights if name not in shared.values()),
        data_only=tuple(name for name in data if name and plain_name(name) not in known),
        unlabelled=tuple(name for name in weights if name in shared.values() and name not in with_labels),
    )
