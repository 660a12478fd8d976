"""Which network addresses a webhook may have: a request of ours must not reach what only we can reach (SSRF)."""

import asyncio
import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address

IpAddress = IPv4Address | IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_IPV4_BITS = 0xFFFFFFFF


class ForbiddenAddressError(Exception):
    """A host has an address that is not on the public internet."""


async def resolve(host: str, port: int, *, allow_private: bool) -> list[IpAddress]:
    """Return the addresses of a host, each of which may be connected to.

    One forbidden address among them forbids the host: it would be chance which one is used.

    Raises
    ------
    ForbiddenAddressError
        An address is private, loopback, link-local or otherwise not public, and that is not allowed.
    OSError
        The name cannot be resolved.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses = [ipaddress.ip_address(str(sockaddr[0])) for *_, sockaddr in found]
    if not addresses:
        raise OSError("the name has no address")
    if not allow_private and not all(map(is_public, addresses)):
        raise ForbiddenAddressError
    return list(dict.fromkeys(addresses))


def is_public(address: IpAddress) -> bool:
    """Tell whether an address is on the public internet, also one that carries an IPv4 address inside.

    Examples
    --------
    >>> [is_public(ipaddress.ip_address(a)) for a in ("8.8.8.8", "10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1")]
    [True, False, False, False]
    """
    inner = _inner(address) if isinstance(address, IPv6Address) else None
    if inner is not None:
        return is_public(inner)
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False  # fec0::/10, private in old networks (RFC 3879); Python calls it global
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    return IPv4Address(int(address) & _IPV4_BITS) if address in _NAT64 else None
