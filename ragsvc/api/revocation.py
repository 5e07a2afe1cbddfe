"""A key or ticket that is revoked while its request is answered: the answer ends, too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from ragsvc.api import ticket_access
from ragsvc.api.access import Caller
from ragsvc.api.errors import Refused, problem_of
from ragsvc.api.sse import encode_event

if TYPE_CHECKING:
    from ragsvc.wiring import Service

RECHECK_S = 1.0
"""Between two looks, while a stream is open, at whether its reader may still see it."""


def check_still_allowed(service: Service, caller: Caller) -> None:
    """Look again at the key or ticket of a request that was let in.

    Raises:
        Refused: it was revoked meanwhile.
    """
    if caller.ticket:
        is_allowed = ticket_access.find_key(service, caller.ticket) is not None
    else:
        is_allowed = not caller.key_hash or service.keys.find(caller.key_hash) is not None
    if not is_allowed:
        raise Refused(status_code=401, detail="the key or ticket of this request was revoked")


def until_revoked(service: Service, caller: Caller) -> Callable[[], Coroutine[Any, Any, bytes]]:
    """Return what an ``EventStream`` waits for beside its events: it returns the event that says why it was cut."""

    async def wait() -> bytes:
        while True:
            await asyncio.sleep(RECHECK_S)
            try:
                await to_thread.run_sync(check_still_allowed, service, caller)
            except Refused as refused:
                return encode_event("error", problem_of(refused))

    return wait
