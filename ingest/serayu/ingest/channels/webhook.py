"""Webhook: the bulletin's document, signed, to a web address that was checked and to no other."""

import asyncio
import logging
import ssl

import httpx

from serayu.ingest.channels.addresses import ForbiddenAddressError, IpAddress, resolve
from serayu.ingest.channels.channel import Answer, Outgoing, document_body
from serayu.models.delivery.signature import (
    ATTEMPT_HEADER,
    ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    sign,
)
from serayu.models.times import US_PER_S, Clock, SystemClock

DEADLINE_S = 8.0
"""Longest time for everything from the name to the answer: below the wait for a thread's end [project proposal]."""
CONNECT_S = 3.0
_DEFAULT_PORTS = {"http": 80, "https": 443}
_GONE = 410
_AGENT = "serayu-webhook/1"


class Webhook:
    """Posts bulletins; one object serves many threads.

    A name is resolved once, its addresses are checked, and the connection goes to exactly such an address, so that
    a name that answers differently a second later gains nothing. Redirects are not followed, and no proxy of the
    environment is used: both would lead elsewhere.

    Parameters
    ----------
    clock
        Time of the signature.
    deadline_s
        For one attempt.
    """

    def __init__(self, *, clock: Clock | None = None, deadline_s: float = DEADLINE_S) -> None:
        self._clock = clock or SystemClock()
        self._deadline_s = deadline_s
        self._tls: ssl.SSLContext = httpx.create_ssl_context()  # reading the certificates takes long: once
        for name in ("httpx", "httpcore"):  # they log whole addresses, and a webhook's may hold a secret
            logging.getLogger(name).setLevel(logging.WARNING)

    def send(self, outgoing: Outgoing) -> Answer:
        """Post once."""
        url = _url(outgoing.address.target)
        if url is None:
            return Answer(ok=False, detail="not a web address", final=True)
        if outgoing.address.secret is None:
            return Answer(ok=False, detail="no secret to sign with", final=True)
        return asyncio.run(self._within_deadline(url, outgoing))

    async def _within_deadline(self, url: httpx.URL, outgoing: Outgoing) -> Answer:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._post(url, outgoing)
        except TimeoutError:
            return Answer(ok=False, detail=f"no answer within {self._deadline_s:g} s")
        except ForbiddenAddressError:
            return Answer(ok=False, detail="refused: not a public address", final=True)
        except httpx.HTTPError as error:
            return Answer(ok=False, detail=_kind(error))
        except OSError:
            return Answer(ok=False, detail="the name cannot be resolved")

    async def _post(self, url: httpx.URL, outgoing: Outgoing) -> Answer:
        port = url.port or _DEFAULT_PORTS[url.scheme]
        host = url.raw_host.decode()
        addresses = await resolve(host, port, allow_private=outgoing.recipient.allow_private)
        body = document_body(outgoing.bulletin)
        headers = self._headers(body, outgoing) | {"Host": url.netloc.decode()}
        timeout = httpx.Timeout(self._deadline_s, connect=CONNECT_S)
        async with httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=timeout) as client:
            for last, address in _with_last(addresses):
                request = client.build_request(
                    "POST",
                    url.copy_with(host=str(address)),
                    content=body,
                    headers=headers,
                    extensions={"sni_hostname": host},
                )
                try:
                    response = await client.send(request, stream=True, follow_redirects=False)
                except httpx.ConnectError:
                    if last:
                        raise
                    continue
                await response.aclose()  # the status is the answer; a body of any length is not read
                return _answer(response.status_code)
        raise OSError("the name has no address")

    def _headers(self, body: bytes, outgoing: Outgoing) -> dict[str, str]:
        timestamp_s = self._clock.now_us() // US_PER_S
        return {
            "Content-Type": "application/json",
            "User-Agent": _AGENT,
            ID_HEADER: outgoing.delivery_id,
            ATTEMPT_HEADER: str(outgoing.attempt),
            TIMESTAMP_HEADER: str(timestamp_s),
            SIGNATURE_HEADER: sign(body, outgoing.address.secret or "", timestamp_s=timestamp_s),
        }


def _url(target: str) -> httpx.URL | None:
    try:
        url = httpx.URL(target)
    except httpx.InvalidURL:
        return None
    return url if url.scheme in _DEFAULT_PORTS and url.host else None


def _with_last(addresses: list[IpAddress]) -> list[tuple[bool, IpAddress]]:
    return [(number == len(addresses), address) for number, address in enumerate(addresses, start=1)]


def _answer(status: int) -> Answer:
    """Judge a status: 2xx is taken; all else is tried again, because a receiver may be mended before the alert ends."""
    return Answer(ok=httpx.codes.is_success(status), detail=f"HTTP {status}", final=status == _GONE)


def _kind(error: httpx.HTTPError) -> str:
    """Name an error without its text, which may hold the address."""
    names: dict[type[httpx.HTTPError], str] = {
        httpx.ConnectError: "cannot connect",
        httpx.ConnectTimeout: "cannot connect in time",
        httpx.ReadTimeout: "no answer in time",
        httpx.RemoteProtocolError: "the server broke off",
        httpx.ReadError: "the connection broke",
        httpx.WriteError: "the connection broke",
    }
    return names.get(type(error), type(error).__name__)
