"""Runs an ASGI application on a free loopback port in a thread, and sees when a client goes away."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl

import uvicorn


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it came in; ``headers`` have lower-case names, ``body`` is parsed JSON (None if it is not)."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    query: dict[str, str] = field(default_factory=dict)


class LoopbackServer:
    """Base of the servers here. Use it as a context manager; subclasses answer in ``respond``."""

    def __init__(self) -> None:
        self.requests: list[RecordedRequest] = []
        self.disconnects = 0
        """Requests whose client went away before the answer was complete."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def respond(self, request: RecordedRequest, exchange: Exchange) -> None:
        raise NotImplementedError

    def wait_for_disconnect(self, timeout_s: float = 3.0) -> bool:
        """Wait until a client has gone away in the middle of an answer."""
        end = time.monotonic() + timeout_s
        while not self.disconnects and time.monotonic() < end:
            time.sleep(0.01)
        return self.disconnects > 0

    def __enter__(self) -> Self:
        config = uvicorn.Config(
            self._application,
            port=0,
            interface="asgi3",
            lifespan="off",
            log_level="critical",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        self._port = self._server.servers[0].sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=5)

    async def _application(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        try:
            parsed = json.loads(body)
        except ValueError:
            parsed = None
        query = dict(parse_qsl(scope["query_string"].decode()))
        request = RecordedRequest(scope["method"], scope["path"], headers, parsed, query)
        self.requests.append(request)
        await self._until_gone(self.respond(request, Exchange(send)), receive)

    async def _until_gone(self, answer: Awaitable[None], receive: Callable[[], Awaitable[Any]]) -> None:
        """Answer, but stop and count when the client goes away first."""
        answering = asyncio.ensure_future(answer)
        leaving = asyncio.ensure_future(receive())
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            self.disconnects += 1
            answering.cancel()
        leaving.cancel()
        await asyncio.wait((answering, leaving))
        if not answering.cancelled() and (error := answering.exception()):
            if not isinstance(error, Cut):
                traceback.print_exception(error)
            raise error


class Exchange:
    """The answering side of one request."""

    def __init__(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self._send = send

    async def json(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        """Answer with a JSON document."""
        await self.start(status, "application/json", headers)
        await self.end(json.dumps(body, ensure_ascii=False).encode())

    async def start(self, status: int, media_type: str, headers: dict[str, str] | None = None) -> None:
        """Send the head of the answer."""
        named = {"content-type": media_type, **(headers or {})}
        pairs = [(name.encode(), value.encode()) for name, value in named.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def bytes(self, data: bytes) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes = b"") -> None:
        """Send the last part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": False})


class Cut(Exception):
    """Raised in ``respond`` to break the connection off in the middle of the body."""
