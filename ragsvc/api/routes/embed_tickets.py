"""``/v1/embed-tickets``: a portal's server exchanges its key for what its page may hold."""

from __future__ import annotations

import time
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from litestar import Request, delete, post
from litestar.params import FromPath

from ragsvc.api.access import ASK, caller_of, unknown
from ragsvc.api.bodies import read_json
from ragsvc.api.embed_schemas import EmbedTicket, TicketRequest
from ragsvc.api.errors import Refused, problems
from ragsvc.api.openapi import json_body
from ragsvc.errors import InvalidInput, NotFound
from ragsvc.security.input_limits import MAX_COLLECTIONS, MAX_JSON_BYTES, check_names
from ragsvc.security.tickets import MAX_QUESTIONS, MAX_SECONDS, Ticket, check_origin, make_secret, sign_ticket

if TYPE_CHECKING:
    from ragsvc.wiring import Service

MIN_SECONDS = 10


@post(
    "/v1/embed-tickets",
    status_code=201,
    opt=ASK,
    operation_class=json_body(TicketRequest),
    responses=problems(404, 408, 413, 415),
    request_max_body_size=MAX_JSON_BYTES,
    summary="Get a ticket for a page",
)
async def create_ticket(request: Request[Any, Any, Any]) -> EmbedTicket:
    """Return a ticket for pages of one origin, which the key must list: see 'ragsvc keys origins'.

    To be called by a server, which holds the key; its page gets the ticket. With it, pages of that origin may ask, and
    read the sources, in the collections named here. It ends with its time, its quota, its key, or when it is revoked.
    """
    service: Service = request.app.state.service
    body = await read_json(request, TicketRequest)
    caller = caller_of(request)
    origin = check_origin(body.origin)
    collections = caller.check_collections(check_names(body.collections, "collections", MAX_COLLECTIONS))
    questions = _within(body.questions, "questions", 1, MAX_QUESTIONS)
    seconds = _within(body.seconds, "seconds", MIN_SECONDS, MAX_SECONDS)
    if not caller.key_id:
        raise Refused(status_code=403, detail="this service has no keys, so it gives no tickets: make a key")
    key = await to_thread.run_sync(service.keys.find_by_id, caller.key_id)
    if key is None or origin not in key.origins:
        raise Refused(status_code=403, detail=f"this key does not list {origin}: see 'ragsvc keys origins'")
    ticket = Ticket(
        ticket_id=uuid.uuid4().hex,
        key_id=caller.key_id,
        origin=origin,
        collections=collections,
        questions=questions,
        expires_at=int(time.time()) + seconds,
    )
    await to_thread.run_sync(partial(service.tickets.add, ticket.ticket_id, key.key_id, expires_at=ticket.expires_at))
    return EmbedTicket(
        ticket=sign_ticket(ticket, service.tickets.secret(make_secret())),
        ticket_id=ticket.ticket_id,
        expires_in_s=seconds,
        origin=origin,
        collections=list(collections),
        questions=questions,
    )


@delete(
    "/v1/embed-tickets/{ticket_id:str}", status_code=204, opt=ASK, responses=problems(404), summary="Revoke a ticket"
)
async def revoke_ticket(request: Request[Any, Any, Any], ticket_id: FromPath[str]) -> None:
    """Make a ticket of this key useless at once, also for an answer that is being written."""
    service: Service = request.app.state.service
    try:
        await to_thread.run_sync(service.tickets.revoke, ticket_id, caller_of(request).key_id)
    except NotFound:
        raise unknown("ticket", ticket_id) from None


def _within(value: int, what: str, least: int, most: int) -> int:
    if not least <= value <= most:
        raise InvalidInput(f"{what} must be between {least} and {most}; found {value}")
    return value
