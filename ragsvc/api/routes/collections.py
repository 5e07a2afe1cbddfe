"""``GET /v1/collections``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyio import to_thread
from litestar import Request, get

from ragsvc.api import schemas
from ragsvc.api.access import READ, caller_of
from ragsvc.api.errors import problems

if TYPE_CHECKING:
    from ragsvc.wiring import Service


@get("/v1/collections", opt=READ, responses=problems(), summary="List the collections")
async def list_collections(request: Request[Any, Any, Any]) -> schemas.Collections:
    """Return the collections that the key may read."""
    service: Service = request.app.state.service
    found = await to_thread.run_sync(service.collections)
    caller = caller_of(request)
    return schemas.Collections(schemas.out([c for c in found if caller.may_read(c.name)], list[schemas.Collection]))
