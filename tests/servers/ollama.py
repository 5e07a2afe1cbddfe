"""A strict server of Ollama's ``POST /api/chat``: newline-delimited JSON, as Ollama's docs/api.md describes it."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.servers.loopback import Cut, Exchange, LoopbackServer, RecordedRequest

Fault = Literal["cut", "ends without done", "hangs", "error line", "not json"]
_FIELDS = {"model", "messages", "tools", "think", "format", "options", "stream", "keep_alive"}
_OPTIONS = {"temperature", "num_predict", "num_ctx", "top_k", "top_p", "seed", "stop", "repeat_penalty"}


@dataclass(kw_only=True)
class Reply:
    """What the server does with one accepted request."""

    pieces: Sequence[str] = ("It depends", " on the contract.")
    done_reason: str = "stop"
    usage: tuple[int, int] = (11, 7)
    status: int = 200
    message: str = "an error was encountered while running the model"
    fault: Fault | None = None


@dataclass(eq=False)
class OllamaServer(LoopbackServer):
    """``replies`` are used up in order, one per accepted request; ``default`` answers when there is none."""

    models: tuple[str, ...] = ("test-model",)
    default: Reply = field(default_factory=Reply)
    replies: deque[Reply] = field(default_factory=deque)

    def __post_init__(self) -> None:
        super().__init__()

    async def respond(self, request: RecordedRequest, exchange: Exchange) -> None:
        status, complaint = check_request(request, self.models)
        if complaint:
            return await exchange.json(status, {"error": complaint})
        reply = self.replies.popleft() if self.replies else self.default
        if reply.status != 200:
            return await exchange.json(reply.status, {"error": reply.message})
        if request.body.get("stream", True):
            return await _stream(request.body["model"], reply, exchange)
        return await exchange.json(200, _last(request.body["model"], reply, "".join(reply.pieces)))


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


def _last(model: str, reply: Reply, content: str) -> dict[str, Any]:
    prompt, completion = reply.usage
    durations = {"total_duration": 5_000, "load_duration": 1_000, "prompt_eval_duration": 1_000, "eval_duration": 3_000}
    counts = {"prompt_eval_count": prompt, "eval_count": completion}
    return {**_part(model, content), "done": True, "done_reason": reply.done_reason, **durations, **counts}


def _part(model: str, content: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {"model": model, "created_at": "2026-01-01T00:00:00.000000Z", "message": message, "done": False}


async def _stream(model: str, reply: Reply, exchange: Exchange) -> None:
    async def line(data: object) -> None:
        await exchange.bytes(json.dumps(data, ensure_ascii=False).encode() + b"\n")
        await asyncio.sleep(0)

    await exchange.start(200, "application/x-ndjson")
    for piece in reply.pieces:
        await line(_part(model, piece))
    if reply.fault == "cut":
        raise Cut
    if reply.fault == "hangs":
        await asyncio.sleep(60)
    if reply.fault == "error line":
        await line({"error": reply.message})
        await exchange.end()
        return
    if reply.fault == "not json":
        await exchange.bytes(b"{this is not JSON\n")
    if reply.fault != "ends without done":
        await line(_last(model, reply, ""))
    await exchange.end()
