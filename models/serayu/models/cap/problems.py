"""What is wrong with a document that should be an alert or a feed of alerts."""

import enum
from collections.abc import Iterator

import msgspec

from serayu.models.cap.read import path_of
from serayu.models.cap.safe import Element


class ProblemSeverity(enum.StrEnum):
    """ERROR makes a document invalid; WARNING is bad practice or allowed by the standard alone."""

    ERROR = "error"
    WARNING = "warning"


class CapProblem(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Parameters
    ----------
    code
        Stable word, e.g. ``expires_before_sent``.
    message
        For people, in one clause.
    path
        The element, e.g. ``/alert/info[2]/expires``; "" for the whole document.
    severity
        See there.
    """

    code: str
    message: str
    path: str = ""
    severity: ProblemSeverity = ProblemSeverity.ERROR


Problems = Iterator[CapProblem]


def error(code: str, message: str, element: Element) -> CapProblem:
    """Return an error at an element."""
    return CapProblem(code, message, path_of(element), ProblemSeverity.ERROR)


def warning(code: str, message: str, element: Element) -> CapProblem:
    """Return a warning at an element."""
    return CapProblem(code, message, path_of(element), ProblemSeverity.WARNING)
