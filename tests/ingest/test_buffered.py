"""The buffered socket: small reads from one large one, and packets that never mix."""

import socket
import ssl
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from serayu.ingest.buffered import BufferedClient, BufferedSocket, puback_packets, publish_packet


class NarrowSocket:
    """Takes a few bytes a call, and none at all when told so, as a full send buffer does."""

    def __init__(self, *, takes: int, incoming: bytes = b"") -> None:
        self.takes = takes
        self.refusal: type[OSError] = BlockingIOError
        self.incoming = incoming
        self.sent = b""
        self.reads = 0

    def send(self, data: bytes) -> int:
        if self.takes == 0:
            raise self.refusal
        piece = bytes(data[: self.takes])
        self.sent += piece
        return len(piece)

    def close(self) -> None:
        """Do nothing; paho closes what it has."""

    def fileno(self) -> int:
        return -1

    def recv(self, count: int) -> bytes:
        self.reads += 1
        if not self.incoming:
            raise BlockingIOError
        piece, self.incoming = self.incoming[:count], self.incoming[count:]
        return piece


def test_many_small_reads_ask_the_kernel_once() -> None:
    inner = NarrowSocket(takes=1, incoming=b"0123456789")
    buffered = BufferedSocket(inner)
    assert [buffered.recv(1), buffered.recv(3), buffered.recv(100)] == [b"0", b"123", b"456789"]
    assert inner.reads == 1


def test_pending_says_what_can_be_read_without_asking_the_kernel() -> None:
    buffered = BufferedSocket(NarrowSocket(takes=1, incoming=b"abc"))
    assert buffered.pending() == 0
    buffered.recv(1)
    assert buffered.pending() == 2
    buffered.recv(2)
    assert buffered.pending() == 0
    with pytest.raises(BlockingIOError):
        buffered.recv(1)


def test_pending_counts_what_tls_has_decrypted() -> None:
    inner = NarrowSocket(takes=1, incoming=b"abc")
    inner.pending = lambda: 7  # type: ignore[attr-defined]
    buffered = BufferedSocket(inner)
    buffered.recv(1)
    assert buffered.pending() == 2 + 7


@given(incoming=st.binary(max_size=300), counts=st.lists(st.integers(min_value=1, max_value=40), min_size=1))
def test_reads_of_any_sizes_give_the_bytes_that_came(incoming: bytes, counts: list[int]) -> None:
    buffered = BufferedSocket(NarrowSocket(takes=1, incoming=incoming))
    read, turn = b"", 0
    while len(read) < len(incoming):
        read += buffered.recv(counts[turn % len(counts)])
        turn += 1
    assert read == incoming


@pytest.mark.parametrize("refusal", [BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError])
def test_injected_packets_wait_for_room_and_go_out_whole(refusal: type[OSError]) -> None:
    inner = NarrowSocket(takes=0)
    inner.refusal = refusal
    buffered = BufferedSocket(inner)
    buffered.inject(b"first")
    assert not buffered.flush()
    inner.takes = 2
    assert buffered.flush()
    assert inner.sent == b"first"


def test_paho_sends_only_after_injected_packets_are_out() -> None:
    inner = NarrowSocket(takes=2)
    buffered = BufferedSocket(inner)
    send = inner.send
    inner.send = _failing_after(send, calls=1)  # type: ignore[assignment,method-assign]
    buffered.inject(b"ours")
    with pytest.raises(BlockingIOError):
        buffered.send(b"paho")
    inner.send = send  # type: ignore[method-assign]
    assert buffered.send(b"paho") == 2
    assert inner.sent == b"ourspa"


def _failing_after(send: Callable[[bytes], int], *, calls: int) -> Callable[[bytes], int]:
    made = 0

    def limited(data: bytes) -> int:
        nonlocal made
        made += 1
        if made > calls:
            raise BlockingIOError
        return send(data)

    return limited


def test_a_lost_connection_is_told_and_not_taken_for_a_full_buffer() -> None:
    inner = NarrowSocket(takes=0)
    inner.refusal = ConnectionResetError
    with pytest.raises(ConnectionResetError):
        BufferedSocket(inner).inject(b"x")


def _client_over(inner: object) -> BufferedClient:
    client = BufferedClient(CallbackAPIVersion.VERSION2, client_id="test")
    client._sock = BufferedSocket(inner)
    client.on_socket_register_write = lambda *_: None
    return client


def test_nothing_is_injected_while_a_packet_of_paho_is_half_sent() -> None:
    inner = NarrowSocket(takes=3)
    client = _client_over(inner)
    client._out_packet.append(
        {"command": 0xC0, "mid": 0, "qos": 0, "pos": 1, "to_process": 1, "packet": b"\xc0\x00", "info": None}
    )
    assert client.want_write()
    assert not client.inject(puback_packets([1]))
    assert inner.sent == b""
    client._out_packet.clear()
    assert client.inject(puback_packets([1]))
    assert inner.sent == b"\x40\x02\x00\x01"


def test_nothing_is_injected_without_a_connection() -> None:
    assert not BufferedClient(CallbackAPIVersion.VERSION2, client_id="test").inject(b"x")


def test_injected_packets_are_not_doubled_when_they_go_out_in_pieces() -> None:
    inner = NarrowSocket(takes=0)
    client = _client_over(inner)
    assert client.inject(b"abc")  # taken, though nothing of it could be sent
    assert not client.inject(b"def")  # refused: the caller keeps it
    inner.takes = 1
    assert client.inject(b"def")
    assert inner.sent == b"abcdef"


def test_a_real_socket_takes_what_does_not_fit_once_the_other_end_has_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0)
        buffered = BufferedSocket(ours)
        packets = puback_packets(range(1, 60_001)) * 10
        buffered.inject(packets)
        assert not buffered.flush()
        came = b""
        while len(came) < len(packets):
            came += theirs.recv(1 << 20)
            buffered.flush()
        assert came == packets


def test_pubacks_are_joined_in_order() -> None:
    assert puback_packets([]) == b""
    assert puback_packets([1, 65535]) == b"\x40\x02\x00\x01\x40\x02\xff\xff"


@pytest.mark.parametrize(
    ("size", "length"),
    [(0, b"\x05"), (122, b"\x7f"), (123, b"\x80\x01"), (16378, b"\xff\x7f"), (16379, b"\x80\x80\x01")],
)
def test_a_publication_has_the_remaining_length_of_the_standard(size: int, length: bytes) -> None:
    # MQTT 3.1.1 table 2.4: 127, 128, 16,383 and 16,384 are the last and first of their sizes.
    packet = publish_packet("a/b", b"x" * size, retain=False)
    assert packet == b"\x30" + length + b"\x00\x03a/b" + b"x" * size


def test_a_retained_publication_carries_the_bit_and_any_topic() -> None:
    assert publish_packet("é", b"", retain=True) == b"\x31\x04\x00\x02\xc3\xa9"
