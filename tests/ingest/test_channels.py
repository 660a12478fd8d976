"""The channels: a real HTTP server of its own process, addresses that must not be reached, apprise, the log."""

import asyncio
import ipaddress
import json
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest
from typing_extensions import override

from serayu.ingest.channels.addresses import ForbiddenAddressError, is_public, resolve
from serayu.ingest.channels.channel import Answer, Outgoing
from serayu.ingest.channels.guard import public_only
from serayu.ingest.channels.webhook import Webhook
from serayu.ingest.channels.words import AppriseChannel, LogChannel
from serayu.models.delivery.recipient import Address, Channel, Recipient
from serayu.models.delivery.recipient import Gateway as PhoneGateway
from serayu.models.texts import text
from serayu.models.warning.registers import message
from tests.models.delivery.story import ACTUAL, PHONE, agency, citizen
from tests.servers import free_port, listens, wait_for

SECRET = "kunci-uji"  # noqa: S105 -- of the tests
RECEIVER = Path(__file__).with_name("hook_receiver.py")


@contextmanager
def receiver(port: int, file: Path, mode: str = "200") -> Iterator[subprocess.Popen[bytes]]:
    """Run a receiver; killed at the end, if it has not ended by itself."""
    with subprocess.Popen([sys.executable, RECEIVER, str(port), file, SECRET, mode]) as process:
        try:
            wait_for(lambda: listens(port), what="receiver")
            yield process
        finally:
            process.kill()


def received(file: Path) -> list[dict[str, Any]]:
    """Return what a receiver has written; the line that it is writing comes the next time."""
    lines = file.read_text("utf-8").split("\n")[:-1] if file.exists() else []
    return [json.loads(line) for line in lines]


def outgoing(
    target: str, *, to: Recipient | None = None, attempt: int = 1, secret: str | None = SECRET
) -> Outgoing:
    return Outgoing("d-1", attempt, ACTUAL, to or agency(allow_private=True), Address(target, secret))


def test_a_post_arrives_signed_and_a_repetition_is_known_by_its_id(tmp_path: Path) -> None:
    port, file, hook = free_port(), tmp_path / "received", Webhook()
    with receiver(port, file):
        for attempt in (1, 2):
            sent = hook.send(outgoing(f"http://localhost:{port}/siaga?key=a", attempt=attempt))
            assert sent == Answer(ok=True, detail="HTTP 200")
    first, second = received(file)
    assert first["good"]
    assert first["timestamp_matches"]
    assert (first["path"], first["host"]) == ("/siaga?key=a", f"localhost:{port}")
    assert (first["id"], first["attempt"], first["duplicate"]) == ("d-1", 1, False)
    assert (second["id"], second["attempt"], second["duplicate"]) == ("d-1", 2, True)
    assert first["body"] == second["body"]
    assert (first["body"]["id"], first["body"]["level"]) == (ACTUAL.id, "siaga")


@pytest.mark.parametrize(
    ("mode", "answer"),
    [
        ("500", Answer(ok=False, detail="HTTP 500")),
        ("404", Answer(ok=False, detail="HTTP 404")),
        ("410", Answer(ok=False, detail="HTTP 410", final=True)),
        ("lead", Answer(ok=False, detail="HTTP 302")),
        ("late", Answer(ok=False, detail="the server broke off")),
        ("deaf", Answer(ok=False, detail="no answer within 0.5 s")),
        ("drip", Answer(ok=False, detail="no answer within 0.5 s")),
    ],
)
def test_every_bad_answer_is_an_answer(tmp_path: Path, mode: str, answer: Answer) -> None:
    port, file = free_port(), tmp_path / "received"
    silent = answer.detail.startswith("no answer")  # the others are given the time that a busy machine needs
    with receiver(port, file, mode):
        found = Webhook(deadline_s=0.5 if silent else 20.0).send(outgoing(f"http://127.0.0.1:{port}/"))
    assert found == answer or (mode == "late" and found.detail == "the connection broke")
    assert [one["path"] for one in received(file)] == ["/"]


def test_a_server_that_is_not_there_is_tried_again() -> None:
    assert Webhook().send(outgoing(f"http://127.0.0.1:{free_port()}/")) == Answer(
        ok=False, detail="cannot connect"
    )


@pytest.mark.parametrize(
    "target", ["", "dishub.example", "ftp://dishub.example", "http://", "http://[::1", "javascript:x"]
)
def test_what_is_no_web_address_is_refused_for_good(target: str) -> None:
    assert Webhook().send(outgoing(target)).final


def test_nothing_is_sent_unsigned() -> None:
    assert Webhook().send(outgoing("https://dishub.example/", secret=None)).final


INSIDE = (
    "127.0.0.1",
    "localhost",
    "0.0.0.0",  # noqa: S104 -- to be refused
    "10.1.2.3",
    "192.168.1.1",
    "169.254.169.254",
    "[::1]",
    "[::ffff:7f00:1]",
    "2130706433",
    "0x7f.1",
)


def test_an_address_inside_is_refused_unless_allowed(tmp_path: Path) -> None:
    port, file, hook = free_port(), tmp_path / "received", Webhook()
    refused = Answer(ok=False, detail="refused: not a public address", final=True)
    with receiver(port, file):
        answers = {host: hook.send(outgoing(f"http://{host}:{port}/", to=agency())) for host in INSIDE}
        assert answers == dict.fromkeys(INSIDE, refused)
        assert received(file) == []
        assert hook.send(outgoing(f"http://[::ffff:127.0.0.1]:{port}/")).ok  # allowed: an address in brackets


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("172.16.0.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::8.8.8.8", True),
    ],
)
def test_public_addresses(address: str, *, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


def test_one_forbidden_address_forbids_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(ForbiddenAddressError):
        asyncio.run(resolve("rebinding.example", 443, allow_private=False))
    assert len(asyncio.run(resolve("rebinding.example", 443, allow_private=True))) == 2


def test_the_connection_goes_to_the_address_that_was_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is resolved once: a second answer, which could be another one, is never asked for."""
    port, file, asked = free_port(), tmp_path / "received", []
    real = socket.getaddrinfo

    def resolver(host: str, *rest: Any, **named: Any) -> Any:  # noqa: ANN401 -- as there
        asked.append(host)
        name = "127.0.0.1" if host == "siaga.example" else host
        return real(name, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    with receiver(port, file):
        assert Webhook().send(outgoing(f"http://siaga.example:{port}/")).ok
    assert asked.count("siaga.example") == 1
    assert [one["host"] for one in received(file)] == [f"siaga.example:{port}"]


def test_no_line_of_the_log_holds_the_address(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    port = free_port()
    with receiver(port, tmp_path / "received"):
        Webhook().send(outgoing(f"http://127.0.0.1:{port}/rahasia?key=geheim"))
    assert "rahasia" not in caplog.text
    assert "geheim" not in caplog.text


def no_gateway(_channel: Channel) -> None:
    """Return nothing: there is no gateway."""


class Gateway(BaseHTTPRequestHandler):
    """Stands for the gateway of a phone provider: keeps what apprise posts."""

    requests: list[tuple[str, dict[str, Any]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append((self.path, json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(name="gateway")
def _gateway() -> Iterator[HTTPServer]:
    Gateway.requests = []
    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_phone_gets_one_short_message_through_the_gateway(
    gateway: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"json://127.0.0.1:{gateway.server_port}/kirim/{{number}}"
    channel = AppriseChannel({Channel.SMS: PhoneGateway(url, allow_private=True)}.get)
    assert channel.send(outgoing(PHONE, to=citizen(), secret=None)) == Answer(
        ok=True, detail="apprise: taken"
    )
    ((path, body),) = Gateway.requests
    assert path.rstrip("/") == "/kirim/6281200000001"
    assert 0 < len(body["message"]) <= 160
    assert "81200000001" not in caplog.text


def test_a_phone_without_a_gateway_waits() -> None:
    channel = AppriseChannel({Channel.SMS: None}.get)
    assert channel.send(outgoing(PHONE, to=citizen())) == Answer(ok=False, detail="no gateway for sms")


def test_apprise_says_headline_and_instruction_in_the_recipients_language(gateway: HTTPServer) -> None:
    channel = AppriseChannel(no_gateway)
    url = f"json://127.0.0.1:{gateway.server_port}/"
    english = agency(channel=Channel.APPRISE, languages=("en",), allow_private=True)
    assert channel.send(outgoing(url, to=english)).ok
    assert channel.send(outgoing(url, to=msgspec.structs.replace(english, languages=("id",)))).ok
    (_, first), (_, second) = Gateway.requests
    assert first["title"]
    assert "Hulu" in first["title"] + first["message"]
    assert first["message"] != second["message"]


def test_a_draft_language_stands_below_the_indonesian_and_is_marked(gateway: HTTPServer) -> None:
    speaker = agency(channel=Channel.APPRISE, languages=("jv-banyumas",), allow_private=True)
    assert (
        AppriseChannel(no_gateway).send(outgoing(f"json://127.0.0.1:{gateway.server_port}/", to=speaker)).ok
    )
    ((_, sent),) = Gateway.requests
    formal = message(ACTUAL)
    assert sent["title"] == formal.headline
    assert sent["message"].startswith(formal.description)
    assert text("bulletin.draft") in sent["message"]


def test_no_datagram_goes_inside_by_any_call() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, public_only() as watch:
        with pytest.raises(PermissionError):
            datagrams.sendto(b"", ("127.0.0.1", 9))
        with pytest.raises(PermissionError):
            datagrams.sendmsg([b""], [], 0, ("127.0.0.1", 9))
    assert watch.refused


def test_an_apprise_url_that_is_none_is_refused_for_good() -> None:
    answer = AppriseChannel(no_gateway).send(outgoing("nothing://at.all", to=agency(channel=Channel.APPRISE)))
    assert answer == Answer(ok=False, detail="not an apprise URL", final=True)


def test_a_service_that_does_not_answer_is_tried_again() -> None:
    url, to = f"json://127.0.0.1:{free_port()}/", agency(channel=Channel.APPRISE, allow_private=True)
    answer = AppriseChannel(no_gateway).send(outgoing(url, to=to))
    assert answer == Answer(ok=False, detail="apprise: not taken")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433"])
def test_apprise_does_not_connect_to_an_address_inside_unless_allowed(gateway: HTTPServer, host: str) -> None:
    channel = AppriseChannel(
        {Channel.SMS: PhoneGateway(f"json://{host}:{gateway.server_port}/{{number}}")}.get
    )
    refused = Answer(ok=False, detail="refused: not a public address", final=True)
    to = agency(channel=Channel.APPRISE)
    assert channel.send(outgoing(f"json://{host}:{gateway.server_port}/", to=to)) == refused
    assert channel.send(outgoing(PHONE, to=citizen(allow_private=True), secret=None)) == refused
    assert Gateway.requests == []


def test_a_name_that_leads_inside_is_refused_when_the_connection_is_made(
    gateway: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, *rest, **named: real("127.0.0.1", *rest, **named)
    )
    url = f"json://siaga.example:{gateway.server_port}/"
    answer = AppriseChannel(no_gateway).send(outgoing(url, to=agency(channel=Channel.APPRISE)))
    assert answer == Answer(ok=False, detail="refused: not a public address", final=True)
    assert Gateway.requests == []


def test_only_the_thread_that_asks_for_it_is_kept_from_inside(gateway: HTTPServer) -> None:
    place = ("127.0.0.1", gateway.server_port)
    with public_only() as watch:
        with pytest.raises(PermissionError), socket.create_connection(place):
            pass
        with pytest.raises(PermissionError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", place)
        with pytest.raises(PermissionError), socket.socket(socket.AF_UNIX) as unix:
            unix.connect("nowhere.socket")
        assert watch.refused
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: socket.create_connection(place).close()).result()
    socket.create_connection(place).close()


def test_a_service_that_hangs_is_waited_for_no_longer_than_the_deadline() -> None:
    to = agency(channel=Channel.APPRISE, allow_private=True)
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections and says nothing
        url = f"json://127.0.0.1:{deaf.getsockname()[1]}/?rto=30"
        channel = AppriseChannel(no_gateway, deadline_s=0.2, at_once=1)
        assert channel.send(outgoing(url, to=to)).detail == "apprise: no answer within 0.2 s"
        assert channel.send(outgoing(url, to=to)).detail == "apprise: too many attempts hang"
    wait_for(lambda: "hang" not in channel.send(outgoing("nothing://", to=to)).detail, what="the free place")


def test_the_log_says_what_would_be_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert LogChannel().send(outgoing("-", to=agency(channel=Channel.LOG))).ok
    assert "Hulu" in caplog.text
