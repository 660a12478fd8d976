"""Ids that the same input gives again: UUID version 7 with a digest where others have chance."""

import hashlib
import uuid
from collections.abc import Iterable

from serayu.models.times import US_PER_S

__all__ = ["digest", "has_content", "stable_uuid7"]

_VERSION, _VARIANT = 0x7, 0b10
_US_PER_MS = US_PER_S // 1000
_CONTENT = (1 << 62) - 1


def digest(*parts: str) -> str:
    """Return the SHA-256, hexadecimal, of texts; ``("ab", "c")`` and ``("a", "bc")`` differ.

    Examples
    --------
    >>> digest("ab", "c") == digest("a", "bc")
    False
    """
    return _sha(parts).hexdigest()


def stable_uuid7(time_us: int | None, *parts: str) -> str:
    """Return an id that sorts by its time and depends on nothing but time and content.

    The layout is that of RFC 9562 section 5.7 with the fraction of a millisecond of section 6.2, method 3; the 62
    bits that are random elsewhere are the first of the content's SHA-256.

    Parameters
    ----------
    time_us
        Microseconds UTC since 1970; None, not known, counts as 1970.
    parts
        The content, text by text.

    Examples
    --------
    >>> stable_uuid7(1_700_000_000_000_001, "a") == stable_uuid7(1_700_000_000_000_001, "a")
    True
    >>> uuid.UUID(stable_uuid7(None, "a")).version
    7
    """
    milliseconds, microseconds = divmod(max(time_us or 0, 0), _US_PER_MS)
    fraction = microseconds * 4096 // 1000
    content = int.from_bytes(_sha(parts).digest()[:8], "big") & _CONTENT
    value = (milliseconds & (1 << 48) - 1) << 80 | _VERSION << 76 | fraction << 64 | _VARIANT << 62 | content
    return str(uuid.UUID(int=value))


def has_content(id_: str, *parts: str) -> bool:
    """Return whether `stable_uuid7` made an id of this content, at whatever time.

    Examples
    --------
    >>> has_content(stable_uuid7(5, "a"), "a"), has_content(stable_uuid7(5, "a"), "b"), has_content("S-1", "a")
    (True, False, False)
    """
    try:
        value = uuid.UUID(id_).int
    except ValueError:
        return False
    return value & _CONTENT == uuid.UUID(stable_uuid7(None, *parts)).int & _CONTENT


def _sha(parts: Iterable[str]) -> "hashlib._Hash":
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode()
        sha.update(len(data).to_bytes(8, "big") + data)
    return sha
