"""``/v1/feedback`` and ``/v1/declined``: what readers say about answers, and what they asked in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from anyio import to_thread
from litestar import Request, get, post
from litestar.params import FromQuery, Parameter

from ragsvc.api import schemas
from ragsvc.api.access import ADMIN, ASK, TICKET, caller_of, unknown
from ragsvc.api.bodies import read_json
from ragsvc.api.errors import problems
from ragsvc.api.feedback_schemas import (
    DeclinedPage,
    DeclinedQuestion,
    Feedback,
    FeedbackKept,
    FeedbackPage,
    FeedbackRequest,
)
from ragsvc.api.openapi import json_body
from ragsvc.errors import NotFound
from ragsvc.security.input_limits import (
    MAX_JSON_BYTES,
    MAX_NAME_CHARS,
    NAME_PATTERN,
    check_comment,
    check_name,
    check_question,
)
from ragsvc.store.feedback import FeedbackFilter, Rating, Reason, Said

if TYPE_CHECKING:
    from ragsvc.wiring import Service

MAX_PAGE = 100
MAX_OFFSET = 2**31 - 1
Offset = Annotated[int, Parameter(ge=0, le=MAX_OFFSET)]
Limit = Annotated[int, Parameter(ge=1, le=MAX_PAGE)]
OF_OPENAI = "chatcmpl-"
"""Before the answer's id where it came through OpenAI's interface."""


@post(
    "/v1/feedback",
    status_code=201,
    opt={**ASK, **TICKET},
    operation_class=json_body(FeedbackRequest),
    responses=problems(404, 408, 413, 415, 429),
    request_max_body_size=MAX_JSON_BYTES,
    summary="Say what an answer was worth",
)
async def give_feedback(request: Request[Any, Any, Any]) -> FeedbackKept:
    """Keep what a reader says about an answer, with the answer's receipt: its text, citations and index generation.

    Only with the key that asked, or a ticket of the same key and origin, and for some hours after the answer. The
    question is kept with it if it is sent along, or if the operator keeps questions; else it is not stored at all.
    """
    service: Service = request.app.state.service
    body = await read_json(request, FeedbackRequest)
    said = Said(
        answer_id=check_name(body.answer_id, "answer_id").removeprefix(OF_OPENAI),
        rating=body.rating,
        reason=body.reason or "",
        comment=check_comment(body.comment),
        marker="" if body.marker is None else check_name(body.marker, "marker"),
    )
    question = body.question and check_question(body.question, service.settings.max_question_chars)
    asker = caller_of(request).asker
    try:
        kept = await to_thread.run_sync(lambda: service.feedback.give(said, asker=asker, question=question))
    except NotFound:
        raise unknown("answer", body.answer_id) from None
    return FeedbackKept(kept.feedback_id)


@get("/v1/feedback", opt=ADMIN, responses=problems(404), summary="Read the feedback")
async def list_feedback(
    request: Request[Any, Any, Any],
    rating: FromQuery[Rating | None] = None,
    reason: FromQuery[Reason | None] = None,
    collection: Annotated[
        str | None, Parameter(schema_extra={"min_length": 1, "max_length": MAX_NAME_CHARS, "pattern": NAME_PATTERN})
    ] = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> FeedbackPage:
    """Return a page of what readers said, newest first, each with the answer's receipt."""
    service: Service = request.app.state.service
    caller = caller_of(request)
    if collection is not None:
        caller.check_collections((check_name(collection, "collection"),))
    wanted = FeedbackFilter(rating=rating, reason=reason, collection=collection, readable=caller.collections)
    found = await to_thread.run_sync(service.feedback.list, wanted, offset, limit)
    return FeedbackPage(schemas.out(found, list[Feedback]), offset, limit)


@get("/v1/declined", opt=ADMIN, responses=problems(), summary="Read the questions that got no answer")
async def list_declined(request: Request[Any, Any, Any], offset: Offset = 0, limit: Limit = 50) -> DeclinedPage:
    """Return a page of declined questions, newest first; they are kept only where ``keep_questions`` is set."""
    service: Service = request.app.state.service
    readable = caller_of(request).collections
    found = await to_thread.run_sync(service.feedback.declined, readable, offset, limit)
    return DeclinedPage(schemas.out(list(found), list[DeclinedQuestion]), offset, limit)
