"""Answers that a client need not fetch twice: entity tags (RFC 9110 section 8.8.3) and gzip."""

import gzip
import hashlib

from fastapi import Request, Response

__all__ = ["conditional"]

COMPRESS_FROM, COMPRESS_LEVEL = 1024, 6
VARY = "Accept-Encoding, Authorization, X-API-Key, Cookie"


def conditional(request: Request, content: bytes, media_type: str) -> Response:
    """Return a response with an ETag; 304 without content where the client knows it already.

    What is answered depends on who asks, so that only the caller's own cache may keep it.

    Parameters
    ----------
    request
        What was asked: ``If-None-Match`` and ``Accept-Encoding``.
    content
        The document; the same content always has the same tag. Weak, for gzip changes the bytes and not what they say.
    media_type
        Its type.
    """
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": VARY}
    known = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    if len(content) >= COMPRESS_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        content = gzip.compress(content, COMPRESS_LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=media_type, headers=headers)
