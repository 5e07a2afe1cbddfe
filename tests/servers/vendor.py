"""What the strict servers share: a script of replies, refusals in the vendor's words, and every way to misbehave.

A subclass says how its vendor checks a request and frames a stream. ``Reply.finish_reason`` is in OpenAI's words; the
subclass says it in its vendor's.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from ragsvc.model_catalogue.catalogue import Family
from tests.servers.loopback import Cut, Exchange, LoopbackServer, RecordedRequest

Fault = Literal[
    "cut",
    "ends without finish",
    "no done",
    "hangs",
    "hangs after finish",
    "never ends",
    "invalid utf-8",
    "error event",
    "not json",
]


@dataclass(kw_only=True)
class Reply:
    """What the server does with one accepted request."""

    pieces: Sequence[str] = ("It depends", " on the contract.")
    reasoning: Sequence[str] = ()
    """What the model thinks first."""
    finish_reason: str = "stop"
    usage: tuple[int, int] = (11, 7)
    """Prompt and completion tokens."""
    status: int = 200
    message: str = "The server had an error."
    retry_after: str | None = None
    first_delay_s: float = 0.0
    """Silence before the first byte of the body."""
    split_bytes: int | None = None
    """Send the stream in network writes of this many bytes, so that characters are split."""
    escape: bool = False
    """Write non-ASCII characters as JSON escapes, as some servers do."""
    fault: Fault | None = None


@dataclass
class Refusal(Exception):
    """A request that the vendor would refuse, and how it would say so."""

    status: int
    message: str
    code: str | int | None = None
    kind: str = "invalid_request_error"
    param: str | None = None


@dataclass(eq=False)
class VendorServer(LoopbackServer):
    """``replies`` are used up in order, one per accepted request; ``default`` answers when there is none."""

    family: ClassVar[Family]
    media_type: ClassVar[str] = "text/event-stream; charset=utf-8"
    bad_key_status: ClassVar[int] = 401
    """What the vendor answers to a key that it does not know."""

    api_key: str = "sk-test-1234567890abcdef"
    models: tuple[str, ...] = ("test-model",)
    default: Reply = field(default_factory=Reply)
    replies: deque[Reply] = field(default_factory=deque)

    def __post_init__(self) -> None:
        super().__init__()

    @property
    def base_url(self) -> str:
        """The address to call, as a card would have it."""
        return self.address

    def forget(self) -> None:
        """Start anew, for the next test."""
        self.requests.clear()
        self.replies.clear()
        self.disconnects = 0

    # What a vendor says of itself.

    def check(self, request: RecordedRequest) -> None:
        """Raise ``Refusal`` unless the request is one that the vendor takes."""
        raise NotImplementedError

    def error(self, refusal: Refusal) -> object:
        """Return the body of an error."""
        raise NotImplementedError

    def error_status(self, refusal: Refusal) -> int:
        """Return the HTTP status that an error comes with."""
        return refusal.status

    def opening(self, reply: Reply) -> list[bytes]:
        """Return the frames before the first text, thinking among them."""
        raise NotImplementedError

    def piece(self, text: str, reply: Reply) -> bytes:
        """Return the frame of a piece of text."""
        raise NotImplementedError

    def closing(self, request: RecordedRequest, reply: Reply) -> list[bytes]:
        """Return the frames after the last text; the finish reason is in the first of them."""
        raise NotImplementedError

    def error_frame(self, message: str) -> bytes:
        """Return the frame of an error in the middle of a stream."""
        raise NotImplementedError

    async def whole(self, request: RecordedRequest, reply: Reply, exchange: Exchange) -> None:
        """Answer a request that asks for no stream."""
        raise NotImplementedError

    def wants_stream(self, request: RecordedRequest) -> bool:
        return bool(request.body.get("stream"))

    # What all of them do.

    async def respond(self, request: RecordedRequest, exchange: Exchange) -> None:
        try:
            self.check(request)
            reply = self.replies.popleft() if self.replies else self.default
            if reply.status != 200:
                raise Refusal(reply.status, reply.message, kind="server_error")
        except Refusal as refusal:
            asked = reply.retry_after if refusal.kind == "server_error" else None
            headers = {"retry-after": asked} if asked else None
            return await exchange.json(self.error_status(refusal), self.error(refusal), headers)
        if self.wants_stream(request):
            return await self._stream(request, reply, exchange)
        return await self.whole(request, reply, exchange)

    async def _stream(self, request: RecordedRequest, reply: Reply, exchange: Exchange) -> None:
        await exchange.start(200, self.media_type)
        await asyncio.sleep(reply.first_delay_s)
        for frame in self._frames(request, reply):
            if isinstance(frame, float):
                await asyncio.sleep(frame)
            elif frame is None:
                raise Cut
            else:
                size = reply.split_bytes or len(frame)
                for start in range(0, len(frame), size):
                    await exchange.bytes(frame[start : start + size])
                    await asyncio.sleep(0)
        await exchange.end()

    def _frames(self, request: RecordedRequest, reply: Reply) -> Iterator[bytes | float | None]:
        """Yield what is sent: frames, pauses in seconds, and None where the line is cut."""
        fault = reply.fault
        yield from self.opening(reply)
        yield from (self.piece(text, reply) for text in reply.pieces)
        if fault == "cut":
            yield None
        if fault == "hangs":
            yield 60.0
        if fault == "invalid utf-8":
            yield self.piece("@@", reply).replace(b"@@", b"\xff\xfe")
        if fault == "error event":
            yield self.error_frame("The server is overloaded.")
            return
        if fault == "not json":
            yield self.not_json()
        while fault == "never ends":
            yield self.piece("and so on ", reply)
        if fault == "ends without finish":
            return
        first, *rest = self.closing(request, reply)
        yield first
        if fault == "hangs after finish":
            yield 60.0
        yield from rest[:-1] if fault == "no done" else rest

    def not_json(self) -> bytes:
        """Return a frame that holds no JSON."""
        return b"data: {this is not JSON\n\n"


def sse(data: object, *, event: str = "", escape: bool = False, end: str = "\n") -> bytes:
    """Return one server-sent event; ``data`` is JSON unless it is a string."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=escape)
    name = f"event: {event}{end}" if event else ""
    return f"{name}data: {text}{end}{end}".encode()


def only(body: Any, known: set[str], refuse: Any) -> dict[str, Any]:
    """Return a body that is a JSON object of known fields; ``refuse(message)`` is raised for any other."""
    if not isinstance(body, dict):
        raise refuse("the body is no JSON object")
    if unknown := sorted(body.keys() - known):
        raise refuse(f"unknown field: {unknown[0]}")
    return body
