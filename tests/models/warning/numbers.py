"""Numbers, dates and times as they stand in a text of any of the languages, for comparison."""

import re
from collections import Counter
from decimal import Decimal

CODE = re.compile(r"\b\d\d\.\d\d\.\d\d\.\d{4}\b")
DATE = re.compile(r"\b\d\d-\d\d-\d{4}\b")
TIME = re.compile(r"\b\d\d\.\d\d WIB")
NUMBER = re.compile(r"(?:(?<![\w)])-)?\d(?:[\d.,]*\d)?", re.ASCII)


def numbers(text: str, lang: str) -> Counter[str]:
    """Return codes, dates, times and numbers of a text with how often each is there; numbers as decimals."""
    found: Counter[str] = Counter()
    for pattern in (CODE, DATE, TIME):
        found.update(pattern.findall(text))
        text = pattern.sub(" ", text)
    for written in NUMBER.findall(text):
        plain = written.replace(",", "") if lang == "en" else written.replace(".", "").replace(",", ".")
        found[str(Decimal(plain).normalize() + 0)] += 1
    return found
