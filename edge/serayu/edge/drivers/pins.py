"""What drivers on GPIO pins share: gpiozero's errors become ours at this one door."""

from collections.abc import Iterator
from contextlib import contextmanager

from gpiozero.exc import GPIOZeroError

__all__ = ["pins_in_use"]


@contextmanager
def pins_in_use() -> Iterator[None]:
    """Turn gpiozero's errors (no pin library, no such pin, pin in use) into ValueError with their text."""
    try:
        yield
    except GPIOZeroError as error:
        raise ValueError(f"GPIO: {error}") from error
