"""``POST /v1/chat/completions``: a collection behind OpenAI's interface, for any chat front end."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec
from anyio import to_thread
from litestar import Request, Response, post

from ragsvc import records
from ragsvc.api import schemas
from ragsvc.api.access import ASK_AS_OPENAI, Caller, caller_of
from ragsvc.api.bodies import read_json
from ragsvc.api.chat_schemas import (
    AssistantMessage,
    ChatChunk,
    ChatCompletion,
    ChatMessage,
    ChatRequest,
    ChatUsage,
    Choice,
    ChunkChoice,
    Delta,
    FinishReason,
    ImagePart,
    Provenance,
    TextPart,
)
from ragsvc.api.conversation_schemas import Turn
from ragsvc.api.errors import Refused, problem_of, problems
from ragsvc.api.leaving import ClientLeft, until_client_leaves
from ragsvc.api.openapi import json_body
from ragsvc.api.recording import Recorder
from ragsvc.api.revocation import until_revoked
from ragsvc.api.routes.ask import Events, begin, from_first, settle, to_answer
from ragsvc.api.sse import EventStream
from ragsvc.citing.defusing import defuse
from ragsvc.errors import InvalidInput
from ragsvc.observability.logs import FAILURES
from ragsvc.security.input_limits import MAX_HISTORY, MAX_JSON_BYTES_WITH_IMAGES, MAX_TURN_CHARS

if TYPE_CHECKING:
    from ragsvc.wiring import Service


@post(
    "/v1/chat/completions",
    status_code=200,
    opt=ASK_AS_OPENAI,
    operation_class=json_body(ChatRequest, streams=ChatChunk),
    responses=problems(404, 408, 409, 413, 415, 429, 502, 504),
    request_max_body_size=MAX_JSON_BYTES_WITH_IMAGES,
    summary="Answer through OpenAI's interface",
)
async def chat_completions(request: Request[Any, Any, Any]) -> Response[ChatCompletion]:
    """Answer the last message of the user from the sources, as ``/v1/ask`` does.

    ``model`` is a collection, an assistant, ``collection/model``, or a model over all that the key may read. System
    texts are not shown to the model, and earlier turns only say what the question leans on: what an answer rests on
    is the sources. Its references and the disclaimer stand at the end of the text, whole citations in ``citations``.
    """
    service: Service = request.app.state.service
    body = await read_json(request, ChatRequest)
    if body.n not in (None, 1):
        raise InvalidInput(f"n is {body.n}: one answer is given")
    if body.tools:
        raise InvalidInput("tools are not taken: answers come from the sources of this service")
    caller = caller_of(request)
    asked = body.messages and body.messages[-1]
    if not asked or asked.role != "user":
        raise InvalidInput("messages must end with one of the user: it is the question")
    text, images = _parts(asked)
    collections, model, assistant = await _target(body.model, caller, service)
    question = await to_thread.run_sync(
        settle,
        schemas.AskRequest(
            question=text,
            history=_earlier(body.messages[:-1]),
            collections=list(collections),
            model=model,
            assistant=assistant,
            as_of=body.as_of,
            top_k=body.top_k,
            strategy=body.strategy,
            language=body.language,
        ),
        caller,
        service,
    )
    first, events, give_back = await begin(request, question, images)
    recorder = Recorder(request.app.state, caller, question)
    if body.stream:
        return EventStream(
            _to_chunks(body, first, events, recorder), at_end=give_back, cut=until_revoked(service, caller)
        )
    try:
        answer = await until_client_leaves(to_answer(first, events, recorder), request.receive)
    except ClientLeft:
        raise Refused(status_code=408, detail="the client left before the answer was ready") from None
    finally:
        give_back()
    return Response(_completion(body, answer))


async def _target(name: str, caller: Caller, service: Service) -> tuple[tuple[str, ...], str | None, str | None]:
    """Return the collections, the model and the assistant that ``model`` of a request names."""
    found = await to_thread.run_sync(service.collections)
    readable = {collection.name for collection in found if caller.may_read(collection.name)}
    if name in readable:
        return (name,), None, None
    assistants = await to_thread.run_sync(service.assistants.list, caller.may_read)
    if any(assistant.id == name for assistant in assistants):
        return (), None, name
    collection, _, model = name.partition("/")
    if model and collection in readable:
        return (collection,), model, None
    return (), name, None


def _parts(message: ChatMessage) -> tuple[str, Sequence[str]]:
    """Return the text of a message and the addresses of its pictures."""
    if message.content is None or isinstance(message.content, str):
        return message.content or "", ()
    texts = [part.text for part in message.content if isinstance(part, TextPart)]
    return "\n".join(texts), [part.image_url.url for part in message.content if isinstance(part, ImagePart)]


def _earlier(messages: Sequence[ChatMessage]) -> list[Turn]:
    """Return the latest turns of user and assistant that may come with a question; a long one is cut."""
    turns = []
    for message in messages:
        text = _parts(message)[0][:MAX_TURN_CHARS]
        if text and (message.role == "user" or message.role == "assistant"):
            turns.append(Turn(role=message.role, content=text))
    return turns[-MAX_HISTORY:]


def _is_first(notice: schemas.Notice | records.Notice) -> bool:
    return notice.severity == "urgent"


def _beginning(answer: schemas.Answer) -> str:
    """Return what stands before an answer where nothing but text is shown: the urgent notices."""
    return "".join(f"{notice.text}\n\n" for notice in answer.notices if _is_first(notice))


def _ending(answer: schemas.Answer) -> str:
    """Return what stands under an answer where nothing but text is shown: notices, its references, the disclaimer."""
    seen = {c.marker: f"{c.marker} {' '.join(dict.fromkeys((c.title or c.work, c.locator)))}" for c in answer.citations}
    references = defuse("\n".join(seen.values()), "zh")  # readers of this text render Markdown; a title may hold any
    parts = [*(notice.text for notice in answer.notices if not _is_first(notice)), references, answer.disclaimer]
    return "".join(f"\n\n{part}" for part in parts if part)


def _finish_reason(answer: schemas.Answer) -> FinishReason:
    if answer.finish_reason == "length":
        return "length"
    return "content_filter" if answer.finish_reason == "content_filter" else "stop"


def _usage(answer: schemas.Answer) -> ChatUsage:
    prompt, completion = answer.usage.prompt_tokens or 0, answer.usage.completion_tokens or 0
    return ChatUsage(prompt, completion, prompt + completion)


def _completion(body: ChatRequest, answer: schemas.Answer) -> ChatCompletion:
    message = AssistantMessage("assistant", _beginning(answer) + answer.answer.rstrip() + _ending(answer))
    if answer.reasoning:
        message.reasoning_content = answer.reasoning
    return ChatCompletion(
        id=f"chatcmpl-{answer.answer_id}",
        object="chat.completion",
        created=int(time.time()),
        model=body.model,
        choices=[Choice(0, message, _finish_reason(answer))],
        usage=_usage(answer),
        citations=answer.citations,
        ragsvc=schemas.out(answer, Provenance),
    )


async def _to_chunks(
    body: ChatRequest, first: records.AnswerEvent, events: Events, recorder: Recorder
) -> AsyncGenerator[bytes, None]:
    """Yield an answer as OpenAI streams one; whatever happens, the last event is ``[DONE]``."""
    id_, created = "chatcmpl-" + msgspec.json.encode(time.time_ns()).decode(), int(time.time())

    def chunk(*choices: ChunkChoice, **more: Any) -> bytes:
        return _data(ChatChunk(id_, "chat.completion.chunk", created, body.model, list(choices), **more))

    yield chunk(ChunkChoice(0, Delta(role="assistant", content="")))
    try:
        async with aclosing(from_first(first, events)) as stream:
            async for event in stream:
                match event:
                    case records.NoticeGiven(notice) if _is_first(notice):
                        yield chunk(ChunkChoice(0, Delta(content=notice.text + "\n\n")))
                    case records.TextReleased(text):
                        yield chunk(ChunkChoice(0, Delta(content=text)))
                    case records.AnswerDone(done) | records.ClarifyAsked(done):
                        answer = await recorder.answered(done)
                        if answer.clarify:  # the one part of an answer that does not come as text
                            yield chunk(ChunkChoice(0, Delta(content=answer.clarify.question)))
                        yield chunk(ChunkChoice(0, Delta(content=_ending(answer))))
                        yield chunk(
                            ChunkChoice(0, Delta(), _finish_reason(answer)),
                            citations=answer.citations,
                            ragsvc=schemas.out(answer, Provenance),
                        )
                        if body.stream_options and body.stream_options.include_usage:
                            yield chunk(usage=_usage(answer))
                    case records.AnswerFailed(error, message):
                        recorder.failed()
                        yield _data({"error": schemas.OpenAIError(message, error)})
    except Exception as error:  # noqa: BLE001  # the response has begun: its status can no longer say it
        FAILURES.error("an answer broke off", exc_info=error)
        said = problem_of(error)
        yield _data({"error": schemas.OpenAIError(said.detail, said.type)})
    yield b"data: [DONE]\n\n"


def _data(body: object) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode(body)
