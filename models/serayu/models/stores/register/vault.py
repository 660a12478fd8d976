"""What keeps addresses secret at rest: a key file of the data folder, made when it is first used."""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from serayu.models.errors import BadInputError

KEY_FILE = "delivery.key"
KEY_MODE = 0o600
_OTHERS = 0o077
_HASH_LABEL = b"serayu address lookup v1"


class Vault:
    """Encrypts, decrypts and looks up addresses with one key.

    Encryption is Fernet (AES-128-CBC with HMAC-SHA256, the specification at
    https://github.com/fernet/spec); lookup is HMAC-SHA256 under a key derived from the same file, so that a
    number can be found without decrypting all, and a register without its key file tells no number.

    Parameters
    ----------
    key
        A Fernet key: 32 random bytes in URL-safe base64.

    Raises
    ------
    BadInputError
        Not a Fernet key.
    """

    def __init__(self, key: bytes) -> None:
        from cryptography.fernet import Fernet  # noqa: PLC0415 -- only a process that reads addresses needs it

        try:
            self._fernet = Fernet(key)
        except ValueError:
            raise BadInputError("not a Fernet key", file=KEY_FILE) from None
        self._lookup = hmac.digest(key, _HASH_LABEL, "sha256")

    @classmethod
    def open(cls, file: Path) -> "Vault":
        """Read the key file, or make it with mode 0600.

        Raises
        ------
        BadInputError
            It cannot be read or made, others may read it, or it holds no key.
        """
        try:
            with suppress(FileExistsError):
                _make(file)
            if file.stat().st_mode & _OTHERS:
                raise BadInputError("others may read this key; run chmod 600 on it", file=file)
            return cls(file.read_bytes().strip())
        except OSError as error:
            raise BadInputError(error.strerror or str(error), file=file) from None

    def seal(self, text: str) -> str:
        """Return a text encrypted; twice the same gives two different ones."""
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Return what was encrypted.

        Raises
        ------
        BadInputError
            It was encrypted with another key, or changed.
        """
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 -- see above

        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            message = "an address was encrypted with another key: restore the key file of this register"
            raise BadInputError(message, file=KEY_FILE) from None

    def lookup(self, text: str) -> str:
        """Return the keyed hash by which an address is found."""
        return hmac.new(self._lookup, text.encode(), hashlib.sha256).hexdigest()


def _make(file: Path) -> None:
    """Create the key file whole or not at all: of two first users one wins and both read its key."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 -- see above

    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists():
        return
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_MODE)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(Fernet.generate_key() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.link(draft, file)
    finally:
        draft.unlink()
