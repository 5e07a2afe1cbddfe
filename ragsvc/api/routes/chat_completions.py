"""``POST /v1/chat/completions``: a collection behind OpenAI's interface, for any chat front end."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Sequence
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
from ragsvc.api.chat_tasks import answer_task
from ragsvc.api.chat_text import beginning, ending, is_first
from ragsvc.api.conversation_schemas import Turn
from ragsvc.api.errors import Refused, problem_of, problems
from ragsvc.api.leaving import ClientLeft, until_client_leaves
from ragsvc.api.openapi import json_body
from ragsvc.api.recording import Recorder
from ragsvc.api.revocation import until_revoked
from ragsvc.api.routes.ask import Events, begin, from_first, settle, to_answer
from ragsvc.api.sse import EventStream
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
    is the sources. Its references, as links, and the disclaimer stand at the end of the text, whole citations in
    ``citations``. A title, tags or further questions, as Open WebUI and LibreChat ask for them, are answered by rule.
    """
    service: Service = request.app.state.service
    body = await read_json(request, ChatRequest)
    text, images = _parts(_last_of_user(body))
    caller = caller_of(request)
    if said := answer_task(text):
        return EventStream(_task_chunks(body, said)) if body.stream else Response(_task_completion(body, said))
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
    address = (service.settings.public_url or str(request.base_url)).rstrip("/")
    if body.stream:
        chunks = _to_chunks(body, from_first(first, events), recorder, address)
        return EventStream(chunks, at_end=give_back, cut=until_revoked(service, caller))
    try:
        answer = await until_client_leaves(to_answer(first, events, recorder), request.receive)
    except ClientLeft:
        raise Refused(status_code=408, detail="the client left before the answer was ready") from None
    finally:
        give_back()
    return Response(_completion(body, answer, address))


def _last_of_user(body: ChatRequest) -> ChatMessage:
    """Return the message that is the question.

    Raises:
        InvalidInput: there is none, or something else is asked for than one text.
    """
    if body.n not in (None, 1):
        raise InvalidInput(f"n is {body.n}: one answer is given")
    if body.tool_choice not in (None, "auto", "none"):
        raise InvalidInput("tool_choice asks for a call: none is made, answers come from the sources of this service")
    if body.response_format and body.response_format.type != "text":
        raise InvalidInput(f"response_format is {body.response_format.type[:40]!r}: answers are text")
    if not body.messages or body.messages[-1].role != "user":
        raise InvalidInput("messages must end with one of the user: it is the question")
    return body.messages[-1]


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


def _finish_reason(answer: schemas.Answer) -> FinishReason:
    if answer.finish_reason == "length":
        return "length"
    return "content_filter" if answer.finish_reason == "content_filter" else "stop"


def _usage(answer: schemas.Answer) -> ChatUsage:
    prompt, completion = answer.usage.prompt_tokens or 0, answer.usage.completion_tokens or 0
    return ChatUsage(prompt, completion, prompt + completion)


def _completion(body: ChatRequest, answer: schemas.Answer, address: str) -> ChatCompletion:
    message = AssistantMessage("assistant", beginning(answer) + answer.answer.rstrip() + ending(answer, address))
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


def _task_completion(body: ChatRequest, said: str) -> ChatCompletion:
    choice = Choice(0, AssistantMessage("assistant", said), "stop")
    return ChatCompletion(_new_id(), "chat.completion", int(time.time()), body.model, [choice], ChatUsage(0, 0, 0))


async def _task_chunks(body: ChatRequest, said: str) -> AsyncGenerator[bytes, None]:
    chunk = _chunks_of(body)
    yield chunk(ChunkChoice(0, Delta(role="assistant", content=said)))
    yield chunk(ChunkChoice(0, Delta(), "stop"))
    if body.stream_options and body.stream_options.include_usage:
        yield chunk(usage=ChatUsage(0, 0, 0))
    yield b"data: [DONE]\n\n"


def _new_id() -> str:
    return f"chatcmpl-{time.time_ns()}"


def _chunks_of(body: ChatRequest) -> Callable[..., bytes]:
    """Return what makes the chunks of one answer."""
    id_, created = _new_id(), int(time.time())

    def chunk(*choices: ChunkChoice, **more: Any) -> bytes:
        return _data(ChatChunk(id_, "chat.completion.chunk", created, body.model, list(choices), **more))

    return chunk


async def _to_chunks(
    body: ChatRequest, events: Events, recorder: Recorder, address: str
) -> AsyncGenerator[bytes, None]:
    """Yield an answer as OpenAI streams one; whatever happens, the last event is ``[DONE]``."""
    chunk = _chunks_of(body)
    yield chunk(ChunkChoice(0, Delta(role="assistant", content="")))
    try:
        async with aclosing(events) as stream:
            async for event in stream:
                match event:
                    case records.NoticeGiven(notice) if is_first(notice):
                        yield chunk(ChunkChoice(0, Delta(content=notice.text + "\n\n")))
                    case records.TextReleased(text):
                        yield chunk(ChunkChoice(0, Delta(content=text)))
                    case records.AnswerDone(done) | records.ClarifyAsked(done):
                        answer = await recorder.answered(done)
                        if answer.clarify:  # the one part of an answer that does not come as text
                            yield chunk(ChunkChoice(0, Delta(content=answer.clarify.question)))
                        yield chunk(ChunkChoice(0, Delta(content=ending(answer, address))))
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
