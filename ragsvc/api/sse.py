"""Server-sent events (WHATWG HTML, 9.2): events out, a sign of life every 15 s, and an end when the reader leaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

import msgspec
from litestar import Response
from litestar.types import ASGIApp, Receive, Scope, Send

from ragsvc.api.leaving import ClientLeft, until_client_leaves

HEARTBEAT_S = 15.0
"""Proxies commonly cut what is silent for 30 to 60 s."""
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would collect the events and send them at the end
]


def encode_event(name: str, data: object) -> bytes:
    """Return one event; its data is one line of JSON, so that no line break can start another field."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(data))


class EventStream(Response[Any]):
    """Sends what ``events`` yields (encoded events).

    ``events`` is closed before the response ends, also when the reader leaves in the middle: closing is what cancels
    a model's work. ``at_end`` runs after that, whatever happened. Where ``cut`` returns before the events end, what it
    returns is the last one.
    """

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        at_end: Callable[[], None] = lambda: None,
        heartbeat_s: float = HEARTBEAT_S,
        cut: Callable[[], Coroutine[Any, Any, bytes]] | None = None,
    ) -> None:
        super().__init__(content=None, media_type="text/event-stream")
        self._events = events
        self._at_end = at_end
        self._cut = cut
        self._heartbeat_s = heartbeat_s

    def to_asgi_response(self, *_: object, **__: object) -> ASGIApp:  # type: ignore[override]
        """Return the response itself: it needs no encoding of content."""
        return self._respond

    async def _respond(self, _scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            with contextlib.suppress(ClientLeft):
                await until_client_leaves(self._pump(send), receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await self._events.aclose()
            self._at_end()

    async def _pump(self, send: Send) -> None:
        one_at_a_time = asyncio.Lock()
        beating = asyncio.ensure_future(self._beat(send, one_at_a_time))
        try:
            last = await self._send_events(send, one_at_a_time)
            if last:
                await send({"type": "http.response.body", "body": last, "more_body": True})
        finally:
            beating.cancel()
            await self._events.aclose()

    async def _send_events(self, send: Send, one_at_a_time: asyncio.Lock) -> bytes:
        async def send_all() -> bytes:
            async for event in self._events:
                async with one_at_a_time:
                    await send({"type": "http.response.body", "body": event, "more_body": True})
            return b""

        racing = [asyncio.ensure_future(send_all())]
        if self._cut:
            racing.append(asyncio.ensure_future(self._cut()))
        try:
            done, _ = await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
            return (racing[0] if racing[0] in done else racing[1]).result()
        finally:
            for one in racing:
                one.cancel()
            await asyncio.wait(racing)

    async def _beat(self, send: Send, one_at_a_time: asyncio.Lock) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_s)
            async with one_at_a_time:
                await send({"type": "http.response.body", "body": b": still here\n\n", "more_body": True})
