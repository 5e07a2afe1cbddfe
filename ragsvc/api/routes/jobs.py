"""``/v1/jobs``: how far a background operation is, and stopping it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated, Any

import anyio
from anyio import to_thread
from litestar import Litestar, Request, Response, delete, get
from litestar.params import FromPath, Parameter

from ragsvc.api import schemas
from ragsvc.api.access import INGEST, Caller, caller_of, unknown
from ragsvc.api.desk_schemas import Jobs, ListedJob
from ragsvc.api.errors import problem_of, problems
from ragsvc.api.revocation import until_revoked
from ragsvc.api.sse import EventStream, encode_event
from ragsvc.errors import NotFound, RagsvcError

if TYPE_CHECKING:
    from ragsvc.store.rows import Job
    from ragsvc.wiring import Service

POLL_S = 0.5
MAX_PAGE = 500
FINAL = ("done", "failed", "cancelled")


@get("/v1/jobs", opt=INGEST, responses=problems(), summary="List the latest jobs")
async def list_jobs(request: Request[Any, Any, Any], limit: Annotated[int, Parameter(ge=1, le=MAX_PAGE)] = 50) -> Jobs:
    """Return the latest jobs whose collections the key may read, newest first."""
    service: Service = request.app.state.service
    caller = caller_of(request)
    found = await to_thread.run_sync(service.jobs.recent, MAX_PAGE)
    visible = [job for job in found if caller.may_read(job.payload["collection"])][:limit]
    return Jobs([ListedJob(to_job(job), job.payload["collection"], job.created_at, job.updated_at) for job in visible])


@get("/v1/jobs/{job_id:str}", opt=INGEST, responses=problems(404), summary="Show a job")
async def show_job(request: Request[Any, Any, Any], job_id: FromPath[str]) -> schemas.Job:
    """Return how far a job is."""
    return to_job(await _visible(request.app, caller_of(request), job_id))


@delete("/v1/jobs/{job_id:str}", status_code=200, opt=INGEST, responses=problems(404), summary="Cancel a job")
async def cancel_job(request: Request[Any, Any, Any], job_id: FromPath[str]) -> schemas.Job:
    """Ask a job to stop: at once if it waits, at its next file if it runs. Nothing of it becomes visible."""
    service: Service = request.app.state.service
    await _visible(request.app, caller_of(request), job_id)
    return to_job(await to_thread.run_sync(service.cancel_job, job_id))


@get(
    "/v1/jobs/{job_id:str}/events",
    opt=INGEST,
    responses=problems(404),
    media_type="text/event-stream",
    summary="Follow a job",
)
async def follow_job(request: Request[Any, Any, Any], job_id: FromPath[str]) -> Response[schemas.JobEvent]:
    """Send a ``progress`` event whenever the job moves, and one ``done`` when it has ended, well or not."""
    caller = caller_of(request)
    first = await _visible(request.app, caller, job_id)
    return EventStream(_follow(request.app, caller, first), cut=until_revoked(request.app.state.service, caller))


async def _follow(app: Litestar, caller: Caller, job: Job) -> AsyncGenerator[bytes, None]:
    shown = None
    # When the server drains, the stream just ends: the reader connects again, to the next one.
    while not app.state.is_draining:
        if (wire := to_job(job)) != shown:
            shown = wire
            yield encode_event("done" if job.status in FINAL else "progress", wire)
        if job.status in FINAL:
            return
        await anyio.sleep(POLL_S)
        try:
            job = await _visible(app, caller, job.job_id)
        except RagsvcError as error:
            yield encode_event("error", problem_of(error))
            return


async def _visible(app: Litestar, caller: Caller, job_id: str) -> Job:
    service: Service = app.state.service
    try:
        found: Job = await to_thread.run_sync(service.job, job_id)
    except NotFound:
        raise unknown("job", job_id) from None
    if not caller.may_read(found.payload["collection"]):
        raise unknown("job", job_id)
    return found


def to_job(job: Job) -> schemas.Job:
    """Return a job as it is shown: without its payload, which names folders of this machine."""
    return schemas.Job(
        id=job.job_id,
        kind=job.kind,
        status=job.status,
        done=job.done,
        total=job.total,
        error=job.error,
        result=job.result,
    )
