"""``/v1/index``: the index generations, their health, and going back to an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyio import to_thread
from litestar import Request, get, post

from ragsvc.api import schemas
from ragsvc.api.access import ADMIN, caller_of
from ragsvc.api.bodies import read_json
from ragsvc.api.desk_schemas import Damage, Generation, Generations, RollbackRequest
from ragsvc.api.errors import Refused, problems
from ragsvc.api.openapi import json_body
from ragsvc.security.input_limits import MAX_JSON_BYTES, check_name

if TYPE_CHECKING:
    from ragsvc.wiring import Service


@get("/v1/index", opt=ADMIN, responses=problems(), summary="List the index generations")
async def list_generations(request: Request[Any, Any, Any]) -> Generations:
    """Return the generations that are kept, newest first."""
    service = _of_all_collections(request)
    return Generations(schemas.out(await to_thread.run_sync(service.inventory.generations), list[Generation]))


@post(
    "/v1/index/rollback",
    status_code=200,
    opt=ADMIN,
    operation_class=json_body(RollbackRequest),
    responses=problems(404, 408, 409, 413, 415),
    request_max_body_size=MAX_JSON_BYTES,
    summary="Go back to an earlier generation",
)
async def rollback(request: Request[Any, Any, Any]) -> Generations:
    """Make an earlier generation the current one, after a check of its files. What was removed stays removed."""
    service = _of_all_collections(request)
    body = await read_json(request, RollbackRequest)
    wanted = None if body.generation is None else check_name(body.generation, "generation")
    await to_thread.run_sync(service.index_care.rollback, wanted)
    return Generations(schemas.out(await to_thread.run_sync(service.inventory.generations), list[Generation]))


@post("/v1/index/verify", status_code=200, opt=ADMIN, responses=problems(), summary="Check every stored file")
async def verify_index(request: Request[Any, Any, Any]) -> Damage:
    """Compare the catalogue and every file of every generation with what they ought to be; reads all of them."""
    service = _of_all_collections(request)
    found = await to_thread.run_sync(service.index_care.verify)
    return Damage([one.replace(f"{service.settings.home}/", "") for one in found])


def _of_all_collections(request: Request[Any, Any, Any]) -> Service:
    """The service, for a caller whose key is not held to some collections: a generation holds all of them."""
    if caller_of(request).collections:
        raise Refused(status_code=403, detail="this key is for some collections only, and the index holds all of them")
    service: Service = request.app.state.service
    return service
