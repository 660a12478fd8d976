"""The catalogue of texts for people: every sentence once, by key, Indonesian first (``data/texts/*.toml``)."""

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

LANGUAGES = ("id", "en", "jv-banyumas")
DRAFTS = frozenset({"jv-banyumas"})
"""Languages whose texts no native speaker has reviewed: never shown alone, always below the Indonesian."""


def text(key: str, lang: str = "id", **fields: object) -> str:
    """Return a text with its fields filled in.

    Parameters
    ----------
    key
        Name in the catalogue, e.g. ``alert.lower``.
    lang
        ``id``, ``en`` or ``jv-banyumas``; the last is a draft, see `DRAFTS`, and not there for every key.
    fields
        Values of the places in braces, formatted as people read them; more than the text has are ignored.

    Raises
    ------
    KeyError
        No such text, not in that language, or a field of it is missing.

    Examples
    --------
    >>> text("stale.last", minutes=12)
    'data terakhir 12 menit lalu'
    """
    try:
        sentence = catalogue()[key][lang]
    except KeyError:
        raise KeyError(f"no text {key!r} in language {lang!r}") from None
    try:
        return sentence.format_map(fields)
    except KeyError as error:
        raise KeyError(f"text {key!r} needs the field {error}") from None


@functools.cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return all texts: key, language, sentence; read from the package's files once.

    Raises
    ------
    ValueError
        A key stands in two files.
    """
    tables: dict[str, Mapping[str, str]] = {}
    for file in sorted(
        (resources.files("serayu.models") / "data" / "texts").iterdir(), key=lambda one: one.name
    ):
        texts = tomllib.loads(file.read_text("utf-8"))["text"]
        if twice := tables.keys() & texts.keys():
            raise ValueError(f"{file.name}: texts that another file has: {', '.join(sorted(twice))}")
        tables |= {key: MappingProxyType(languages) for key, languages in texts.items()}
    return MappingProxyType(tables)


def decimal(value: float, decimals: int, lang: str = "id") -> str:
    """Return a number as people of that language write it; Indonesian and Javanese use a decimal comma.

    Examples
    --------
    >>> decimal(1234.5, 1), decimal(-0.04, 1), decimal(1234.5, 1, "en")
    ('1.234,5', '0,0', '1,234.5')
    """
    written = f"{round(value, decimals) + 0.0:,.{decimals}f}"
    return written if lang == "en" else written.translate(str.maketrans(",.", ".,"))
