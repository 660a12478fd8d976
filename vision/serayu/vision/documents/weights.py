"""What is known of a survey's detectors: licence, restriction, and how well they find things, from the model card."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from serayu.models.errors import BadInputError
from serayu.models.texts import decimal
from serayu.vision.documents.words import Said, say
from serayu.vision.runtime.manifest import WeightsEntry

__all__ = ["Model", "Score", "models_of", "scores_in"]

_TOTAL = "**all**"
_COLUMNS = ("n", "F1", "P", "R", "AP50")


@dataclass(frozen=True, slots=True)
class Score:
    """How well weights did on the pictures of one domain, as their card has it: text, intervals in brackets."""

    domain: str
    n: str
    f1: str
    precision: str
    recall: str
    ap50: str


@dataclass(frozen=True, slots=True)
class Model:
    """Weights that a survey was made with.

    Parameters
    ----------
    name, sha256, restriction
        As in the summary; no restriction is None.
    entry
        Of the manifest; None of a file of one's own, and of weights that changed since.
    scores
        Of the model card; empty where there is none.
    """

    name: str
    sha256: str
    entry: WeightsEntry | None = None
    scores: tuple[Score, ...] = ()
    restriction: Said | None = None

    @property
    def threshold_source(self) -> Said | None:
        """Return how the threshold of weights in the manifest was chosen."""
        if self.entry is None:
            return None
        choice = self.entry.threshold_choice
        if choice is None:
            return Said(say("threshold.otherwise").id, self.entry.threshold_source)
        return Said(choice.said("id"), choice.said("en"))


def models_of(weights: Sequence[Mapping[str, str]]) -> tuple[Model, ...]:
    """Return the weights that a summary names with what it, manifest and card say of them."""
    if not weights:
        return ()
    from serayu.vision.runtime.weights import available_weights  # noqa: PLC0415 -- runtimes only where needed

    try:
        known = {one.sha256: one for one in available_weights().weights}
    except BadInputError:
        known = {}
    return tuple(_model(one, known.get(one["sha256"])) for one in weights)


def _model(told: Mapping[str, str], entry: WeightsEntry | None) -> Model:
    card = None if entry is None or entry.card is None else _card(entry.card)
    restriction = None
    if "restriction_id" in told:
        english = told["restriction_en"]
        restriction = Said(told["restriction_id"], "" if english == told["restriction_id"] else english)
    return Model(told["name"], told["sha256"], entry, () if card is None else scores_in(card), restriction)


def _card(name: str) -> str | None:
    """Return a card's text: it lies beside the weights, or in a folder of cards beside theirs."""
    from serayu.vision.runtime.weights import weights_folder  # noqa: PLC0415 -- as above

    folder = weights_folder()
    for file in (folder / Path(name).name, folder.parent / "cards" / Path(name).name):
        try:
            return file.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
    return None


def scores_in(card: str) -> tuple[Score, ...]:
    r"""Return the row of all classes of each domain in a model card, see :mod:`serayu.vision.training.card`.

    Cards are English; the numbers are returned as Indonesians write them, as all of the report.

    Examples
    --------
    >>> scores_in("### drone\n| class | n | F1 | P | R | AP50 |\n| **all** | 9 | 0.7 | 0.8 | 0.6 | 0.5 |")
    (Score(domain='drone', n='9', f1='0,7', precision='0,8', recall='0,6', ap50='0,5'),)
    """
    found, domain, header = [], "", list[str]()
    for line in card.splitlines():
        if heading := re.match(r"###\s+(.+)", line):
            domain, header = heading[1].strip(), []
        if not line.startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if set(_COLUMNS) <= set(cells):
            header = cells
        elif header and cells[0] == _TOTAL and len(cells) == len(header):
            row = dict(zip(header, cells, strict=True))
            found.append(Score(domain, *(_indonesian(row[name]) for name in _COLUMNS)))
    return tuple(found)


def _indonesian(cell: str) -> str:
    """Return a card's cell with its decimal fractions as Indonesians write them."""
    return re.sub(r"\d+\.(\d+)", lambda found: decimal(float(found[0]), len(found[1])), cell)
