"""What became of a picture on its way to being kept."""

import enum
from dataclasses import dataclass

__all__ = ["Hidden", "Storing"]


class Storing(enum.StrEnum):
    """What becomes of the whole of a picture."""

    AS_IT_IS = "as_it_is"
    BLURRED = "blurred"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Hidden:
    """What became of one picture.

    Parameters
    ----------
    storing
        Of its whole.
    faces, people
        How many were hidden in it; vehicles count as people.
    """

    storing: Storing
    faces: int = 0
    people: int = 0
