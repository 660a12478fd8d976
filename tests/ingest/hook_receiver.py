"""A webhook's receiver, run as a process of its own: checks the signature, marks repetitions, keeps what came.

``python tests/ingest/hook_receiver.py PORT FILE SECRET [MODE]`` appends one JSON line a request to FILE, which is on
disk before it answers. MODE: ``late`` keeps the request and ends without an answer, ``deaf`` never answers,
``drip`` answers one byte a tenth of a second, ``lead`` redirects to ``/elsewhere``, or a status to answer with.
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from typing_extensions import override

from serayu.models.delivery.signature import (
    ATTEMPT_HEADER,
    ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    verify_signature,
)


class Receiver(BaseHTTPRequestHandler):
    """One request."""

    file: Path
    secret: str
    mode: str

    def do_POST(self) -> None:
        """Keep a request, then answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signature = self.headers[SIGNATURE_HEADER]
        known = [json.loads(line)["id"] for line in self.file.read_text("utf-8").splitlines()]
        line = {
            "id": self.headers[ID_HEADER],
            "attempt": int(self.headers[ATTEMPT_HEADER]),
            "duplicate": self.headers[ID_HEADER] in known,
            "good": verify_signature(body, signature, self.secret, now_s=time.time()),
            "timestamp_matches": signature.startswith(f"t={self.headers[TIMESTAMP_HEADER]},"),
            "host": self.headers["Host"],
            "path": self.path,
            "body": json.loads(body),
        }
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        self._answer()

    def _answer(self) -> None:
        if self.mode == "late":
            os._exit(1)
        if self.mode == "deaf":
            time.sleep(60)
        if self.mode == "drip":
            for byte in b"HTTP/1.1 200 " + b"x" * 600:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.1)
        self.send_response(302 if self.mode == "lead" else int(self.mode))
        if self.mode == "lead":
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until killed."""
    port, file, secret, *rest = sys.argv[1:]
    Receiver.file, Receiver.secret, Receiver.mode = Path(file), secret, rest[0] if rest else "200"
    Receiver.file.touch()
    ThreadingHTTPServer(("127.0.0.1", int(port)), Receiver).serve_forever()


if __name__ == "__main__":
    main()
