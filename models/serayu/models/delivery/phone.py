"""Phone numbers: one spelling inside (E.164), masked wherever people see them."""

import re

from serayu.models.errors import BadInputError

COUNTRY = "62"
_SEPARATORS = re.compile(r"[\s().-]")
_E164 = re.compile(r"\+[1-9]\d{7,14}\Z", re.ASCII)
"""At most 15 digits with the country code [ITU-T E.164]; at least 8 [project proposal]."""
_SHOWN_HEAD, _SHOWN_TAIL = 4, 2


def e164(number: str) -> str:
    """Return a phone number as ``+<country><number>``; one without a country is Indonesian.

    Raises
    ------
    BadInputError
        Not a phone number; the message does not repeat it.

    Examples
    --------
    >>> e164("0812-0000-0001"), e164("62 812 0000 0001"), e164("+65 6000 0001")
    ('+6281200000001', '+6281200000001', '+6560000001')
    """
    digits = _SEPARATORS.sub("", number)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif digits.startswith("0"):
        digits = f"+{COUNTRY}{digits[1:]}"
    elif digits.startswith(COUNTRY):
        digits = "+" + digits
    if digits.startswith(
        f"+{COUNTRY}0"
    ):  # "+62 0812 …", a common slip: the 0 belongs to the number without a country
        digits = f"+{COUNTRY}{digits[len(COUNTRY) + 2 :]}"
    if _E164.match(digits) is None:
        raise BadInputError("not a phone number, expected e.g. 0812… or +62812…", field="number")
    return digits


def masked(target: str) -> str:
    """Return an address as people may see it: enough to tell two apart, too little to use it.

    Examples
    --------
    >>> masked("+6281200000001"), masked("https://dishub.example/hook?key=1"), masked("tgram://123/456")
    ('+628********01', 'https://dishub.example/…', 'tgram://…')
    """
    if "://" not in target:
        hidden = max(0, len(target) - _SHOWN_HEAD - _SHOWN_TAIL)
        return target[:_SHOWN_HEAD] + "*" * hidden + target[-_SHOWN_TAIL:]
    scheme, _, rest = target.partition("://")
    if scheme not in ("http", "https"):
        return f"{scheme}://…"
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme}://{host}/…"
