"""Logins of pages: a signed cookie, and the token that a form must bring back (CSRF).

The cookie holds the key's id and an end, signed with the session secret: no table is needed and any api process can
check it. A revoked key ends its sessions, because every request looks the key up.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import NamedTuple

from serayu.models.errors import BadInputError

__all__ = ["COOKIE", "Session", "Sessions", "keep_secret"]

COOKIE = "serayu_session"
SECRET_BYTES = 32


class Session(NamedTuple):
    """A login: which key, until when, and its random name."""

    key_id: str
    until_us: int
    nonce: str


class Sessions:
    """Makes and checks session cookies.

    Parameters
    ----------
    secret
        What signs them.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def cookie(self, key_id: str, *, until_us: int) -> str:
        """Return a new session's cookie."""
        payload = f"{key_id}|{until_us}|{secrets.token_urlsafe(9)}"
        return f"{_text(payload.encode())}.{self._sign('session', payload)}"

    def read(self, cookie: str, *, now_us: int) -> Session | None:
        """Return the session of a cookie, None for a forged, broken or ended one."""
        encoded, _, signature = cookie.partition(".")
        try:
            payload = _bytes(encoded).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
        if not hmac.compare_digest(signature.encode(), self._sign("session", payload).encode()):
            return None
        key_id, until, nonce = payload.split("|")
        session = Session(key_id, int(until), nonce)
        return session if session.until_us > now_us else None

    def csrf(self, session: Session) -> str:
        """Return what a form of this session must bring back."""
        return self._sign("csrf", f"{session.key_id}|{session.nonce}")

    def csrf_holds(self, session: Session, token: str) -> bool:
        """Whether a form brought back the right token."""
        return hmac.compare_digest(token.encode(), self.csrf(session).encode())

    def _sign(self, purpose: str, payload: str) -> str:
        return _text(hmac.digest(self._secret, f"{purpose}\x00{payload}".encode(), hashlib.sha256))


def keep_secret(file: Path) -> bytes:
    """Return the secret in a file of mode 0600, made with its folder on the first call.

    Raises
    ------
    BadInputError
        The file is empty, or others may read it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if file.stat().st_mode & 0o077:
            raise BadInputError("others may read this secret: chmod 600 it", file=file) from None
        secret = file.read_bytes().strip()
        if len(secret) < SECRET_BYTES:
            raise BadInputError(
                "the secret is too short: remove the file to have one generated", file=file
            ) from None
        return secret
    with os.fdopen(descriptor, "wb") as stream:
        secret = secrets.token_hex(SECRET_BYTES).encode()
        stream.write(secret)
    return secret


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
