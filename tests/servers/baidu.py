"""A strict server of Baidu's token form: a token is bought with two keys, is good for a while, and goes in the address.

Wire format: cloud.baidu.com, WENXINWORKSHOP. Its errors are JSON documents with status 200 and an ``error_code``.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.servers.loopback import Exchange, RecordedRequest
from tests.servers.vendor import Refusal, Reply, VendorServer, only, sse

_FIELDS = {
    "messages", "stream", "system", "temperature", "top_p", "penalty_score", "max_output_tokens", "stop", "user_id",
    "disable_search", "enable_citation", "response_format",
}  # fmt: skip
_CHAT = "/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/"
_CODES = {400: 336003, 401: 110, 404: 3, 429: 18, 500: 336000}


@dataclass(eq=False)
class BaiduServer(VendorServer):
    """ERNIE behind ``access_token``; ``expire`` makes every token that was given out worthless."""

    family = "baidu-token"

    secret_key: str = "secret-0987654321fedcba"
    lifetime_s: int = 2_592_000
    tokens: set[str] = field(default_factory=set)
    n_bought: int = 0

    def expire(self) -> None:
        self.tokens.clear()

    def forget(self) -> None:
        super().forget()
        self.lifetime_s = 2_592_000

    async def respond(self, request: RecordedRequest, exchange: Exchange) -> None:
        if request.path == "/oauth/2.0/token":
            return await self._sell_token(request, exchange)
        return await super().respond(request, exchange)

    async def _sell_token(self, request: RecordedRequest, exchange: Exchange) -> None:
        if request.method != "POST" or request.query.get("grant_type") != "client_credentials":
            return await exchange.json(400, {"error": "unsupported_grant_type", "error_description": "bad grant type"})
        if request.query.get("client_id") != self.api_key:
            said = f"unknown client id {request.query.get('client_id')}"
            return await exchange.json(401, {"error": "invalid_client", "error_description": said})
        if request.query.get("client_secret") != self.secret_key:
            return await exchange.json(
                401, {"error": "invalid_client", "error_description": "Client authentication failed"}
            )
        token = f"24.{secrets.token_hex(16)}"
        self.tokens.add(token)
        self.n_bought += 1
        return await exchange.json(200, {"access_token": token, "expires_in": self.lifetime_s, "scope": "public"})

    def check(self, request: RecordedRequest) -> None:
        if request.method != "POST" or not request.path.startswith(_CHAT):
            raise Refusal(404, "Unsupported openapi method", 3)
        if request.query.get("access_token") not in self.tokens:
            raise Refusal(401, "Access token invalid or no longer valid", 110)
        if request.path.removeprefix(_CHAT) not in self.models:
            raise Refusal(404, "Unsupported openapi method", 3)
        body = only(request.body, _FIELDS, lambda message: Refusal(400, message, 336003))
        if not 0 < body.get("temperature", 0.8) <= 1:
            raise Refusal(400, "the value of temperature must be in (0, 1.0]", 336003)
        if not 2 <= body.get("max_output_tokens", 1024) <= 2048:
            raise Refusal(400, "the value of max_output_tokens must be in [2, 2048]", 336003)
        roles = [message.get("role") for message in body.get("messages") or ()]
        if len(roles) % 2 == 0:
            raise Refusal(400, "the length of messages must be an odd number", 336003)
        if roles != (["user", "assistant"] * len(roles))[: len(roles)]:
            raise Refusal(400, f"the role of message must alternate between user and assistant: {roles}", 336003)

    def error(self, refusal: Refusal) -> object:
        return {
            "error_code": refusal.code or _CODES.get(refusal.status, 336100),
            "error_msg": refusal.message,
            "id": "1",
        }

    def error_status(self, refusal: Refusal) -> int:
        return 200

    def opening(self, reply: Reply) -> list[bytes]:
        return []

    def piece(self, text: str, reply: Reply) -> bytes:
        return sse(_event(text), escape=reply.escape)

    def closing(self, request: RecordedRequest, reply: Reply) -> list[bytes]:
        prompt, completion = reply.usage
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        reason = {"stop": "normal"}.get(reply.finish_reason, reply.finish_reason)
        return [sse(_event("", is_end=True, finish_reason=reason, usage=usage))]

    def error_frame(self, message: str) -> bytes:
        return sse({"error_code": 336100, "error_msg": message, "id": "1"})


def _event(result: str, **last: Any) -> dict[str, Any]:
    head = {"id": "as-1", "object": "chat.completion", "created": 1, "sentence_id": 0, "is_end": False}
    return {**head, "is_truncated": False, "result": result, "need_clear_history": False, **last}
