"""Keeps the requests of one process to one vendor under that vendor's limits, across its models."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import cache
from weakref import WeakKeyDictionary

from ragsvc.model_catalogue.catalogue import ChatCard


class Pace:
    """So many requests in a minute, so many at a time; what is more waits its turn."""

    def __init__(self, requests_per_minute: float | None, max_concurrent: int | None) -> None:
        from langchain_core.rate_limiters import InMemoryRateLimiter

        self._limiter = (
            InMemoryRateLimiter(
                requests_per_second=requests_per_minute / 60,
                check_every_n_seconds=0.05,
                max_bucket_size=max(1.0, requests_per_minute / 60),
            )
            if requests_per_minute
            else None
        )
        self._max_concurrent = max_concurrent
        # A semaphore belongs to the event loop that waits on it, and a model may serve several, one after another.
        self._slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the requests that may run at a time."""
        if self._max_concurrent is None:
            yield
            return
        loop = asyncio.get_running_loop()
        async with self._slots.setdefault(loop, asyncio.Semaphore(self._max_concurrent)):
            yield

    async def next_request(self) -> None:
        """Wait until one more request may be made."""
        if self._limiter:
            await self._limiter.aacquire()


@cache
def _shared(vendor: str, requests_per_minute: float | None, max_concurrent: int | None) -> Pace:
    return Pace(requests_per_minute, max_concurrent)


def pace_of(card: ChatCard) -> Pace | None:
    """Return what the models of this card's vendor share; None when no limit is known."""
    if card.requests_per_minute is None and card.max_concurrent is None:
        return None
    return _shared(card.vendor or card.base_url, card.requests_per_minute, card.max_concurrent)
