"""Strict servers of ``POST /v1/embeddings`` as OpenAI, text-embeddings-inference (TEI) and Ollama answer it.

Wire formats: the OpenAI API reference, "Create embeddings"; TEI's ``router/src/http``: 32 texts a request, a batch
or a text that is too long is 413, errors are ``{message, code, type}``; Ollama's ``openai/openai.go``: no limit of a
batch, a text beyond the context is cut in silence. A token here is a character.

The vector of a text depends on all that the model reads of it and on nothing else: ``vector_of(text)``.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.servers.loopback import Cut, Exchange, LoopbackServer, RecordedRequest

Fault = Literal["row missing", "row twice", "wrong index", "NaN", "null", "short vector", "cut", "not json"]
DIM = 8


@dataclass(kw_only=True)
class Reply:
    """What the server does with one accepted request."""

    status: int = 200
    message: str = "The server had an error."
    retry_after: str | None = None
    fault: Fault | None = None


@dataclass
class Refusal(Exception):
    """An error before it is worded as the vendor words it."""

    status: int
    message: str


def vector_of(text: str, dim: int = DIM) -> list[float]:
    """Return the vector of a text, neither of unit length nor near that of any other text."""
    digest = hashlib.sha256(text.encode()).digest() * (dim // 32 + 1)
    return [byte / 64 - 2 for byte in digest[:dim]]


@dataclass(eq=False)
class EmbeddingServer(LoopbackServer):
    """``replies`` are used up in order, one per accepted request; ``default`` answers when there is none."""

    api_key: str | None = None
    models: tuple[str, ...] = ("test-model",)
    dim: int = DIM
    max_batch: int = 2048
    max_request_tokens: int = 300_000
    max_tokens: int = 8192
    takes_dimensions: bool = False
    extra_fields: frozenset[str] = frozenset()
    default: Reply = field(default_factory=Reply)
    replies: deque[Reply] = field(default_factory=deque)

    def __post_init__(self) -> None:
        super().__init__()

    @property
    def base_url(self) -> str:
        return f"{self.address}/v1"

    async def respond(self, request: RecordedRequest, exchange: Exchange) -> None:
        try:
            self.check(request)
        except Refusal as refusal:
            return await exchange.json(refusal.status, self.error(refusal.status, refusal.message))
        reply = self.replies.popleft() if self.replies else self.default
        if reply.status != 200:
            headers = {"retry-after": reply.retry_after} if reply.retry_after else None
            return await exchange.json(reply.status, self.error(reply.status, reply.message), headers)
        texts = request.body["input"]
        dim = request.body.get("dimensions", self.dim)
        rows = [self.row(at, text, dim) for at, text in enumerate([texts] if isinstance(texts, str) else texts)]
        return await self._send(rows, reply.fault, exchange)

    def row(self, at: int, text: str, dim: int) -> dict[str, Any]:
        return {"object": "embedding", "index": at, "embedding": vector_of(text, dim)}

    def error(self, status: int, message: str) -> dict[str, Any]:
        return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}

    # --- what is refused ---

    def check(self, request: RecordedRequest) -> None:
        if self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            raise Refusal(401, f"Incorrect API key provided: {given}." if given else "You didn't provide an API key.")
        if (request.method, request.path) != ("POST", "/v1/embeddings"):
            raise Refusal(404, f"Invalid URL ({request.method} {request.path})")
        body = request.body
        if not isinstance(body, dict) or not request.headers.get("content-type", "").startswith("application/json"):
            raise Refusal(400, "We could not parse the JSON body of your request.")
        known = {"model", "input", "encoding_format", "user"} | self.extra_fields
        if unknown := sorted(body.keys() - known - ({"dimensions"} if self.takes_dimensions else set())):
            raise Refusal(400, f"Unrecognized request argument supplied: {', '.join(unknown)}")
        if body.get("model") not in self.models:
            raise Refusal(404, f"The model `{body.get('model')}` does not exist or you do not have access to it.")
        self.check_input(body.get("input"))

    def check_input(self, given: Any) -> None:
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
            raise Refusal(400, "'$.input' is invalid: a text or an array of texts, none of them empty.")
        if len(texts) > self.max_batch:
            raise Refusal(400, f"'$.input' is invalid: at most {self.max_batch} items.")
        if long := [text for text in texts if len(text) > self.max_tokens]:
            raise Refusal(400, f"This model's maximum context length is {self.max_tokens} tokens, not {len(long[0])}.")
        if (total := sum(map(len, texts))) > self.max_request_tokens:
            raise Refusal(400, f"Requested {total} tokens, max {self.max_request_tokens} tokens per request.")

    # --- what is sent ---

    async def _send(self, rows: list[dict[str, Any]], fault: Fault | None, exchange: Exchange) -> None:
        if fault == "not json":
            await exchange.start(200, "text/html")
            return await exchange.end(b"<html><body>Bad gateway</body></html>")
        if fault == "row missing":
            rows = rows[:-1]
        if fault == "row twice":
            rows[-1] = rows[0]
        if fault == "wrong index":
            rows[0]["index"] = len(rows)
        if fault in ("NaN", "null"):
            rows[0]["embedding"][0] = float("nan") if fault == "NaN" else None
        if fault == "short vector":
            rows[-1]["embedding"].pop()
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        rows = rows[::-1]  # the index says which text a row belongs to, its place does not
        body = json.dumps({"object": "list", "data": rows, "model": self.models[0], "usage": usage}).encode()
        await exchange.start(200, "application/json", {"content-length": str(len(body))})
        if fault == "cut":
            await exchange.bytes(body[: len(body) // 2])
            raise Cut
        return await exchange.end(body)


@dataclass(eq=False)
class TeiServer(EmbeddingServer):
    """text-embeddings-inference with its delivered settings, serving an encoder of 512 tokens."""

    max_batch: int = 32
    max_tokens: int = 512

    def error(self, status: int, message: str) -> dict[str, Any]:
        return {"message": message, "code": status, "type": "Validation" if status == 413 else "Backend"}

    def check_input(self, given: Any) -> None:
        texts = [given] if isinstance(given, str) else given
        if len(texts) > self.max_batch:
            raise Refusal(413, f"batch size {len(texts)} > maximum allowed batch size {self.max_batch}")
        if long := [text for text in texts if len(text) > self.max_tokens]:
            raise Refusal(413, f"`inputs` must have less than {self.max_tokens} tokens. Given: {len(long[0])}")
        super().check_input(given)


@dataclass(eq=False)
class OllamaEmbeddingServer(EmbeddingServer):
    """Ollama: what does not fit into the context is not read."""

    context: int = 2048
    max_tokens: int = 2**31
    max_request_tokens: int = 2**31
    takes_dimensions: bool = True

    def row(self, at: int, text: str, dim: int) -> dict[str, Any]:
        return super().row(at, text[: self.context], dim)
