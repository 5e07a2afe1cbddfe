"""``POST /v1/verify``: what the sources say of each sentence of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyio import to_thread
from litestar import Request, post

from ragsvc.api import schemas, verify_schemas
from ragsvc.api.access import ASK, caller_of
from ragsvc.api.bodies import read_json
from ragsvc.api.errors import problems
from ragsvc.api.openapi import json_body
from ragsvc.api.routes.ask import to_collections
from ragsvc.errors import InvalidInput
from ragsvc.security.input_limits import MAX_JSON_BYTES, check_question

if TYPE_CHECKING:
    from ragsvc.wiring import Service


@post(
    "/v1/verify",
    status_code=200,
    opt=ASK,
    operation_class=json_body(verify_schemas.VerifyRequest),
    responses=problems(404, 408, 409, 413, 415),
    request_max_body_size=MAX_JSON_BYTES,
    summary="Compare each sentence of a text with the sources",
)
async def verify(request: Request[Any, Any, Any]) -> verify_schemas.Verification:
    """Return every sentence with its class and the place in a source that says so. No model is asked."""
    service: Service = request.app.state.service
    body = await read_json(request, verify_schemas.VerifyRequest)
    if len(body.text) > verify_schemas.MAX_TEXT_CHARS:
        limit = verify_schemas.MAX_TEXT_CHARS
        raise InvalidInput(f"text has {len(body.text):,} characters; the limit is {limit:,}: send it in parts")
    check_question(body.text, verify_schemas.MAX_TEXT_CHARS, "text")
    asked = caller_of(request).check_collections(to_collections(body.collections, body.collection))
    found = await to_thread.run_sync(
        service.verifier.verify, body.text, asked, body.as_of, limiter=request.app.state.searches
    )
    return schemas.out(found, verify_schemas.Verification)
