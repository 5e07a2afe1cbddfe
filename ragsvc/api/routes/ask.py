"""``POST /v1/ask``: one question, one answer, as a whole or while it is written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from anyio import to_thread
from litestar import Request, Response, post
from msgspec.structs import replace

from ragsvc import records
from ragsvc.api import limits, schemas
from ragsvc.api.access import ASK, TICKET, Caller, caller_of
from ragsvc.api.bodies import read_json
from ragsvc.api.conversation_schemas import Turn
from ragsvc.api.errors import ModelFailed, Refused, named, problem, problem_of, problems
from ragsvc.api.leaving import ClientLeft, until_client_leaves
from ragsvc.api.openapi import json_body
from ragsvc.api.recording import Recorder
from ragsvc.api.revocation import check_still_allowed, until_revoked
from ragsvc.api.sse import EventStream, encode_event
from ragsvc.errors import InvalidInput
from ragsvc.generation.images import read_images
from ragsvc.observability.logs import FAILURES
from ragsvc.security.input_limits import (
    MAX_COLLECTIONS,
    MAX_FILTER_VALUES,
    MAX_HISTORY,
    MAX_JSON_BYTES_WITH_IMAGES,
    check_k,
    check_name,
    check_names,
    check_question,
    check_turn,
)
from ragsvc.settings import Settings
from ragsvc.strategies import STRATEGIES

if TYPE_CHECKING:
    from ragsvc.wiring import Service

Events = AsyncGenerator[records.AnswerEvent, None]


@post(
    "/v1/ask",
    status_code=200,
    opt={**ASK, **TICKET},
    operation_class=json_body(schemas.AskRequest, streams=schemas.AnswerEvent),
    responses=problems(404, 408, 409, 413, 415, 429, 502, 504),
    request_max_body_size=MAX_JSON_BYTES_WITH_IMAGES,
    summary="Answer a question with checked citations",
)
async def ask(request: Request[Any, Any, Any]) -> Response[schemas.Answer]:
    """Answer from the sources, citing them, or say what is missing.

    With ``stream: true``, server-sent events: ``passages``, a ``notice`` for each of ``notices``, before any text, then
    ``token`` and ``citation`` as they are checked, then one ``done`` (the same object), ``clarify`` (the same object, a
    question back) or ``error`` (a problem). The tokens joined are the answer; those before a ``clarify`` are what its
    ``answer`` begins with, if anything.
    """
    service: Service = request.app.state.service
    body = await read_json(request, schemas.AskRequest)
    caller = caller_of(request)
    question = await to_thread.run_sync(settle, body, caller, service)
    if caller.ticket and body.conversation_id is not None:
        raise Refused(status_code=403, detail="a ticket keeps no conversations: send 'history'")
    if caller.ticket and (body.model or body.strategy or body.images):
        raise Refused(status_code=403, detail="a ticket asks the collection's own model, and shows no pictures")
    first, events, give_back = await begin(request, question, body.images, body.conversation_id)
    recorder = Recorder(request.app.state, caller, question)
    if body.stream:
        return EventStream(to_sse(first, events, recorder), at_end=give_back, cut=until_revoked(service, caller))
    try:
        answer = await until_client_leaves(to_answer(first, events, recorder), request.receive)
        await to_thread.run_sync(check_still_allowed, service, caller)
        return Response(answer)
    except ClientLeft:
        raise Refused(status_code=408, detail="the client left before the answer was ready") from None
    finally:
        give_back()


async def begin(
    request: Request[Any, Any, Any],
    question: records.AskRequest,
    images: Sequence[str] = (),
    conversation_id: str | None = None,
) -> tuple[records.AnswerEvent, Events, Callable[[], None]]:
    """Take one of the slots for questions and wait for the first event; call what is returned last at the end.

    The first event comes before the response begins, so that what is wrong with a request has its own status.
    """
    service: Service = request.app.state.service
    if question.model not in (None, service.settings.model):
        # A name that says itself where the model is would let a caller open any address or folder from this machine.
        service.chat_models.find(str(question.model), listed_only=True)
    give_back: Callable[[], None] = request.app.state.slots.take()
    try:
        await limits.count_question(request, caller_of(request), service.settings)
        seen = await read_images(images, service.network.picture)
        question = replace(question, images=seen)
        if conversation_id is not None:
            events = service.conversations.stream(question, conversation_id, caller_of(request).key_id)
        else:
            events = cast(Events, service.stream(question))
        return await anext(events), events, give_back
    except BaseException:
        give_back()
        raise


def settle(body: schemas.AskRequest, caller: Caller, service: Service) -> records.AskRequest:
    """Check a request and return what the service is to answer, as its assistant is asked it if it names one.

    Raises:
        InvalidInput, NotFound: as ``to_question``; also for an assistant.
    """
    question = to_question(body, caller, service.settings)
    if body.conversation_id is not None:
        check_name(body.conversation_id, "conversation_id")
    if body.assistant is None:
        return question
    named = to_collections(body.collections, body.collection)
    return service.assistants.apply(body.assistant, replace(question, collections=named), caller.may_read)


def to_question(body: schemas.AskRequest, caller: Caller, settings: Settings) -> records.AskRequest:
    """Check a request and return what the service is to answer.

    Raises:
        InvalidInput: a field is over its limit or cannot be used.
        NotFound: a collection that the caller may not read.
    """
    return records.AskRequest(
        question=check_question(body.question, settings.max_question_chars),
        collections=caller.check_collections(to_collections(body.collections, body.collection)),
        history=to_history(body.history),
        as_of=body.as_of,
        k=settings.passages if body.top_k is None else check_k(body.top_k, "top_k"),
        filters=to_filters(body.filters),
        model=None if body.model is None else check_name(body.model, "model"),
        strategy=_check_strategy(body.strategy),
        language=body.language,
    )


def _check_strategy(name: str | None) -> str | None:
    if name is not None and name not in STRATEGIES:
        raise InvalidInput(f"strategy {name[:40]!r} was asked for; there are {', '.join(STRATEGIES)}")
    return name


def to_history(turns: Sequence[Turn]) -> tuple[records.Turn, ...]:
    """Check the conversation before a question.

    Raises:
        InvalidInput: there are too many turns, or one cannot be used.
    """
    if len(turns) > MAX_HISTORY:
        raise InvalidInput(f"history has {len(turns)} turns; the limit is {MAX_HISTORY}: send the latest")
    return tuple(records.Turn(turn.role, check_turn(turn.content, "a turn of history")) for turn in turns)


def to_collections(several: list[str], one: str | None) -> tuple[str, ...]:
    """Join ``collections`` and its shorthand ``collection``.

    Raises:
        InvalidInput: there are too many, or one is no name.
    """
    names = check_names(several, "collections", MAX_COLLECTIONS)
    return names if one is None or one in names else (*names, check_name(one, "collection"))


def to_filters(filters: schemas.Filters) -> records.Filters:
    """Check the filters.

    Raises:
        InvalidInput: too many values, or one that is no name.
    """
    return records.Filters(
        works=check_names(filters.works, "filters.works", MAX_FILTER_VALUES),
        kinds=check_names(filters.kinds, "filters.kinds", MAX_FILTER_VALUES),
        documents=check_names(filters.documents, "filters.documents", MAX_FILTER_VALUES),
    )


async def to_answer(first: records.AnswerEvent, events: Events, recorder: Recorder) -> schemas.Answer:
    """Wait for the end of an answer.

    Raises:
        ModelFailed: with the passages that were found.
    """
    last = first
    passages: tuple[records.Passage, ...] = ()
    notices: list[records.Notice] = []
    async with aclosing(from_first(first, events)) as stream:
        async for event in stream:
            last = event
            if isinstance(event, records.PassagesFound):
                passages = event.passages
            elif isinstance(event, records.NoticeGiven):
                notices.append(event.notice)
    if isinstance(last, records.AnswerFailed):
        recorder.failed()
        raise ModelFailed(
            last.message,
            named(last.error),
            schemas.out(passages, list[schemas.Passage]),
            schemas.out(notices, list[schemas.Notice]),
        )
    assert isinstance(last, records.AnswerDone | records.ClarifyAsked), "an answer ends with one of the three"
    return await recorder.answered(last.answer)


async def to_sse(first: records.AnswerEvent, events: Events, recorder: Recorder) -> AsyncGenerator[bytes, None]:
    """Yield an answer's events, encoded; whatever happens, the last is one ``done``, ``clarify`` or ``error``."""
    try:
        async with aclosing(from_first(first, events)) as stream:
            async for event in stream:
                yield await _encode(event, recorder)
    except Exception as error:  # noqa: BLE001  # the response has begun: its status can no longer say it
        FAILURES.error("an answer broke off", exc_info=error)
        yield encode_event("error", problem_of(error))


async def from_first(first: records.AnswerEvent, events: Events) -> Events:
    """Yield the events of an answer whose first was taken already."""
    async with aclosing(events):
        yield first
        async for event in events:
            yield event


async def _encode(event: records.AnswerEvent, recorder: Recorder) -> bytes:
    match event:
        case records.PassagesFound(passages):
            return encode_event("passages", schemas.PassagesFound(schemas.out(passages, list[schemas.Passage])))
        case records.NoticeGiven(notice):
            return encode_event("notice", schemas.out(notice, schemas.Notice))
        case records.TextReleased(text):
            return encode_event("token", schemas.Token(text))
        case records.CitationChecked(citation):
            return encode_event("citation", schemas.out(citation, schemas.Citation))
        case records.AnswerDone(answer):
            return encode_event("done", await recorder.answered(answer))
        case records.ClarifyAsked(answer):
            return encode_event("clarify", await recorder.answered(answer))
        case records.AnswerFailed(error, message):
            recorder.failed()
            return encode_event("error", problem(named(error), message))
