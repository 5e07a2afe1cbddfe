"""``/v1/conversations``: those that the caller wanted kept, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyio import to_thread
from litestar import Request, delete, get, post
from litestar.params import FromPath

from ragsvc.api import schemas
from ragsvc.api.access import ASK, caller_of
from ragsvc.api.errors import problems
from ragsvc.api.talk_schemas import ConversationTurns, KeptConversation, KeptConversations, KeptTurn

if TYPE_CHECKING:
    from ragsvc.wiring import Service

MOST_LISTED = 100


@post("/v1/conversations", status_code=201, opt=ASK, responses=problems(409), summary="Begin a conversation")
async def create_conversation(request: Request[Any, Any, Any]) -> KeptConversation:
    """Begin a conversation that is kept, and return the id to ask with: ``conversation_id`` of ``/v1/ask``.

    Only this key sees it. It ends some days after its last question, as the operator set it, or when it is deleted.
    """
    service: Service = request.app.state.service
    new = await to_thread.run_sync(service.conversations.create, caller_of(request).key_id)
    return schemas.out(new, KeptConversation)


@get("/v1/conversations", opt=ASK, responses=problems(), summary="List conversations")
async def list_conversations(request: Request[Any, Any, Any]) -> KeptConversations:
    """Return the latest conversations of this key."""
    service: Service = request.app.state.service
    key_id = caller_of(request).key_id
    found = await to_thread.run_sync(service.conversations.list, key_id, 0, MOST_LISTED)
    return KeptConversations(schemas.out(list(found), list[KeptConversation]))


@get("/v1/conversations/{conversation_id:str}", opt=ASK, responses=problems(404), summary="Show a conversation")
async def show_conversation(request: Request[Any, Any, Any], conversation_id: FromPath[str]) -> ConversationTurns:
    """Return the turns of a conversation of this key, with answers and citations."""
    service: Service = request.app.state.service
    key_id = caller_of(request).key_id
    found, turns = await to_thread.run_sync(service.conversations.show, conversation_id, key_id)
    return ConversationTurns(
        found.conversation_id, found.created_at, found.updated_at, schemas.out(list(turns), list[KeptTurn])
    )


@delete(
    "/v1/conversations/{conversation_id:str}",
    status_code=204,
    opt=ASK,
    responses=problems(404),
    summary="Delete a conversation",
)
async def delete_conversation(request: Request[Any, Any, Any], conversation_id: FromPath[str]) -> None:
    """Delete a conversation of this key for good: what it took in the database is overwritten."""
    service: Service = request.app.state.service
    await to_thread.run_sync(service.conversations.delete, conversation_id, caller_of(request).key_id)
