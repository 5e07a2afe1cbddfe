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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.servers.loopback import Exchange, RecordedRequest
from tests.servers.vendor import Fault, Refusal, Reply, VendorServer, sse

__all__ = ["Fault", "OpenAIChatServer", "Refusal", "Reply", "SparkServer"]

_FIELDS = {
    "model", "messages", "stream", "stream_options", "temperature", "top_p", "max_tokens", "max_completion_tokens",
    "n", "stop", "seed", "user", "presence_penalty", "frequency_penalty", "response_format",
}  # fmt: skip


@dataclass(eq=False)
class OpenAIChatServer(VendorServer):
    """OpenAI, and those that copy it; thinking goes in ``reasoning_content``, as DeepSeek, Moonshot and Zhipu do."""

    family = "openai"

    @property
    def base_url(self) -> str:
        return f"{self.address}/v1"

    @property
    def endpoint(self) -> str:
        """The model as ``find_model`` takes it; it needs ``api_key`` too."""
        return f"{self.base_url}#{self.models[0]}"

    def check(self, request: RecordedRequest) -> None:
        self._check_key(request)
        if (request.method, request.path) != ("GET", "/v1/models"):
            check_request(request, self.models)

    def wants_stream(self, request: RecordedRequest) -> bool:
        return request.method == "POST" and bool(request.body.get("stream"))

    def error(self, refusal: Refusal) -> object:
        facts = {"message": refusal.message, "type": refusal.kind, "param": refusal.param, "code": refusal.code}
        return {"error": facts}

    def opening(self, reply: Reply) -> list[bytes]:
        deltas: list[dict[str, str | None]] = [{"role": "assistant", "content": ""}]
        deltas += [{"reasoning_content": text, "content": None} for text in reply.reasoning]
        return [sse(self._chunk(delta), escape=reply.escape) for delta in deltas]

    def piece(self, text: str, reply: Reply) -> bytes:
        return sse(self._chunk({"content": text}), escape=reply.escape)

    def closing(self, request: RecordedRequest, reply: Reply) -> list[bytes]:
        frames = [sse(self._chunk({}, reply.finish_reason))]
        if (request.body.get("stream_options") or {}).get("include_usage", False):
            frames.append(sse({**self._chunk({}), "choices": [], "usage": _usage(reply)}))
        return [*frames, sse("[DONE]")]

    def error_frame(self, message: str) -> bytes:
        return sse(self.error(Refusal(500, message, kind="server_error"))) + sse("[DONE]")

    async def whole(self, request: RecordedRequest, reply: Reply, exchange: Exchange) -> None:
        if request.method == "GET":
            listed = [{"id": model, "object": "model", "created": 0, "owned_by": "test"} for model in self.models]
            return await exchange.json(200, {"object": "list", "data": listed})
        message = {"role": "assistant", "content": "".join(reply.pieces), "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}
        head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": self.models[0]}
        return await exchange.json(200, {**head, "choices": [choice], "usage": _usage(reply)})

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": self.models[0]}
        return {**head, "choices": [choice]}

    def _check_key(self, request: RecordedRequest) -> None:
        given = request.headers.get("authorization", "")
        if not given.startswith("Bearer "):
            raise Refusal(
                401, "You didn't provide an API key. Use the Authorization header with Bearer.", "missing_api_key"
            )
        if given != f"Bearer {self.api_key}":
            raise Refusal(401, f"Incorrect API key provided: {given.removeprefix('Bearer ')}.", "invalid_api_key")


@dataclass(eq=False)
class SparkServer(OpenAIChatServer):
    """iFlytek's HTTP interface: OpenAI's, with ``code``, ``message`` and ``sid`` added, and errors with status 200.

    Source: xfyun.cn, Spark HTTP interface. An error is a JSON document whose ``code`` is not 0.
    """

    def error(self, refusal: Refusal) -> object:
        if self.error_status(refusal) == 200:
            return {"code": 10012, "message": refusal.message, "sid": "cha000"}
        return {"error": {"message": refusal.message, "type": refusal.kind, "code": "11200"}}

    def error_status(self, refusal: Refusal) -> int:
        return 200 if refusal.status == 500 else refusal.status

    def error_frame(self, message: str) -> bytes:
        return sse({"code": 10012, "message": message, "sid": "cha000"})

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        return {"code": 0, "message": "Success", "sid": "cha000", **super()._chunk(delta, finish_reason)}


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
    check_messages(body.get("messages"))
    _check_parameters(body)


def check_messages(messages: Any) -> None:
    """Raise ``Refusal`` unless the messages are [system,] user, assistant, …, user, each with content."""
    if not isinstance(messages, list) or not messages:
        raise Refusal(400, "'messages' must be a non-empty array.", param="messages")
    for position, message in enumerate(messages):
        if not isinstance(message, dict) or message.keys() - {"role", "content", "name"}:
            raise Refusal(400, f"Invalid message: {message!r}", param=f"messages.[{position}]")
        is_user = message.get("role") == "user"
        if not _is_content(message.get("content"), is_user):
            raise Refusal(400, "Invalid type for content.", param=f"messages.[{position}].content")
    roles = [message.get("role") for message in messages]
    turns = roles[1:] if roles[0] == "system" else roles
    if turns != (["user", "assistant"] * len(turns))[: len(turns)] or len(turns) % 2 == 0:
        raise Refusal(400, f"Roles must be [system,] user, assistant, …, user; got {roles}.", param="messages")


def _is_content(content: Any, is_user: bool) -> bool:
    if isinstance(content, str):
        return bool(content) or not is_user
    return is_user and isinstance(content, list) and bool(content) and all(map(_is_part, content))


def _is_part(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    if part.get("type") == "text":
        return part.keys() == {"type", "text"} and isinstance(part["text"], str)
    url = (part.get("image_url") or {}).get("url", "")
    return part.get("type") == "image_url" and url.startswith(("https://", "data:image/"))


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
