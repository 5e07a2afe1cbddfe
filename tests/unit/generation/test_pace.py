"""Requests to one vendor keep to its limits, whichever of its models they are for."""

from __future__ import annotations

import asyncio
import time

from ragsvc.generation.pace import Pace, pace_of
from ragsvc.generation.streaming import Source, StreamedChatModel, StreamLimits
from ragsvc.model_catalogue.catalogue import ChatCard
from ragsvc.records import Message, TextPiece


class Counted:
    """A source that counts how many of its requests run at a time."""

    def __init__(self) -> None:
        self.running = self.most = 0
        self.starts: list[float] = []

    async def open(self, _: object):  # type: ignore[no-untyped-def]
        self.starts.append(time.monotonic())
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0.05)
            yield TextPiece(text="ok", finish_reason="stop")
        finally:
            self.running -= 1


def model(counted: Counted, pace: Pace | None) -> StreamedChatModel:
    return StreamedChatModel("m", Source(open=counted.open, where="here", pace=pace), StreamLimits())


async def read(chat: StreamedChatModel) -> str:
    return "".join([piece.text async for piece in chat.stream((Message("user", "?"),))])


async def test_no_more_requests_at_a_time_than_the_vendor_takes() -> None:
    """The sixth to eighth wait for their turn, and all are answered."""
    counted = Counted()
    chat = model(counted, Pace(None, 5))
    assert await asyncio.gather(*(read(chat) for _ in range(8))) == ["ok"] * 8
    assert counted.most == 5


async def test_no_more_requests_in_a_minute_than_the_vendor_takes() -> None:
    """At 300 a minute they start a fifth of a second apart."""
    counted = Counted()
    chat = model(counted, Pace(300, None))
    await asyncio.gather(*(read(chat) for _ in range(9)))
    assert counted.starts[-1] - counted.starts[0] >= 0.6


def test_a_pace_outlives_an_event_loop() -> None:
    """A model opened once is used by one ``asyncio.run`` after another."""
    chat = model(Counted(), Pace(6000, 1))

    async def twice() -> list[str]:
        return await asyncio.gather(read(chat), read(chat))

    assert [asyncio.run(twice()) for _ in range(2)] == [["ok", "ok"]] * 2


def test_the_models_of_a_vendor_share_their_limits() -> None:
    """Two models of one vendor have one pace; a vendor without known limits has none."""
    first, second = (
        ChatCard(name=name, vendor="Tencent", kind="api", family="openai", max_concurrent=5) for name in "ab"
    )
    assert pace_of(first) is pace_of(second) is not None
    assert pace_of(ChatCard(name="c", vendor="V", kind="api", family="openai")) is None
