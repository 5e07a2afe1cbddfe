"""What every response gets: an id, headers that keep a browser safe, a log line, a count; and patience with an end."""

from __future__ import annotations

import time
import uuid
from typing import cast

import anyio
from litestar.datastructures import MutableScopeHeaders
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send

from ragsvc.api import limits
from ragsvc.api.errors import Refused
from ragsvc.observability import metrics
from ragsvc.observability.logs import ACCESS

BODY_PAUSE_S = 30.0
"""Longest silence in the middle of a request body."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def watch(app: ASGIApp) -> ASGIApp:
    """Note when a request begins, and do not wait for its body forever (a Litestar middleware)."""

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["started"] = time.perf_counter()
        body_is_complete = False

        async def receive_in_time() -> HTTPReceiveMessage:
            nonlocal body_is_complete
            if body_is_complete:  # what comes now is the client's leaving: that may take as long as the answer does
                return cast(HTTPReceiveMessage, await receive())
            with anyio.move_on_after(BODY_PAUSE_S):
                message = cast(HTTPReceiveMessage, await receive())
                if message["type"] != "http.request":
                    raise Refused(status_code=408, detail="the client left before its request was complete")
                body_is_complete = not message.get("more_body", False)
                return message
            raise Refused(status_code=408, detail=f"nothing of the body came for {BODY_PAUSE_S:.0f} s: send it again")

        await app(scope, receive_in_time, send)

    return watched


async def finish(message: Message, scope: Scope) -> None:
    """Complete a response's headers; log and count it with its last byte (a Litestar before_send hook)."""
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        scope["state"]["status"] = message["status"]
        scope["state"]["request_id"] = headers["X-Request-Id"] = uuid.uuid4().hex[:16]
        for name, value in {**HEADERS, **limits.headers(scope)}.items():
            headers[name] = value
        if scope.get("method") == "OPTIONS" and "allow" in headers:
            headers["allow"] = ", ".join(sorted(_methods(scope)))
        if scope["path"].startswith("/v1/"):
            headers.setdefault("Cache-Control", "no-store")
    elif message["type"] == "http.response.body" and not message.get("more_body", False):
        _record(scope)


def _methods(scope: Scope) -> set[str]:
    # Litestar's answer to OPTIONS knows only the methods of the handler that was first at this address.
    routes = (route for route in scope["litestar_app"].routes if route.path_format == scope["path_template"])
    return {str(method) for route in routes if isinstance(route, HTTPRoute) for method in route.methods}


def _record(scope: Scope) -> None:
    state = scope["state"]
    seconds = time.perf_counter() - state["started"] if "started" in state else 0.0
    route = scope.get("path_template") or "unmatched"
    method, status = str(scope.get("method", "")), state.get("status", 0)
    metrics.record_request(method, route, status, seconds)
    # The template, never the path or the query: those hold ids and citations that people look up.
    ACCESS.info(
        "%s %s", method, route, extra={"status": status, "ms": round(seconds * 1000, 1), "id": state.get("request_id")}
    )
