"""What people answer to be told no more."""

import re

STOP_WORDS = frozenset({"berhenti", "stop", "unreg"})
"""BERHENTI is what our messages name; the others are what people know from other services [project proposal]."""
_FIRST_WORD = re.compile(r"\W*(\w+)")


def is_stop(text: str) -> bool:
    """Tell whether a message from a recipient asks to be told no more: by its first word, in any case.

    Examples
    --------
    >>> is_stop("Berhenti."), is_stop("kapan berhenti?")
    (True, False)
    """
    found = _FIRST_WORD.match(text)
    return found is not None and found[1].casefold() in STOP_WORDS
