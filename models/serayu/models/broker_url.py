"""Address of an MQTT broker: ``mqtt://user:password@host:1883`` or ``mqtts://…``."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from typing_extensions import override

from serayu.models.errors import BadInputError

_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}


class BrokerUrl(NamedTuple):
    """Parts of a broker's address; the text form never shows the password."""

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, text: str) -> "BrokerUrl":
        """Return the parts of an address.

        Raises
        ------
        BadInputError
            Not of the form ``mqtt[s]://[user[:password]@]host[:port]``.

        Examples
        --------
        >>> BrokerUrl.parse("mqtts://bgs-hulu:pw@broker").port
        8883
        """
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise BadInputError(f"broker address: {error}") from None
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise BadInputError(f"broker address must be mqtt[s]://host[:port], not {parts.scheme}://…")
        username = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return cls(
            parts.hostname, port or _DEFAULT_PORTS[parts.scheme], parts.scheme == "mqtts", username, password
        )

    @override
    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"
