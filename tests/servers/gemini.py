"""A strict server of Gemini's ``:streamGenerateContent?alt=sse``, as ai.google.dev describes it.

As the vendor does, it answers a wrong key with 400 and a missing one with 403.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.servers.loopback import RecordedRequest
from tests.servers.vendor import Refusal, Reply, VendorServer, only, sse

_PATH = re.compile(r"/v1beta/models/(?P<model>[^:/]+):streamGenerateContent")
_FIELDS = {"contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig"}
_CONFIGURATION = {
    "temperature", "maxOutputTokens", "topP", "topK", "candidateCount", "stopSequences", "thinkingConfig", "seed",
}  # fmt: skip
_STATUS = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
_FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}


@dataclass(eq=False)
class GeminiServer(VendorServer):
    """Gemini."""

    family = "gemini"
    bad_key_status = 400

    def check(self, request: RecordedRequest) -> None:
        path = _PATH.fullmatch(request.path)
        if request.method != "POST" or not path or request.query.get("alt") != "sse":
            raise Refusal(404, f"Not found: {request.path}")
        if not (given := request.headers.get("x-goog-api-key")):
            raise Refusal(403, "Method doesn't allow unregistered callers. Please use API Key.")
        if given != self.api_key:
            raise Refusal(400, f"API key not valid. Please pass a valid API key. Found: {given}")
        if path["model"] not in self.models:
            raise Refusal(404, f"models/{path['model']} is not found for API version v1beta")
        body = only(request.body, _FIELDS, lambda message: Refusal(400, f"Invalid JSON payload received: {message}"))
        only(body.get("generationConfig", {}), _CONFIGURATION, lambda message: Refusal(400, message))
        if not 0 <= body.get("generationConfig", {}).get("temperature", 1) <= 2:
            raise Refusal(400, "temperature must be in the range [0, 2]")
        _check_contents(body.get("contents"))

    def wants_stream(self, request: RecordedRequest) -> bool:
        return True

    def error(self, refusal: Refusal) -> object:
        status = _STATUS.get(refusal.status, "INTERNAL")
        return {"error": {"code": refusal.status, "message": refusal.message, "status": status}}

    def opening(self, reply: Reply) -> list[bytes]:
        return [self._frame([{"text": text, "thought": True}], reply) for text in reply.reasoning]

    def piece(self, text: str, reply: Reply) -> bytes:
        return self._frame([{"text": text}], reply)

    def closing(self, request: RecordedRequest, reply: Reply) -> list[bytes]:
        if reply.finish_reason == "content_filter" and not reply.pieces:
            body = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **self._facts(reply)}
            return [sse(body, end="\r\n")]
        return [self._frame([{"text": ""}], reply, _FINISH.get(reply.finish_reason, reply.finish_reason))]

    def error_frame(self, message: str) -> bytes:
        return sse(self.error(Refusal(503, message)), end="\r\n")

    def not_json(self) -> bytes:
        return b"data: {this is not JSON\r\n\r\n"

    def _frame(self, parts: list[dict[str, Any]], reply: Reply, finish: str | None = None) -> bytes:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        return sse({"candidates": [candidate], **self._facts(reply)}, escape=reply.escape, end="\r\n")

    def _facts(self, reply: Reply) -> dict[str, Any]:
        prompt, completion = reply.usage
        counts = {
            "promptTokenCount": prompt,
            "candidatesTokenCount": completion,
            "totalTokenCount": prompt + completion,
        }
        return {"usageMetadata": counts, "modelVersion": self.models[0], "responseId": "r1"}


def _check_contents(contents: Any) -> None:
    if not isinstance(contents, list) or not contents:
        raise Refusal(400, "contents is not specified")
    roles = [content.get("role") for content in contents]
    if roles != (["user", "model"] * len(roles))[: len(roles)] or roles[-1] != "user":
        raise Refusal(400, f"Please ensure that multiturn requests alternate between user and model; got {roles}")
    for content in contents:
        for part in content.get("parts") or [{}]:
            if not part.keys() & {"text", "inlineData", "inline_data", "fileData"}:
                raise Refusal(400, "contents.parts must not be empty")
