"""A strict server of OpenAI's chat completions: it refuses what the vendor, or a stricter compatible one, would refuse.

Wire format: the OpenAI API reference, "Create chat completion" and "Streaming". Stricter than OpenAI, as several
compatible vendors are: the system message comes first and only once, user and assistant alternate, the last message
is the user's.

    with OpenAIChatServer() as server:
        server.replies.append(Reply(pieces=["Yes", " [1]."]))
        ...  # call server.base_url with server.api_key and the model "test-model"
        server.requests[-1].body["messages"]
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.servers.loopback import Cut, Exchange, LoopbackServer, RecordedRequest

Fault = Literal[
    "cut",
    "ends without finish",
    "no done",
    "hangs",
    "hangs after finish",
    "never ends",
    "invalid utf-8",
    "error event",
    "not json",
]
_FIELDS = {
    "model", "messages", "stream", "stream_options", "temperature", "top_p", "max_tokens", "max_completion_tokens",
    "n", "stop", "seed", "user", "presence_penalty", "frequency_penalty", "response_format",
}  # fmt: skip


@dataclass(kw_only=True)
class Reply:
    """What the server does with one accepted request."""

    pieces: Sequence[str] = ("It depends", " on the contract.")
    finish_reason: str = "stop"
    usage: tuple[int, int] = (11, 7)
    """Prompt and completion tokens."""
    status: int = 200
    message: str = "The server had an error."
    retry_after: str | None = None
    first_delay_s: float = 0.0
    """Silence before the first byte of the body."""
    split_bytes: int | None = None
    """Send the stream in network writes of this many bytes, so that characters are split."""
    escape: bool = False
    """Write non-ASCII characters as JSON escapes, as some servers do."""
    fault: Fault | None = None


@dataclass
class Refusal(Exception):
    """An error as the vendor words it."""

    status: int
    message: str
    code: str | None = None
    kind: str = "invalid_request_error"
    param: str | None = None

    def body(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


@dataclass(eq=False)
class OpenAIChatServer(LoopbackServer):
    """``replies`` are used up in order, one per accepted request; ``default`` answers when there is none."""

    api_key: str = "sk-test-1234567890abcdef"
    models: tuple[str, ...] = ("test-model",)
    default: Reply = field(default_factory=Reply)
    replies: deque[Reply] = field(default_factory=deque)

    def __post_init__(self) -> None:
        super().__init__()

    @property
    def base_url(self) -> str:
        return f"{self.address}/v1"

    @property
    def endpoint(self) -> str:
        """The model as ``find_model`` takes it; it needs ``api_key`` too."""
        return f"{self.base_url}#{self.models[0]}"

    async def respond(self, request: RecordedRequest, exchange: Exchange) -> None:
        try:
            self._check_key(request)
            if (request.method, request.path) == ("GET", "/v1/models"):
                listed = [{"id": model, "object": "model", "created": 0, "owned_by": "test"} for model in self.models]
                return await exchange.json(200, {"object": "list", "data": listed})
            check_request(request, self.models)
        except Refusal as refusal:
            return await exchange.json(refusal.status, refusal.body())
        reply = self.replies.popleft() if self.replies else self.default
        if reply.status != 200:
            headers = {"retry-after": reply.retry_after} if reply.retry_after else None
            return await exchange.json(
                reply.status, Refusal(reply.status, reply.message, kind="server_error").body(), headers
            )
        if request.body.get("stream"):
            return await _stream(request.body, reply, exchange)
        return await exchange.json(200, _completion(request.body, reply))

    def _check_key(self, request: RecordedRequest) -> None:
        given = request.headers.get("authorization", "")
        if not given.startswith("Bearer "):
            raise Refusal(
                401, "You didn't provide an API key. Use the Authorization header with Bearer.", "missing_api_key"
            )
        if given != f"Bearer {self.api_key}":
            raise Refusal(401, f"Incorrect API key provided: {given.removeprefix('Bearer ')}.", "invalid_api_key")


def check_request(request: RecordedRequest, models: Sequence[str]) -> None:
    """Raise ``Refusal`` unless the request is a well-formed chat completion."""
    if (request.method, request.path) != ("POST", "/v1/chat/completions"):
        raise Refusal(404, f"Unknown request URL: {request.method} {request.path}.", "unknown_url")
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Refusal(400, "The Content-Type must be application/json.")
    body = request.body
    if not isinstance(body, dict):
        raise Refusal(400, "We could not parse the JSON body of your request.")
    if unknown := sorted(body.keys() - _FIELDS):
        raise Refusal(400, f"Unrecognized request argument supplied: {unknown[0]}", param=unknown[0])
    if not isinstance(body.get("model"), str):
        raise Refusal(400, "You must provide a model parameter.", param="model")
    if body["model"] not in models:
        raise Refusal(404, f"The model `{body['model']}` does not exist.", "model_not_found", param="model")
    _check_messages(body.get("messages"))
    _check_parameters(body)


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise Refusal(400, "'messages' must be a non-empty array.", param="messages")
    for position, message in enumerate(messages):
        if not isinstance(message, dict) or message.keys() - {"role", "content", "name"}:
            raise Refusal(400, f"Invalid message: {message!r}", param=f"messages.[{position}]")
        if not isinstance(message.get("content"), str) or (not message["content"] and message.get("role") == "user"):
            raise Refusal(400, "Invalid type for content: expected a string.", param=f"messages.[{position}].content")
    roles = [message.get("role") for message in messages]
    turns = roles[1:] if roles[0] == "system" else roles
    if turns != (["user", "assistant"] * len(turns))[: len(turns)] or len(turns) % 2 == 0:
        raise Refusal(400, f"Roles must be [system,] user, assistant, …, user; got {roles}.", param="messages")


def _check_parameters(body: dict[str, Any]) -> None:
    if "max_tokens" in body and "max_completion_tokens" in body:
        raise Refusal(400, "Set either max_tokens or max_completion_tokens, not both.", param="max_tokens")
    for name in ("max_tokens", "max_completion_tokens"):
        if name in body and (type(body[name]) is not int or body[name] < 1):
            raise Refusal(400, f"Invalid value for {name}: a positive integer is expected.", param=name)
    temperature = body.get("temperature", 1)
    if isinstance(temperature, bool) or not isinstance(temperature, (int, float)) or not 0 <= temperature <= 2:
        raise Refusal(400, "Invalid temperature: expected a number from 0 to 2.", param="temperature")
    if not isinstance(body.get("stream", False), bool):
        raise Refusal(400, "Invalid type for stream: expected a boolean.", param="stream")
    options = body.get("stream_options")
    if options is not None and not body.get("stream"):
        raise Refusal(
            400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    if options is not None and (not isinstance(options, dict) or options.keys() - {"include_usage"}):
        raise Refusal(400, "Unknown parameter in stream_options.", param="stream_options")


def _usage(reply: Reply) -> dict[str, int]:
    prompt, completion = reply.usage
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _completion(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(reply.pieces), "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"]}
    return {**head, "choices": [choice], "usage": _usage(reply)}


async def _stream(body: dict[str, Any], reply: Reply, exchange: Exchange) -> None:
    with_usage = (body.get("stream_options") or {}).get("include_usage", False)

    def chunk(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
        return {**head, "choices": [choice], **({"usage": None} if with_usage else {})}

    async def event(data: object) -> None:
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=reply.escape)
        raw = f"data: {text}\n\n".encode()
        size = reply.split_bytes or len(raw)
        for start in range(0, len(raw), size):
            await exchange.bytes(raw[start : start + size])
            await asyncio.sleep(0)

    await exchange.start(200, "text/event-stream; charset=utf-8")
    await asyncio.sleep(reply.first_delay_s)
    await event(chunk({"role": "assistant", "content": ""}))
    for piece in reply.pieces:
        await event(chunk({"content": piece}))
    await _misbehave(reply.fault, event, chunk, exchange)
    if reply.fault == "ends without finish":
        await exchange.end()
        return
    await event(chunk({}, reply.finish_reason))
    if reply.fault == "hangs after finish":
        await asyncio.sleep(60)
    if with_usage:
        await event({**chunk({}), "choices": [], "usage": _usage(reply)})
    if reply.fault != "no done":
        await event("[DONE]")
    await exchange.end()


async def _misbehave(fault: Fault | None, event: Any, chunk: Any, exchange: Exchange) -> None:
    if fault == "cut":
        raise Cut
    if fault == "hangs":
        await asyncio.sleep(60)
    if fault == "invalid utf-8":
        await exchange.bytes(b'data: {"choices":[{"index":0,"delta":{"content":"\xff\xfe"}}]}\n\n')
    if fault == "error event":
        await event({"error": {"message": "The server is overloaded.", "type": "server_error", "code": None}})
    if fault == "not json":
        await event("{this is not JSON")
    while fault == "never ends":
        await event(chunk({"content": "and so on "}))
