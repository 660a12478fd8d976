"""A receiver of webhooks, run as a process of its own, that writes down every request before it answers.

``python -m serayu.standalone.drill.hook PORT FILE [DIES_ON]``; ``SERAYU_HOOK_SECRETS`` holds a JSON object of path
and secret. Each request becomes one JSON line of FILE, on disk before the answer; one whose id stands there already
is marked as a duplicate, as every receiver should. With DIES_ON, a type of bulletin, the process kills itself after
it has written down the first of that type, before it answers: the sender cannot know whether it came, and must send
it again.
"""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
from typing_extensions import override

from serayu.models.delivery.signature import ATTEMPT_HEADER, ID_HEADER, SIGNATURE_HEADER, verify_signature
from serayu.models.parent import leave_with_parent

SECRETS_VARIABLE = "SERAYU_HOOK_SECRETS"
MOST_BYTES = 1 << 20
_NO_CONTENT, _UNAUTHORIZED = 204, 401


class Received(msgspec.Struct, frozen=True):
    """One request.

    Parameters
    ----------
    id, attempt
        Of the delivery: the same id in every attempt.
    path
        Which recipient's address.
    good
        Whether the signature is right and fresh.
    duplicate
        Whether the id had come before.
    bulletin, alert
        What the body says; empty where the signature is bad, for then it is not read.
    at_us
        When it was whole, by the computer's clock, microseconds UTC.
    """

    id: str
    attempt: int
    path: str
    good: bool
    duplicate: bool
    bulletin: str
    alert: str
    at_us: int


def read_received(file: Path) -> list[Received]:
    """Return what is written down so far; a last line that was cut off by the receiver's end was never answered."""
    if not file.exists():
        return []
    lines = file.read_bytes().split(b"\n")[:-1]
    return [msgspec.json.decode(line, type=Received) for line in lines if line]


class Book:
    """The file and what is known of it; requests come in threads."""

    def __init__(self, file: Path, secrets: dict[str, str], *, dies_on: str | None) -> None:
        known = read_received(file)
        self._secrets = secrets
        self._dies_on = dies_on
        self._ids = {one.id for one in known}
        self._lock = threading.Lock()
        self._stream = file.open("ab")
        size = sum(len(msgspec.json.encode(one)) + 1 for one in known)
        self._stream.truncate(size)  # a line that was cut off

    def note(self, path: str, headers: dict[str, str], body: bytes) -> bool:
        """Write a request down; return whether its signature is good."""
        now_us = time.time_ns() // 1000
        secret = self._secrets.get(path)
        header = headers.get(SIGNATURE_HEADER.lower(), "")
        good = secret is not None and verify_signature(body, header, secret, now_s=now_us / 1e6)
        told = json.loads(body) if good else {}
        with self._lock:
            name = headers.get(ID_HEADER.lower(), "")
            one = Received(
                id=name,
                attempt=int(headers.get(ATTEMPT_HEADER.lower(), "0")),
                path=path,
                good=good,
                duplicate=name in self._ids,
                bulletin=told.get("id", ""),
                alert=told.get("alert", ""),
                at_us=now_us,
            )
            self._stream.write(msgspec.json.encode(one) + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._ids.add(name)
            if self._dies_on is not None and told.get("type") == self._dies_on:
                os.kill(os.getpid(), signal.SIGKILL)  # in the midst of it, as a machine that loses its power
        return good


def _handler(book: Book) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(min(length, MOST_BYTES))
            headers = {name.lower(): value for name, value in self.headers.items()}
            good = book.note(self.path, headers, body)
            self.send_response(_NO_CONTENT if good else _UNAUTHORIZED)
            self.send_header("Content-Length", "0")
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the file says it."""

    return Handler


def main() -> None:
    """Serve until told to end, or killed."""
    port, file, *rest = sys.argv[1:]
    leave_with_parent()
    book = Book(Path(file), json.loads(os.environ[SECRETS_VARIABLE]), dies_on=rest[0] if rest else None)
    ThreadingHTTPServer(("127.0.0.1", int(port)), _handler(book)).serve_forever()


if __name__ == "__main__":
    main()
