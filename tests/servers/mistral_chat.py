"""A strict server of Mistral's chat completions, as docs.mistral.ai describes them.

Near OpenAI's, but: fields that it does not know are refused with 422, usage comes unasked in the last piece, errors
have another shape, and thinking comes as blocks of content.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.servers.loopback import RecordedRequest
from tests.servers.openai_chat import OpenAIChatServer, check_messages
from tests.servers.vendor import Refusal, Reply, sse

_FIELDS = {
    "model", "messages", "stream", "temperature", "top_p", "max_tokens", "stop", "random_seed", "safe_prompt",
    "response_format", "tools", "tool_choice", "presence_penalty", "frequency_penalty", "n", "prompt_mode",
}  # fmt: skip


@dataclass(eq=False)
class MistralServer(OpenAIChatServer):
    """Mistral."""

    family = "mistral"

    def check(self, request: RecordedRequest) -> None:
        if (request.method, request.path) != ("POST", "/v1/chat/completions"):
            raise Refusal(404, "no Route matched with those values")
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            raise Refusal(401, f"Unauthorized: {request.headers.get('authorization')}")
        body = request.body
        if not isinstance(body, dict) or (unknown := sorted(body.keys() - _FIELDS)):
            raise Refusal(422, f"Extra inputs are not permitted: {unknown if isinstance(body, dict) else body}")
        if body.get("model") not in self.models:
            raise Refusal(400, f"Invalid model: {body.get('model')}")
        if not 0 <= body.get("temperature", 0.7) <= 1.5:
            raise Refusal(422, "temperature: Input should be less than or equal to 1.5")
        check_messages(body.get("messages"))

    def wants_stream(self, request: RecordedRequest) -> bool:
        return bool(request.body.get("stream"))

    def error(self, refusal: Refusal) -> object:
        if refusal.status == 422:
            return {"detail": [{"type": "extra_forbidden", "loc": ["body"], "msg": refusal.message}]}
        return {"object": "error", "message": refusal.message, "type": refusal.kind, "param": None, "code": "1500"}

    def opening(self, reply: Reply) -> list[bytes]:
        first = [sse(self._chunk({"role": "assistant", "content": ""}))]
        return first + [
            sse(self._chunk({"content": [_thinking(text)]}), escape=reply.escape) for text in reply.reasoning
        ]

    def closing(self, request: RecordedRequest, reply: Reply) -> list[bytes]:
        prompt, completion = reply.usage
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        return [sse({**self._chunk({"content": ""}, reply.finish_reason), "usage": usage}), sse("[DONE]")]


def _thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}
