"""Documents and pictures from the network: the only client for addresses that users or documents chose.

Every request, also after a redirect, goes through ``security.urls``: the name is resolved once, all its addresses are
judged, and the connection is made to one of those, never to the name again, which may lead elsewhere by then (DNS
rebinding). No proxy, no cookie and no credential of this machine is used; each request has a connection of its own.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from functools import cached_property
from importlib.metadata import version
from typing import IO
from urllib.parse import urljoin

import anyio
import httpx
from msgspec import Struct
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential

from ragsvc.errors import InvalidInput, RagsvcError, UpstreamFailed, UpstreamTimeout
from ragsvc.security.urls import Target, UrlPolicy, check_addresses, check_url

PATIENCE_S = 60.0
"""Longest wait that a server may ask for with Retry-After and get."""
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip"})
_PAUSE = wait_exponential(multiplier=0.5, max=10.0)

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class FetchLimits(Struct, frozen=True, kw_only=True):
    """How much one address may cost."""

    file_bytes: int
    """Of the body, decompressed."""
    seconds: float = 120.0
    """From the look-up of the name to the last byte, however slowly these come."""
    silence_s: float = 20.0
    """Longest time without a byte."""
    redirects: int = 5
    attempts: int = 3
    """Requests in all, when the failure is one that may pass."""


class Passing(Exception):
    """A failure that may be over soon; holds what to raise if it is not."""

    def __init__(self, failure: RagsvcError, retry_after_s: float = 0.0) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.retry_after_s = retry_after_s


class Fetcher:
    """Fetches what a policy allows.

    Args:
        policy: which addresses.
        contact: who asks, as sites are told in the User-Agent; some refuse requests without an e-mail address there.
        resolve: host and port to IP addresses; None = this machine's resolver.
    """

    def __init__(self, policy: UrlPolicy, *, contact: str = "", resolve: Resolve | None = None) -> None:
        self.policy = policy
        self.contact = contact
        self._resolve = resolve or _look_up
        self._user_agent = f"ragsvc/{version('ragsvc')}" + (f" ({contact})" if contact else "")

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()

    async def fetch(
        self,
        url: str,
        into: IO[bytes],
        limits: FetchLimits,
        accept: Callable[[httpx.Response, Target], None] = lambda _response, _target: None,
    ) -> None:
        """Write the body that an address gives to ``into``.

        Args:
            url: where it is.
            into: empty and seekable; an attempt that fails half-way is taken back.
            limits: of bytes, time, redirects and attempts.
            accept: sees the head of the final answer, and where it came from, before the body is read; may raise.

        Raises:
            InvalidInput: the address, or one that it redirects to, may not be fetched, or the body is over the limit.
            UpstreamFailed: it did not give a whole body.
            UpstreamTimeout: not in time.
        """

        async def attempt() -> None:
            into.seek(0)
            into.truncate()
            async with self.open(url, limits) as (response, target):
                check_status(response, target, (200,))
                accept(response, target)
                if response.headers.get("content-encoding", "").strip().lower() not in _ENCODINGS:
                    raise UpstreamFailed(f"{target.host} compressed what was to come as it is; nothing was read")
                await write_body(response.aiter_bytes(), into, limits, target)

        await with_patience(attempt, limits.attempts)

    @asynccontextmanager
    async def open(
        self, url: str, limits: FetchLimits, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[tuple[httpx.Response, Target]]:
        """Ask for an address and follow its redirects; yields an answer that is no redirect, its body still to come.

        Raises:
            InvalidInput: the address, or one that it redirects to, may not be fetched.
            Passing: the network failed, or time was over, before or after the answer began.
        """
        target = check_url(url, self.policy)
        asked = {"user-agent": self._user_agent, "accept-encoding": "identity"} | dict(headers or {})
        try:
            with anyio.fail_after(limits.seconds):
                for hop in range(limits.redirects + 1):
                    async with self._answer(target, asked, limits) as response:
                        following = response.headers.get("location")
                        if response.status_code not in _REDIRECTS or not following:
                            yield response, target
                            return
                    if hop < limits.redirects:
                        target = check_url(urljoin(target.url, following), self.policy)
                raise UpstreamFailed(
                    f"{target.host} answered HTTP {response.status_code}, a redirect; {limits.redirects} are followed"
                )
        except TimeoutError:
            raise Passing(UpstreamTimeout(f"{target.host} took longer than {limits.seconds:g} seconds")) from None
        except httpx.TimeoutException as error:
            failure = UpstreamTimeout(f"{target.host} did not answer in time: {type(error).__name__}")
            raise Passing(failure) from None
        except httpx.HTTPError as error:
            raise Passing(UpstreamFailed(f"{target.host} could not be read: {_reason(error)}")) from None

    @asynccontextmanager
    async def _answer(
        self, target: Target, headers: Mapping[str, str], limits: FetchLimits
    ) -> AsyncIterator[httpx.Response]:
        addresses = check_addresses(target, await self._resolve(target.host, target.port), self.policy)
        timeout = httpx.Timeout(limits.silence_s)
        async with httpx.AsyncClient(trust_env=False, verify=self._certificates, timeout=timeout) as client:
            response = await _connect(client, target, addresses, headers)
            try:
                yield response
            finally:
                await response.aclose()


async def _connect(
    client: httpx.AsyncClient, target: Target, addresses: Sequence[str], headers: Mapping[str, str]
) -> httpx.Response:
    """Send a request to the first of these addresses that takes a connection; certificates are for the host's name."""
    for number, address in enumerate(addresses, 1):
        at = f"[{address}]" if ":" in address else address
        request = client.build_request(
            "GET",
            f"{target.scheme}://{at}:{target.port}{target.path}",
            headers={**headers, "host": target.authority},
            extensions={"sni_hostname": target.host},
        )
        try:
            return await client.send(request, stream=True, follow_redirects=False)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if number == len(addresses):
                raise
    raise AssertionError("a target without addresses was refused before")


async def _look_up(host: str, port: int) -> list[str]:
    try:
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        failure = UpstreamFailed(f"host {host!r} was not found: {error.strerror or error}")
        raise Passing(failure) if error.errno == socket.EAI_AGAIN else failure from None
    return [str(address[4][0]) for address in found]


def check_status(response: httpx.Response, target: Target, wanted: Sequence[int]) -> None:
    """Refuse an answer of another status.

    Raises:
        Passing: of a status that may be another in a moment, unless the server asks for more patience than there is.
        UpstreamFailed: of any other.
    """
    status = response.status_code
    if status in wanted:
        return
    failure = UpstreamFailed(f"{target.host} answered HTTP {status} {response.reason_phrase}".rstrip())
    wait_s = _retry_after_s(response.headers.get("retry-after", ""))
    if status not in _PASSING:
        raise failure
    if wait_s > PATIENCE_S:
        raise UpstreamFailed(f"{failure}: it asks to come again in {wait_s:,.0f} seconds")
    raise Passing(failure, wait_s)


async def write_body(pieces: AsyncIterator[bytes], into: IO[bytes], limits: FetchLimits, target: Target) -> None:
    """Write a body as it comes.

    Raises:
        InvalidInput: it is larger than ``limits.file_bytes``; what is over is not read.
    """
    async for piece in pieces:
        if into.tell() + len(piece) > limits.file_bytes:
            raise InvalidInput(f"what {target.host} sends is larger than the limit of {limits.file_bytes:,} bytes")
        into.write(piece)


async def with_patience(attempt: Callable[[], Awaitable[None]], attempts: int) -> None:
    """Try again, after a pause or when the server says, as long as failures are ``Passing``; then raise what is in it.

    Raises:
        UpstreamFailed: the last failure.
    """

    def pause_s(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return max(_PAUSE(state), error.retry_after_s if isinstance(error, Passing) else 0.0)

    retrying = AsyncRetrying(
        stop=stop_after_attempt(attempts),
        wait=pause_s,
        retry=retry_if_exception_type(Passing),
        sleep=anyio.sleep,
        reraise=True,
    )
    try:
        await retrying(attempt)
    except Passing as passing:
        raise passing.failure from None


def _retry_after_s(header: str) -> float:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3); 0 when it does not or is no such header."""
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError):
        return 0.0


def _reason(error: httpx.HTTPError) -> str:
    said = " ".join(str(error).split())[:150]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
