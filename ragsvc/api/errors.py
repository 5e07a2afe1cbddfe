"""Every error as RFC 9457 ``application/problem+json``: one table from error class to status.

A problem never shows a traceback, a path of this machine or a message that we did not write ourselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from msgspec import UNSET

from ragsvc import errors
from ragsvc.api.schemas import FieldProblem, Notice, OpenAIError, Passage, Problem, out
from ragsvc.observability.logs import FAILURES
from ragsvc.security.input_limits import MAX_JSON_BYTES, MAX_JSON_BYTES_WITH_IMAGES

PROBLEM_JSON = "application/problem+json"


class Kind(NamedTuple):
    """What one sort of problem is called."""

    status: int
    slug: str
    title: str


INTERNAL = Kind(500, "internal", "Something failed inside the service")

TABLE: dict[type[Exception], Kind] = {
    errors.InvalidInput: Kind(400, "invalid-input", "The request cannot be used as it is"),
    errors.NotFound: Kind(404, "not-found", "There is no such thing here"),
    errors.Conflict: Kind(409, "conflict", "The current state forbids this"),
    errors.WriterBusy: Kind(409, "writer-busy", "Another process is writing"),
    errors.IndexMismatch: Kind(409, "index-mismatch", "The index was built by another encoder"),
    errors.Overloaded: Kind(429, "overloaded", "Too many requests at once"),
    errors.LimitReached: Kind(429, "limit-reached", "A limit of use is reached"),
    errors.IndexDamaged: Kind(500, "index-damaged", "A stored file is damaged"),
    errors.UpstreamFailed: Kind(502, "model-failed", "The model did not answer"),
    errors.UpstreamTimeout: Kind(504, "model-timeout", "The model did not answer in time"),
}
"""The error classes of ragsvc; a class that is not named here counts as its nearest named parent."""

BY_STATUS: dict[int, tuple[Kind, str]] = {
    400: (TABLE[errors.InvalidInput], "the request is malformed"),
    401: (Kind(401, "key-needed", "An API key is needed"), "send a key as 'Authorization: Bearer rsk_…'"),
    403: (Kind(403, "forbidden", "This is not allowed"), "this is not allowed"),
    404: (TABLE[errors.NotFound], "no such address; /schema lists those that exist"),
    405: (Kind(405, "method-not-allowed", "This address has other methods"), "see the 'Allow' header"),
    408: (Kind(408, "too-slow", "The request came too slowly"), "send the whole request without a long pause"),
    413: (
        Kind(413, "too-large", "The request is too large"),
        f"a JSON body may have {MAX_JSON_BYTES:,} bytes, a question with images {MAX_JSON_BYTES_WITH_IMAGES:,}",
    ),
    415: (Kind(415, "wrong-media-type", "The body has another media type"), "send the media type that /schema names"),
    503: (Kind(503, "not-ready", "The service cannot answer yet"), "try again later"),
}
"""Problems of HTTP itself: what they are called, and the detail to show unless we raised them with our own."""


class ModelFailed(errors.UpstreamFailed):
    """The model of a question failed; what was retrieved is shown all the same."""

    def __init__(self, message: str, kind: Kind, passages: list[Passage], notices: list[Notice]) -> None:
        super().__init__(message)
        self.kind = kind
        self.found = passages
        self.noted = notices


class Refused(HTTPException):
    """A refusal of HTTP itself with a detail of ours (401, 403, 408, 413, 415, 503)."""


def kind_of(error: type[Exception]) -> Kind:
    """Return the table's entry for an error class."""
    return next((TABLE[parent] for parent in error.__mro__ if parent in TABLE), INTERNAL)


def named(name: str) -> Kind:
    """Return the table's entry for the name of an error class, as ``AnswerFailed.error`` gives it."""
    return next((kind for error, kind in TABLE.items() if error.__name__ == name), INTERNAL)


def problem(kind: Kind, detail: str, **extra: Any) -> Problem:
    """Return the body for one problem."""
    return Problem(type=f"urn:ragsvc:problem:{kind.slug}", title=kind.title, status=kind.status, detail=detail, **extra)


def problem_of(error: Exception) -> Problem:
    """Return the body for any exception."""
    if isinstance(error, ModelFailed):
        return problem(error.kind, str(error), passages=error.found, notices=error.noted or UNSET)
    if isinstance(error, errors.UpstreamFailed) and error.notices:
        return problem(kind_of(type(error)), str(error), notices=out(error.notices, list[Notice]))
    if isinstance(error, errors.IndexDamaged):
        return problem(kind_of(type(error)), "a stored file is not what its manifest says: run 'ragsvc index verify'")
    if isinstance(error, errors.RagsvcError):
        return problem(kind_of(type(error)), str(error))
    if isinstance(error, Refused):
        return problem(BY_STATUS[error.status_code][0], error.detail)
    if isinstance(error, HTTPException) and error.status_code < 500:
        return _problem_of_http(error)
    return problem(INTERNAL, "the request was not answered; the service's log says where it failed")


def to_response(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Answer ``request`` with the problem that ``error`` is; unexpected ones are logged without their message."""
    body = problem_of(error)
    if request.scope.get("route_handler") and request.route_handler.opt.get("is_openai"):
        body.error = OpenAIError(body.detail, body.type)
    if body.status == 500:
        FAILURES.error("unexpected failure", exc_info=error, extra={"method": request.method})
    return Response(body, status_code=body.status, media_type=PROBLEM_JSON, headers=_headers(error))


def problems(*statuses: int) -> Mapping[int, ResponseSpec]:
    """Document these statuses of a route, and those that every route has."""
    kinds = {status: kind for status, (kind, _) in BY_STATUS.items()}
    for kind in (INTERNAL, *TABLE.values()):
        kinds.setdefault(kind.status, kind)
    return {
        status: ResponseSpec(
            Problem,
            description=kinds[status].title,
            media_type=PROBLEM_JSON,
            generate_examples=False,
        )
        for status in sorted({*statuses, 400, 401, 403, 500})
    }


# Litestar says this in words only, with the whole URL behind it.
_MISSING = re.compile(r"Missing required \w+ parameter '(\w+)'")

HANDLERS: dict[int | type[Exception], Any] = {Exception: to_response, HTTPException: to_response, 500: to_response}


def _problem_of_http(error: HTTPException) -> Problem:
    kind, detail = BY_STATUS.get(error.status_code, BY_STATUS[400])
    fields = _fields(error.extra) if isinstance(error, ValidationException) else []
    if missing := _MISSING.match(error.detail):
        fields = [FieldProblem(field=missing[1], message="is missing")]
    if fields:
        detail = "; ".join(f"{field.field}: {field.message}" if field.field else field.message for field in fields)
    return problem(kind, detail, errors=fields or UNSET)


def _fields(extra: Any) -> list[FieldProblem]:
    found = extra if isinstance(extra, Sequence) and not isinstance(extra, str) else []
    return [
        FieldProblem(field=str(one.get("key", "")), message=str(one.get("message", "")))
        for one in found
        if isinstance(one, Mapping)
    ]


def _headers(error: Exception) -> dict[str, str]:
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if isinstance(error, errors.Overloaded):
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    if isinstance(error, HTTPException) and error.status_code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, HTTPException) and error.status_code in (408, 413):
        # The rest of the body is not wanted: without this, the server would read all of it and throw it away.
        headers["Connection"] = "close"
    return headers
