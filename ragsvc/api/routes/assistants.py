"""``/v1/assistants``: profiles that bundle what a question is answered with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyio import to_thread
from litestar import Request, delete, get, put
from litestar.params import FromPath

from ragsvc.api import schemas
from ragsvc.api.access import ADMIN, ASK, caller_of
from ragsvc.api.bodies import read_json
from ragsvc.api.errors import problems
from ragsvc.api.openapi import json_body
from ragsvc.api.talk_schemas import Assistant, AssistantProfile, Assistants
from ragsvc.security.input_limits import MAX_JSON_BYTES
from ragsvc.store.assistants import Assistant as StoredAssistant

if TYPE_CHECKING:
    from ragsvc.wiring import Service


@get("/v1/assistants", opt=ASK, responses=problems(), summary="List the assistants")
async def list_assistants(request: Request[Any, Any, Any]) -> Assistants:
    """Return the assistants all of whose collections the key may read."""
    service: Service = request.app.state.service
    found = await to_thread.run_sync(service.assistants.list, caller_of(request).may_read)
    return Assistants(schemas.out(list(found), list[Assistant]))


@put(
    "/v1/assistants/{assistant_id:str}",
    opt=ADMIN,
    operation_class=json_body(AssistantProfile),
    responses=problems(404, 408, 413, 415),
    request_max_body_size=MAX_JSON_BYTES,
    summary="Make or change an assistant",
)
async def put_assistant(request: Request[Any, Any, Any], assistant_id: FromPath[str]) -> Assistant:
    """Store an assistant under an id, in the place of one that has it."""
    service: Service = request.app.state.service
    body = await read_json(request, AssistantProfile)
    profile = StoredAssistant(
        id=assistant_id,
        name=body.name,
        collections=caller_of(request).check_collections(tuple(body.collections)) if body.collections else (),
        persona=body.persona,
        model=body.model or "",
        strategy=body.strategy or "",
        language=body.language or "",
        opening_line=body.opening_line,
        suggested_questions=tuple(body.suggested_questions),
    )
    await to_thread.run_sync(service.assistants.put, profile)
    return schemas.out(service.assistants.find(assistant_id), Assistant)


@delete(
    "/v1/assistants/{assistant_id:str}",
    status_code=204,
    opt=ADMIN,
    responses=problems(404),
    summary="Remove an assistant",
)
async def delete_assistant(request: Request[Any, Any, Any], assistant_id: FromPath[str]) -> None:
    """Remove an assistant; its collections and the conversations with it stay."""
    service: Service = request.app.state.service
    await to_thread.run_sync(service.assistants.find, assistant_id, caller_of(request).may_read)
    await to_thread.run_sync(service.assistants.delete, assistant_id)
