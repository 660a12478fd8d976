"""Where the shared data lie, beside the checkout; tests that need them skip without them."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parent.parent.parent / "shared"


def shared(*parts: str) -> Path:
    """Return a path in the shared data; skips the test where they are absent."""
    path = SHARED.joinpath(*parts)
    if not SHARED.is_dir():
        pytest.skip("the shared data are not beside the checkout")
    return path
