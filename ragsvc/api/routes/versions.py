"""``GET /v1/versions/{version_id}/text``: the stored text, for anyone to check a citation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from anyio import to_thread
from litestar import Request, get
from litestar.params import FromPath, QueryParameter

from ragsvc.api import schemas
from ragsvc.api.access import ASK, TICKET, caller_of, unknown
from ragsvc.api.errors import problems
from ragsvc.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from ragsvc.wiring import Service

MAX_OFFSET = 2**31 - 1


@get("/v1/versions/{version_id:str}/text", opt={**ASK, **TICKET}, responses=problems(404), summary="Read a stored text")
async def version_text(
    request: Request[Any, Any, Any],
    version_id: FromPath[str],
    start: Annotated[int, QueryParameter(ge=0, le=MAX_OFFSET, description="First code point.")] = 0,
    end: Annotated[
        Annotated[int, QueryParameter(ge=0, le=MAX_OFFSET)] | None,
        QueryParameter(description="One past the last; none = to the end."),
    ] = None,
) -> schemas.VersionText:
    """Return ``text[start:end]`` of a version, in force or not."""
    service: Service = request.app.state.service
    try:
        whole = await to_thread.run_sync(service.version_text, version_id)
    except NotFound:
        raise unknown("version", version_id) from None
    version = whole.version
    if not caller_of(request).may_read(version.collection):
        raise unknown("version", version_id)
    end = version.length if end is None else end
    if not start <= end <= version.length:
        raise InvalidInput(f"the range {start}:{end} is not inside the text, which has {version.length} characters")
    return schemas.VersionText(
        version_id=version.version_id,
        document_id=version.document_id,
        collection=version.collection,
        work=version.work,
        title=version.title,
        text=whole.text[start:end],
        start=start,
        end=end,
        length=version.length,
        effective_from=version.effective_from,
        effective_to=version.effective_to,
        validity_source=version.validity_source,
    )
