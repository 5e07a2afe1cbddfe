"""Server-sent events on the wire: framing, signs of life, and an end in every case."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from ragsvc.api import edge
from ragsvc.api.errors import Refused
from ragsvc.api.schemas import Token
from ragsvc.api.sse import EventStream, encode_event

Message = dict[str, Any]


class Source:
    """Yields events with pauses, and knows whether it was closed."""

    def __init__(self, *pauses: float) -> None:
        self.pauses = pauses
        self.is_closed = False

    async def events(self) -> AsyncGenerator[bytes, None]:
        try:
            for pause in self.pauses:
                await asyncio.sleep(pause)
                yield encode_event("token", Token("x"))
        finally:
            await asyncio.sleep(0)  # closing a model's stream takes a moment of the loop, too
            self.is_closed = True


async def run(response: EventStream, leave_after_s: float = 60.0, send_s: float = 0.0) -> list[Message]:
    """Run a response as a server would, with a reader that leaves after some time or is slow."""
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(leave_after_s)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        await asyncio.sleep(send_s)
        sent.append(message)

    app = response.to_asgi_response()
    await app({"type": "http"}, receive, send)  # type: ignore[arg-type]
    return sent


def test_no_text_can_break_out_of_its_event() -> None:
    """Line breaks of every kind inside the data are escaped, so one event stays one event."""
    event = encode_event("token", Token("a\n\ndata: x\r\nevent: done\u2028"))
    assert event.count(b"\n") == 3
    assert b"\r" not in event
    assert event.endswith(b"\n\n")


async def test_events_are_sent_as_they_come_and_the_end_is_told() -> None:
    """One message each, then an empty last one."""
    source, ended = Source(0, 0), []
    sent = await run(EventStream(source.events(), at_end=lambda: ended.append(1)))
    assert [message["type"] for message in sent] == ["http.response.start"] + ["http.response.body"] * 3
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert source.is_closed
    assert ended == [1]


async def test_silence_is_filled_with_comments() -> None:
    """A comment line is no event, and comes as often as was said."""
    source = Source(0.25)
    sent = await run(EventStream(source.events(), heartbeat_s=0.05))
    comments = [m["body"] for m in sent[1:] if m["body"].startswith(b":")]
    assert 2 <= len(comments) <= 5
    assert all(comment.endswith(b"\n\n") for comment in comments)


@pytest.mark.parametrize("send_s", [0.0, 0.2], ids=["while it waits for an event", "while it sends"])
async def test_when_the_reader_leaves_the_source_is_closed_at_once(send_s: float) -> None:
    """Before the response ends, wherever it stood; what closes the source may await."""
    source, ended = Source(0, 30), []
    response = EventStream(source.events(), at_end=lambda: ended.append(1))
    await asyncio.wait_for(run(response, leave_after_s=0.3, send_s=send_s), timeout=5)
    assert source.is_closed
    assert ended == [1]


async def test_a_place_is_given_back_even_if_the_response_cannot_begin() -> None:
    """The connection may be gone before the first byte."""
    ended: list[int] = []
    response = EventStream(Source(0).events(), at_end=lambda: ended.append(1))

    async def send(_message: Message) -> None:
        raise OSError("gone")

    async def receive() -> Message:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    with contextlib.suppress(OSError):
        await response.to_asgi_response()({"type": "http"}, receive, send)  # type: ignore[arg-type]
    assert ended == [1]


async def receive_through_watch(messages: list[Message], monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """Read all of a body through the middleware, with a pause of at most 50 ms allowed."""
    monkeypatch.setattr(edge, "BODY_PAUSE_S", 0.05)
    taken: list[Message] = []

    async def receive() -> Message:
        message = messages.pop(0)
        await asyncio.sleep(message.pop("after_s", 0))
        return message

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        while not taken or taken[-1].get("more_body"):
            taken.append(await receive())

    await edge.watch(app)({"type": "http", "state": {}}, receive, None)  # type: ignore[arg-type,typeddict-item]
    return taken


async def test_a_body_that_drips_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that keeps a body open without sending holds nothing for long."""
    part = {"type": "http.request", "body": b"x", "more_body": True}
    with pytest.raises(Refused) as refused:
        await receive_through_watch([dict(part), {**part, "after_s": 1}], monkeypatch)
    assert refused.value.status_code == 408


async def test_a_body_that_is_cut_off_is_the_client_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no failure of the service, and is not logged as one."""
    part = {"type": "http.request", "body": b"x", "more_body": True}
    with pytest.raises(Refused) as refused:
        await receive_through_watch([dict(part), {"type": "http.disconnect"}], monkeypatch)
    assert refused.value.status_code == 408
