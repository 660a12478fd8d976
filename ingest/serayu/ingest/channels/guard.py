"""Keeps other people's code, such as apprise's services, from connecting to where only we can reach (SSRF).

Such code resolves names and follows redirects by itself, so that looking at the URL beforehand proves nothing. What
is asked here is each connection that the thread really makes, by the address that it goes to: Python tells of it by
an audit event [PEP 578] before the connection is made, and an exception there prevents it.
"""

import ipaddress
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from serayu.ingest.channels.addresses import is_public

_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


class Watch:
    """What a watched thread tried.

    Parameters
    ----------
    refused
        Whether a connection was prevented.
    """

    def __init__(self) -> None:
        self.refused = False


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)
_installing = threading.Lock()
_installed = False


@contextmanager
def public_only() -> Iterator[Watch]:
    """Let this thread connect to public addresses only, for as long as it stays in here.

    It holds for other threads that run in a copy of this one's context, and not for those that start with a fresh
    one: a service that uses such a thread is as free as without. Unix sockets are inside too.
    """
    _install()
    watch = Watch()
    before = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(before)


def _install() -> None:
    global _installed  # noqa: PLW0603 -- an audit hook is the process's and stays for good
    with _installing:
        if not _installed:
            sys.addaudithook(_look)
            _installed = True


def _look(event: str, args: tuple[object, ...]) -> None:
    if event not in _EVENTS:
        return
    watch = _watch.get()
    if event == "socket.sendmsg" and args[1] is None:
        return  # over a connection, which was looked at when it was made
    if watch is not None and not _may(args[1]):
        watch.refused = True
        raise PermissionError("not a public address")


def _may(address: object) -> bool:
    """Whether a socket's address is on the public internet; what is no address of the internet is not."""
    if not isinstance(address, tuple) or not address:
        return False
    try:
        found = ipaddress.ip_address(str(address[0]).partition("%")[0])
    except ValueError:  # a name: the system resolves it after this, to whatever it likes
        return False
    return is_public(found)
