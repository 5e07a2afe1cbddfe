"""While the service runs, conversations whose days are over are deleted, asked for or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from anyio import to_thread
from litestar import Litestar

from ragsvc.errors import RagsvcError
from ragsvc.observability.logs import FAILURES

if TYPE_CHECKING:
    from ragsvc.wiring import Service

EVERY_S = 3600.0


@asynccontextmanager
async def sweeping(app: Litestar) -> AsyncIterator[None]:
    """Sweep once at the start and then every hour (a Litestar lifespan)."""
    task = asyncio.ensure_future(_sweep(app.state.service))
    try:
        yield
    finally:
        task.cancel()


async def _sweep(service: Service) -> None:
    while True:
        try:
            await to_thread.run_sync(service.conversations.sweep)
        except RagsvcError as error:  # a disk that is full now may not be in an hour
            FAILURES.error("old conversations were not deleted", exc_info=error)
        await asyncio.sleep(EVERY_S)
