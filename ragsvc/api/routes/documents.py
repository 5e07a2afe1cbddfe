"""``/v1/documents``: bring files in, see what is there, take it out."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from anyio import to_thread
from litestar import Request, delete, get, post
from litestar.openapi.spec import Schema
from litestar.params import FromPath, Parameter

from ragsvc.api import schemas
from ragsvc.api.access import INGEST, READ, TICKET, Caller, caller_of, unknown
from ragsvc.api.desk_schemas import Change, Place, VersionDiff
from ragsvc.api.errors import problems
from ragsvc.api.openapi import multipart_body
from ragsvc.api.routes.jobs import to_job
from ragsvc.api.uploads import Upload, receive
from ragsvc.domains.installed import domain_names
from ragsvc.errors import InvalidInput, NotFound
from ragsvc.loading.limits import MIB
from ragsvc.observability import metrics
from ragsvc.security.input_limits import MAX_NAME_CHARS, NAME_PATTERN, check_name

if TYPE_CHECKING:
    from ragsvc.store.rows import Document
    from ragsvc.wiring import Service

MAX_OFFSET = 2**31 - 1
MAX_PAGE = 1_000
_FIELDS = {"collection", "domain", "effective_from"}

_FORM = Schema(
    type="object",  # type: ignore[arg-type]
    required=["collection", "file"],
    additional_properties=False,
    properties={
        "file": Schema(
            type="array",  # type: ignore[arg-type]
            items=Schema(type="string", format="binary"),  # type: ignore[arg-type]
            min_items=1,
            description="One or more files; the name's extension says how each is read.",
        ),
        "collection": Schema(
            type="string",  # type: ignore[arg-type]
            min_length=1,
            max_length=MAX_NAME_CHARS,
            pattern=NAME_PATTERN,
            description="Where they go; made if it is new.",
        ),
        "domain": Schema(
            type="string",  # type: ignore[arg-type]
            enum=list(domain_names()),
            description="How they are cut; needed for a new collection only.",
        ),
        "effective_from": Schema(
            type="string",  # type: ignore[arg-type]
            format="date",  # type: ignore[arg-type]
            description="First day in force, where the files do not say it themselves.",
        ),
    },
)


@post(
    "/v1/documents",
    status_code=202,
    opt=INGEST,
    operation_class=multipart_body(_FORM),
    responses=problems(404, 408, 409, 413, 415),
    request_max_body_size=None,  # ``uploads.receive`` counts what comes, file by file
    summary="Bring files in",
)
async def upload(request: Request[Any, Any, Any]) -> schemas.Job:
    """Take files and return the job that reads, cuts and indexes them. Searches see all of it at its end."""
    service: Service = request.app.state.service
    max_bytes = service.settings.max_file_mb * MIB
    async with receive(request, service.settings.home / "uploads", max_bytes) as taken:
        collection, domain, effective_from = _read_fields(taken, caller_of(request))
        job = await to_thread.run_sync(service.submit_upload, collection, taken.files, domain, effective_from)
    metrics.JOBS.labels("ingest").inc()
    return to_job(job)


def _read_fields(taken: Upload, caller: Caller) -> tuple[str, str | None, date | None]:
    fields = taken.fields
    if "file" in fields:
        raise InvalidInput("the field 'file' came without a file name: send it as a file")
    if foreign := sorted(set(fields) - _FIELDS):
        raise InvalidInput(
            f"the form has the field {foreign[0][:40]!r}; there are 'file', {', '.join(sorted(_FIELDS))}"
        )
    if "collection" not in fields or not taken.files:
        raise InvalidInput("the form needs a field 'collection' and at least one file in a field 'file'")
    collection = check_name(fields["collection"], "collection")
    if not caller.may_read(collection):
        raise unknown("collection", collection)
    domain = fields.get("domain")
    if domain is not None and domain not in domain_names():
        raise InvalidInput(f"domain is one of {', '.join(domain_names())}; found {domain[:40]!r}")
    return collection, domain, _to_date(fields.get("effective_from"))


def _to_date(text: str | None) -> date | None:
    try:
        return None if text is None else msgspec.convert(text, date)
    except msgspec.ValidationError:
        raise InvalidInput(f"effective_from is a day like 2021-01-01; found {text!r:.40}") from None


@get("/v1/documents", opt=READ, responses=problems(404), summary="List the documents of a collection")
async def list_documents(
    request: Request[Any, Any, Any],
    collection: Annotated[
        str, Parameter(schema_extra={"min_length": 1, "max_length": MAX_NAME_CHARS, "pattern": NAME_PATTERN})
    ],
    offset: Annotated[int, Parameter(ge=0, le=MAX_OFFSET)] = 0,
    limit: Annotated[int, Parameter(ge=1, le=MAX_PAGE)] = 100,
    matching: Annotated[
        str, Parameter(description="Part of a title or file name.", schema_extra={"max_length": MAX_NAME_CHARS})
    ] = "",
) -> schemas.Documents:
    """Return a page of a collection's documents, by title."""
    service: Service = request.app.state.service
    name = check_name(collection, "collection")
    if not caller_of(request).may_read(name):
        raise unknown("collection", name)
    try:
        found = await to_thread.run_sync(service.documents, name, offset, limit, matching.strip())
    except NotFound:
        raise unknown("collection", name) from None
    return schemas.Documents(schemas.out(found, list[schemas.Document]), offset, limit)


@get("/v1/documents/{document_id:str}", opt=READ, responses=problems(404), summary="Show a document")
async def show_document(request: Request[Any, Any, Any], document_id: FromPath[str]) -> schemas.Document:
    """Return one document as its version of today, or its latest, shows it."""
    return schemas.out(await _visible(request, document_id), schemas.Document)


@delete(
    "/v1/documents/{document_id:str}",
    status_code=204,
    opt=INGEST,
    responses=problems(404, 409),
    summary="Take a document out",
)
async def delete_document(request: Request[Any, Any, Any], document_id: FromPath[str]) -> None:
    """Remove a document with all its versions: at once, from every way of searching, and for good."""
    service: Service = request.app.state.service
    await _visible(request, document_id)
    await to_thread.run_sync(service.delete_document, document_id)


@get(
    "/v1/documents/{document_id:str}/versions",
    opt={**READ, **TICKET},
    responses=problems(404),
    summary="List a document's versions",
)
async def list_versions(request: Request[Any, Any, Any], document_id: FromPath[str]) -> schemas.Versions:
    """Return the versions of a document, oldest first, each with the days on which it is in force."""
    service: Service = request.app.state.service
    await _visible(request, document_id)
    return schemas.Versions(
        schemas.out(await to_thread.run_sync(service.document_versions, document_id), list[schemas.Version])
    )


@get(
    "/v1/documents/{document_id:str}/diff",
    opt=READ,
    responses=problems(404),
    summary="Compare two versions of a document",
)
async def diff_versions(
    request: Request[Any, Any, Any],
    document_id: FromPath[str],
    old: Annotated[str | None, Parameter(description="Id of a version; none = the one before ``new``.")] = None,
    new: Annotated[str | None, Parameter(description="Id of a version; none = the last.")] = None,
) -> VersionDiff:
    """Return what two versions say differently: articles by their numbers, other texts by heading and paragraph."""
    service: Service = request.app.state.service
    await _visible(request, document_id)
    found = await to_thread.run_sync(service.amendments.of_document, document_id, old, new)
    return VersionDiff(
        old=schemas.out(found.old, schemas.Version),
        new=schemas.out(found.new, schemas.Version),
        added=schemas.out(found.diff.added, list[Place]),
        changed=schemas.out(found.diff.changed, list[Change]),
        repealed=schemas.out(found.diff.repealed, list[Place]),
        renumbered=schemas.out(found.diff.renumbered, list[Change]),
        unchanged=found.diff.unchanged,
    )


async def _visible(request: Request[Any, Any, Any], document_id: str) -> Document:
    service: Service = request.app.state.service
    try:
        found: Document = await to_thread.run_sync(service.document, document_id)
    except NotFound:
        raise unknown("document", document_id) from None
    if not caller_of(request).may_read(found.collection):
        raise unknown("document", document_id)
    return found
