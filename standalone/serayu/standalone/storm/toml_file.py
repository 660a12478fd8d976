"""Reading a region's TOML files with errors that name file and field."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from serayu.models.errors import BadInputError

__all__ = ["converted", "read_toml"]

T = TypeVar("T")


def read_toml(file: Path) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Raises
    ------
    BadInputError
        It cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"not TOML: {error}", file=file) from None


def converted(value: object, kind: type[T], *, file: Path, field: str | None = None) -> T:
    """Return *value* as *kind*.

    Raises
    ------
    BadInputError
        A field is missing, unknown or wrong.
    """
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadInputError(str(error), file=file, field=field) from None
