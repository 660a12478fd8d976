"""Messages from phones, as a gateway passes them on: what may be in one, and the secret that signs them."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

import msgspec

from serayu.models.delivery.recipient import Channel
from serayu.models.errors import BadInputError

SECRET_FILE = "gateway.key"  # noqa: S105 -- the file's name
SECRET_MODE = 0o600
SECRET_AT_LEAST = 32
"""Characters, as of session secrets [project proposal]."""
_SECRET_BYTES = 32
_OTHERS = 0o077


class InboundMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """One message from a phone.

    Parameters
    ----------
    channel
        By which it came: ``sms`` or ``whatsapp``.
    sender
        Phone number, ``from`` in JSON.
    text
        What it says.
    """

    channel: Channel
    sender: str
    text: str


def read_inbound(body: bytes) -> InboundMessage:
    """Return the message of a request's body.

    Raises
    ------
    BadInputError
        Not such a document, or of a channel without phone numbers; the number is not repeated.
    """
    try:
        message = msgspec.json.decode(body, type=InboundMessage)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInputError(str(error), field="body") from None
    if not message.channel.is_phone:
        raise BadInputError("expected sms or whatsapp", field="channel")
    return message


def inbound_secret(folder: Path) -> str | None:
    """Return the secret with which gateways sign; None where none was made.

    Raises
    ------
    BadInputError
        The file cannot be read, others may read it, or it is too short.
    """
    file = folder / SECRET_FILE
    try:
        if file.stat().st_mode & _OTHERS:
            raise BadInputError("others may read this secret; run chmod 600 on it", file=file)
        secret = file.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(str(error), file=file) from None
    if len(secret) < SECRET_AT_LEAST:
        raise BadInputError(f"shorter than {SECRET_AT_LEAST} characters", file=file)
    return secret


def make_inbound_secret(folder: Path) -> str:
    """Make a new secret in place of the one before, and return it."""
    file = folder / SECRET_FILE
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secret + "\n")
        draft.replace(file)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
    return secret
