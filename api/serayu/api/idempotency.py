"""Answers to POSTs that carry an ``Idempotency-Key``: asked again, they are given again.

What a POST does is idempotent by itself as well (the second acknowledgement by the same person changes nothing), so
that a repetition which reaches another process, or this one after a restart, is harmless too.
"""

from collections import OrderedDict
from typing import NamedTuple

from serayu.models.errors import BadInputError, ConflictError

__all__ = ["Answers"]

KEPT = 1000
KEY_LENGTH = range(8, 201)


class Answer(NamedTuple):
    """What was asked and what was answered."""

    question: tuple[str, ...]
    body: bytes


class Answers:
    """The last answers of this process, by caller and key; a caller is an id, since names may be the same."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, str], Answer] = OrderedDict()

    def find(self, caller: str, key: str | None, question: tuple[str, ...]) -> bytes | None:
        """Return the answer given before, None for a new question.

        Raises
        ------
        BadInputError
            The header is missing or not 8 to 200 characters long.
        ConflictError
            The key was used for another question.
        """
        found = self._answers.get((caller, self.check(key)))
        if found is None:
            return None
        if found.question != question:
            raise ConflictError("this Idempotency-Key was used for another request")
        return found.body

    @staticmethod
    def check(key: str | None) -> str:
        """Return the header.

        Raises
        ------
        BadInputError
            It is missing or not 8 to 200 characters long.
        """
        if key is None or len(key) not in KEY_LENGTH:
            raise BadInputError(
                "expected a header Idempotency-Key of 8 to 200 characters", field="Idempotency-Key"
            )
        return key

    def keep(self, caller: str, key: str, question: tuple[str, ...], body: bytes) -> None:
        """Remember an answer; the oldest is forgotten."""
        self._answers[(caller, key)] = Answer(question, body)
        while len(self._answers) > KEPT:
            self._answers.popitem(last=False)
