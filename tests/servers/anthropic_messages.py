"""A strict server of Anthropic's ``POST /v1/messages``, as platform.claude.com describes Messages and streaming.

Either way of presenting the key is taken, as two generations of the vendor's SDK differ in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.servers.loopback import RecordedRequest
from tests.servers.vendor import Refusal, Reply, VendorServer, only, sse

_FIELDS = {
    "model", "messages", "max_tokens", "system", "stream", "temperature", "top_p", "top_k", "stop_sequences",
    "metadata", "thinking", "tools", "tool_choice",
}  # fmt: skip
_KINDS = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}


@dataclass(eq=False)
class AnthropicServer(VendorServer):
    """Claude."""

    family = "anthropic"

    def check(self, request: RecordedRequest) -> None:
        if (request.method, request.path) != ("POST", "/v1/messages"):
            raise Refusal(404, f"Not found: {request.path}")
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        given = request.headers.get("x-api-key") or bearer
        if given != self.api_key:
            raise Refusal(401, "invalid x-api-key" if given else "x-api-key header is required")
        if "anthropic-version" not in request.headers:
            raise Refusal(400, "anthropic-version: header is required")
        body = only(request.body, _FIELDS, lambda message: Refusal(400, message))
        if body.get("model") not in self.models:
            raise Refusal(404, f"model: {body.get('model')}")
        if type(body.get("max_tokens")) is not int or body["max_tokens"] < 1:
            raise Refusal(400, "max_tokens: Field required")
        if not 0 <= body.get("temperature", 1) <= 1:
            raise Refusal(400, "temperature: range: 0..1")
        if not isinstance(body.get("system", ""), (str, list)):
            raise Refusal(400, "system: Input should be a valid string or list")
        _check_messages(body.get("messages"))

    def error(self, refusal: Refusal) -> object:
        kind = _KINDS.get(refusal.status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": refusal.message}, "request_id": "req_1"}

    def opening(self, reply: Reply) -> list[bytes]:
        message = {
            "id": "msg_1", "type": "message", "role": "assistant", "model": self.models[0], "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": reply.usage[0], "output_tokens": 1},
        }  # fmt: skip
        frames = [_event("message_start", message=message)]
        if reply.reasoning:
            block = {"type": "thinking", "thinking": "", "signature": ""}
            frames.append(_event("content_block_start", index=1, content_block=block))
            for text in reply.reasoning:
                delta = {"type": "thinking_delta", "thinking": text}
                frames.append(_event("content_block_delta", index=1, delta=delta))
            frames.append(_event("content_block_stop", index=1))
        start = _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        return [*frames, start, _event("ping")]

    def piece(self, text: str, reply: Reply) -> bytes:
        delta = {"type": "text_delta", "text": text}
        return _event("content_block_delta", escape=reply.escape, index=0, delta=delta)

    def closing(self, request: RecordedRequest, reply: Reply) -> list[bytes]:
        delta = {"stop_reason": _STOP_REASONS.get(reply.finish_reason, reply.finish_reason), "stop_sequence": None}
        usage = {"input_tokens": reply.usage[0], "output_tokens": reply.usage[1]}
        # The stop of the block comes first, but it says nothing: the reason is in the frame after it.
        return [
            _event("content_block_stop", index=0) + _event("message_delta", delta=delta, usage=usage),
            _event("message_stop"),
        ]

    def error_frame(self, message: str) -> bytes:
        return _event("error", error={"type": "overloaded_error", "message": message})

    def not_json(self) -> bytes:
        return b"event: content_block_delta\ndata: {this is not JSON\n\n"


def _event(kind: str, *, escape: bool = False, **fields: Any) -> bytes:
    return sse({"type": kind, **fields}, event=kind, escape=escape)


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise Refusal(400, "messages: at least one message is required")
    roles = [message.get("role") for message in messages]
    if set(roles) - {"user", "assistant"}:
        raise Refusal(400, f"messages: Unexpected role in {roles}: the system prompt is a top-level parameter")
    if roles != (["user", "assistant"] * len(roles))[: len(roles)] or roles[-1] != "user":
        raise Refusal(400, f"messages: roles must alternate between user and assistant; got {roles}")
    for message in messages:
        if not message.get("content") or not isinstance(message["content"], (str, list)):
            raise Refusal(400, "messages: content must be non-empty")
