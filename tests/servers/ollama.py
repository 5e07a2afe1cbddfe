"""A strict server of Ollama's ``POST /api/chat``: newline-delimited JSON, as Ollama's docs/api.md describes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.servers.loopback import Exchange, RecordedRequest
from tests.servers.vendor import Fault, Refusal, Reply, VendorServer

__all__ = ["Fault", "OllamaServer", "Reply"]

_FIELDS = {"model", "messages", "tools", "think", "format", "options", "stream", "keep_alive"}
_OPTIONS = {"temperature", "num_predict", "num_ctx", "top_k", "top_p", "seed", "stop", "repeat_penalty"}


@dataclass(eq=False)
class OllamaServer(VendorServer):
    """Ollama itself wants no key; with ``needs_key`` it stands behind a proxy that does."""

    family = "ollama"
    media_type = "application/x-ndjson"

    needs_key: bool = False

    def check(self, request: RecordedRequest) -> None:
        if self.needs_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            raise Refusal(401, f"unauthorized: {request.headers.get('authorization')}")
        status, complaint = check_request(request, self.models)
        if complaint:
            raise Refusal(status, complaint)

    def wants_stream(self, request: RecordedRequest) -> bool:
        return bool(request.body.get("stream", True))

    def error(self, refusal: Refusal) -> object:
        return {"error": refusal.message}

    def opening(self, reply: Reply) -> list[bytes]:
        return [_line({**self._part(""), "message": _message("", thinking=text)}) for text in reply.reasoning]

    def piece(self, text: str, reply: Reply) -> bytes:
        return _line(self._part(text), escape=reply.escape)

    def closing(self, request: RecordedRequest, reply: Reply) -> list[bytes]:
        return [_line(self._last(reply, ""))]

    def error_frame(self, message: str) -> bytes:
        return _line({"error": message})

    def not_json(self) -> bytes:
        return b"{this is not JSON\n"

    async def whole(self, request: RecordedRequest, reply: Reply, exchange: Exchange) -> None:
        return await exchange.json(200, self._last(reply, "".join(reply.pieces)))

    def _last(self, reply: Reply, content: str) -> dict[str, Any]:
        prompt, completion = reply.usage
        times = {"total_duration": 5_000, "load_duration": 1_000, "prompt_eval_duration": 1_000, "eval_duration": 3_000}
        counts = {"prompt_eval_count": prompt, "eval_count": completion}
        return {**self._part(content), "done": True, "done_reason": reply.finish_reason, **times, **counts}

    def _part(self, content: str) -> dict[str, Any]:
        stamp = "2026-01-01T00:00:00.000000Z"
        return {"model": self.models[0], "created_at": stamp, "message": _message(content), "done": False}


def _message(content: str, **more: str) -> dict[str, str]:
    return {"role": "assistant", "content": content, **more}


def _line(data: object, *, escape: bool = False) -> bytes:
    return json.dumps(data, ensure_ascii=escape).encode() + b"\n"


def check_request(request: RecordedRequest, models: Sequence[str]) -> tuple[int, str]:
    """Return the status and the complaint that the request deserves; no complaint when it is well formed."""
    body = request.body
    if (request.method, request.path) != ("POST", "/api/chat"):
        return 404, "404 page not found"
    if not isinstance(body, dict) or (unknown := sorted(body.keys() - _FIELDS)):
        return 400, f"unknown field or no JSON object: {unknown if isinstance(body, dict) else body!r}"
    if unknown := sorted((body.get("options") or {}).keys() - _OPTIONS):
        return 400, f"invalid option provided: {unknown[0]}"
    if body.get("model") not in models:
        return 404, f"model '{body.get('model')}' not found"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return 400, "messages must not be empty"
    for message in messages:
        if message.get("role") not in ("system", "user", "assistant") or not isinstance(message.get("content"), str):
            return 400, f"invalid message: {message!r}"
    return 200, ""
