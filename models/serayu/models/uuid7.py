"""Time-ordered record ids: UUID version 7 of RFC 9562 section 5.7 (Python has it from 3.14 on)."""

import secrets
import uuid

_VERSION, _VARIANT = 0x7, 0b10


def uuid7(now_us: int) -> str:
    """Return a new id that sorts by its time, to the microsecond.

    Parameters
    ----------
    now_us
        Present, microseconds UTC since 1970. The 48 bits of milliseconds are followed by 12 bits of the
        fraction (RFC 9562 section 6.2, method 3) and 62 random bits.

    Examples
    --------
    >>> early, late = uuid7(1_700_000_000_000_001), uuid7(1_700_000_000_000_002)
    >>> early < late, uuid.UUID(early).version, len(early)
    (True, 7, 36)
    """
    milliseconds, microseconds = divmod(now_us, 1000)
    fraction = microseconds * 4096 // 1000
    value = (milliseconds & (1 << 48) - 1) << 80 | _VERSION << 76 | fraction << 64 | _VARIANT << 62
    return str(uuid.UUID(int=value | secrets.randbits(62)))
