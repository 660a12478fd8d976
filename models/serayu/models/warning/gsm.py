"""The GSM 7-bit alphabet of short messages: 3GPP TS 23.038 section 6.2.1 (once GSM 03.38)."""

import unicodedata

SEPTETS = 160
"""Letters of one short message; one of the extension table counts two."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
_REPLACED = str.maketrans(
    {
        "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "‘": "'", "’": "'", "‚": "'", "ʼ": "'", "`": "'",  # noqa: RUF001 -- the letters to be replaced
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "…": "...", "·": ".", "•": "-", "×": "x", "≥": ">=",
        "≤": "<=", "±": "+/-", "°": " ", "ç": "c", "ð": "d", "þ": "th", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
        "œ": "oe", "Œ": "OE", "ı": "i",  # noqa: RUF001 -- the letters to be replaced
    }
)  # fmt: skip


def septets(text: str) -> int:
    """Return how many septets a text takes.

    Raises
    ------
    ValueError
        A letter that is not in the alphabet.

    Examples
    --------
    >>> septets("Siaga 2"), septets("[€]")
    (7, 6)
    """
    foreign = set(text) - BASIC - EXTENSION
    if foreign:
        raise ValueError(f"not in the GSM alphabet: {''.join(sorted(foreign))!r}")
    return len(text) + sum(char in EXTENSION for char in text)


def gsm(text: str) -> str:
    """Return a text in letters of the alphabet: others lose their accents, are written otherwise, or become ``?``.

    Examples
    --------
    >>> gsm("Sungai Kémit – “Pos Ā” 雨")
    'Sungai Kémit - "Pos A" ?'
    """
    return "".join(
        char if char in BASIC or char in EXTENSION else _plain(char) for char in text.translate(_REPLACED)
    )


def _plain(char: str) -> str:
    """Return a letter without its accents; a lone accent is dropped."""
    if unicodedata.combining(char):
        return ""
    parts = unicodedata.normalize("NFKD", char).translate(_REPLACED)
    kept = "".join(part for part in parts if not unicodedata.combining(part))
    return "".join(part if part in BASIC or part in EXTENSION else "?" for part in kept) or "?"
