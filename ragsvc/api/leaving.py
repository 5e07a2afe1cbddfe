"""Work for a client that may leave: it is then cancelled, and what it holds is closed in peace."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from litestar.types import Receive

T = TypeVar("T")

CLOSE_S = 5.0
"""Longest that cancelled work may take to close what it holds."""


class ClientLeft(Exception):
    """The client has gone before the work was done."""


async def until_client_leaves(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """Return what ``work`` returns, or cancel it once the client has left.

    The request's body was read before. Plain asyncio on purpose: it cancels once, so that the closing of a model's
    stream may await, where a cancelled scope of anyio would cancel that as well.

    Raises:
        ClientLeft: the client has gone, and the work has ended.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_wait_for_leaving(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientLeft
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait({working, leaving}, timeout=CLOSE_S)


async def _wait_for_leaving(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
