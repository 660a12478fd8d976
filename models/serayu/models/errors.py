"""Every error that Serayu raises on purpose.

::

    SerayuError
    ├── BadInputError            a file, row or field that a person can correct
    ├── CodecError               a message that cannot be decoded
    ├── RefusedError             a decoded reading that cannot be accepted
    ├── StoreError
    │   ├── StoreUnavailableError    locked, unreachable: try again
    │   └── StoreFullError           no room left, or the disk guard closed the door
    ├── NotFoundError            no such record
    └── ConflictError            the record is not in the state that the request assumes
"""

from pathlib import Path


class SerayuError(Exception):
    """Base of all errors raised on purpose; its text is one line for a person."""


class BadInputError(SerayuError):
    """Input that a person can correct.

    Parameters
    ----------
    reason
        What is wrong, in one clause.
    file, row, field
        Where it is wrong, as far as known; ``row`` counts from 1 and includes a header line.
    """

    def __init__(
        self, reason: str, *, file: Path | str | None = None, row: int | None = None, field: str | None = None
    ) -> None:
        self.reason = reason
        self.file = str(file) if file is not None else None
        self.row = row
        self.field = field
        place = [str(file)] if file is not None else []
        place += [f"row {row}"] if row is not None else []
        place += [f"field {field}"] if field is not None else []
        super().__init__(": ".join([", ".join(place), reason]) if place else reason)


class CodecError(SerayuError):
    """A message that cannot be decoded, so no reading in it can be confirmed or rejected by name."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}")


class RefusedError(SerayuError):
    """A decoded reading that cannot be accepted; ``code`` is a stable word, ``detail`` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}")


class StoreError(SerayuError):
    """A store did not do what was asked."""


class StoreUnavailableError(StoreError):
    """A store is locked or unreachable; nothing was written, and trying again may succeed."""


class StoreFullError(StoreError):
    """A store has no room; nothing was written."""


class NotFoundError(SerayuError):
    """No record of that name."""


class ConflictError(SerayuError):
    """The record is not in the state that the request assumes."""


def plain(error: BaseException) -> str:
    """Return what an error says for a person: of the system's errors, also behind others, without their number.

    Examples
    --------
    >>> plain(FileNotFoundError(2, "No such file or directory", "a/classes.txt")), plain(ValueError("no number"))
    ('No such file or directory', 'no number')
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error)
