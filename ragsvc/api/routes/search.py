"""``POST /v1/search`` and ``GET /v1/lookup``: passages without an answer."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from anyio import to_thread
from litestar import Request, get, post
from litestar.params import Parameter

from ragsvc import records
from ragsvc.api import schemas
from ragsvc.api.access import ASK, TICKET, caller_of
from ragsvc.api.bodies import read_json
from ragsvc.api.errors import problems
from ragsvc.api.openapi import json_body
from ragsvc.api.routes.ask import to_collections, to_filters
from ragsvc.errors import InvalidInput, NotFound
from ragsvc.observability import metrics
from ragsvc.security.input_limits import (
    MAX_COLLECTIONS,
    MAX_JSON_BYTES,
    MAX_NAME_CHARS,
    NAME_PATTERN,
    QUESTION_PATTERN,
    check_k,
    check_names,
    check_question,
)

if TYPE_CHECKING:
    from ragsvc.wiring import Service

MAX_CITATION_CHARS = 500


@post(
    "/v1/search",
    status_code=200,
    opt=ASK,
    operation_class=json_body(schemas.SearchRequest),
    responses=problems(404, 408, 409, 413, 415),
    request_max_body_size=MAX_JSON_BYTES,
    summary="Find passages for a question",
)
async def search(request: Request[Any, Any, Any]) -> schemas.SearchResult:
    """Return passages, best first. Places that the question names are resolved exactly and come before all others."""
    service: Service = request.app.state.service
    body = await read_json(request, schemas.SearchRequest)
    asked = to_collections(body.collections, body.collection)
    if not body.arms:
        raise InvalidInput(f"arms is empty: name at least one of {', '.join(records.ARMS)}")
    question = records.SearchRequest(
        question=check_question(body.question, service.settings.max_question_chars),
        collections=caller_of(request).check_collections(asked),
        as_of=body.as_of,
        k=check_k(body.top_k, "top_k"),
        arms=tuple(dict.fromkeys(body.arms)),
        filters=to_filters(body.filters),
    )
    return _to_result(await to_thread.run_sync(service.search, question, limiter=request.app.state.searches))


@get("/v1/lookup", opt={**ASK, **TICKET}, responses=problems(404, 409), summary="Open what a citation names")
async def lookup(
    request: Request[Any, Any, Any],
    citation: Annotated[
        str,
        Parameter(
            description="e.g. 民法典第五百七十七条, GDPR Art. 17(1)(b)",
            schema_extra={"min_length": 1, "max_length": MAX_CITATION_CHARS, "pattern": QUESTION_PATTERN},
        ),
    ],
    as_of: Annotated[date | None, Parameter(description="The day whose law is asked for; none = today.")] = None,
    collection: Annotated[
        list[
            Annotated[
                str,
                Parameter(schema_extra={"min_length": 1, "max_length": MAX_NAME_CHARS, "pattern": NAME_PATTERN}),
            ]
        ]
        | None,
        Parameter(description="Where to look, may be repeated; none = all that the key may read."),
    ] = None,
) -> schemas.SearchResult:
    """Return the exact text of the version in force on that day. No near match is ever served as it."""
    service: Service = request.app.state.service
    text = check_question(citation, MAX_CITATION_CHARS, "citation")
    asked = check_names(collection or [], "collection", MAX_COLLECTIONS)
    collections = caller_of(request).check_collections(asked)
    found = await to_thread.run_sync(service.lookup, text, collections, as_of, limiter=request.app.state.searches)
    if not found.passages:
        raise NotFound(_why_nothing(text, found.missing))
    return _to_result(found)


def _to_result(found: records.SearchResult) -> schemas.SearchResult:
    metrics.record_stages(found.timings_ms)
    return schemas.SearchResult(
        hits=schemas.out(found.passages, list[schemas.Passage]),
        missing=schemas.out(found.missing, list[schemas.MissingAddress]),
        addressed=found.addressed,
        index_generation=found.index_generation,
        timings_ms=found.timings_ms,
    )


def _why_nothing(citation: str, missing: tuple[records.MissingAddress, ...]) -> str:
    if not missing:
        return f"{citation!r} names no place in a work; write it like 民法典第五百七十七条 or GDPR Art. 17"
    reasons = (
        f"{one.mention}: {one.reason}" + (f"; there is {', '.join(one.nearest)}" if one.nearest else "")
        for one in missing
    )
    return "; ".join(reasons)
