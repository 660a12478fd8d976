"""Signatures of webhooks: HMAC-SHA256 (RFC 2104) over time and body, made here and checked by receivers.

The header is ``Serayu-Signature: t=<seconds since 1970>,v1=<64 hexadecimal digits>``; what is signed is the number of
seconds as it stands in the header, a full stop, and the body's bytes. A receiver refuses old times, so that a
request that somebody recorded cannot be played again later, and keeps the ``Serayu-Id`` it has seen, because a
delivery that was perhaps not received comes again with the same id.
"""

import hashlib
import hmac
import re

ID_HEADER = "Serayu-Id"
TIMESTAMP_HEADER = "Serayu-Timestamp"
SIGNATURE_HEADER = "Serayu-Signature"
ATTEMPT_HEADER = "Serayu-Attempt"
TOLERANCE_S = 300
"""How old a request may be [project proposal]."""
_HEADER = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})\Z", re.ASCII)


def sign(body: bytes, secret: str, *, timestamp_s: int) -> str:
    """Return the signature header of a body.

    Parameters
    ----------
    body
        The request's body, byte for byte.
    secret
        Shared with the receiver.
    timestamp_s
        Present, whole seconds since 1970 UTC.

    Examples
    --------
    >>> sign(b'{"level":"siaga"}', "rahasia", timestamp_s=1700000000)[:22]
    't=1700000000,v1=3d6ccc'
    """
    return f"t={timestamp_s},v1={_digest(body, secret, str(timestamp_s))}"


def verify_signature(
    body: bytes, header: str, secret: str, *, now_s: float, tolerance_s: float = TOLERANCE_S
) -> bool:
    """Tell whether a request is from who has the secret, whole, and fresh.

    Parameters
    ----------
    body
        The request's body as received, before anything parses it.
    header
        Value of ``Serayu-Signature``.
    secret
        Shared with the sender.
    now_s, tolerance_s
        Present in seconds since 1970 UTC, and how far the request's time may lie from it.
    """
    found = _HEADER.match(header)
    if found is None or abs(now_s - int(found[1])) > tolerance_s:
        return False
    return hmac.compare_digest(found[2], _digest(body, secret, found[1]))


def _digest(body: bytes, secret: str, timestamp: str) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
