"""Streams what a thread writes: the event loop stays free, and who goes away stops the thread at the next token."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable

from ragsvc.records import TextPiece

Generate = Callable[[Callable[[str], None], threading.Event], TextPiece]
"""``(send, stop)``: calls ``send`` with text as it comes, ends soon after ``stop`` is set; returns the last piece."""


async def stream_from_thread(generate: Generate) -> AsyncGenerator[TextPiece, None]:
    """Yield the text that ``generate`` sends, then the piece that it returns."""
    loop = asyncio.get_running_loop()
    texts: asyncio.Queue[str | None] = asyncio.Queue()
    stop = threading.Event()

    def send(text: str) -> None:
        loop.call_soon_threadsafe(texts.put_nowait, text)

    end = loop.run_in_executor(None, generate, send, stop)
    end.add_done_callback(lambda _: texts.put_nowait(None))
    try:
        while (text := await texts.get()) is not None:
            yield TextPiece(text=text)
        yield await end
    finally:
        stop.set()
