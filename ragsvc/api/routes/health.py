"""Signs of life for whoever runs the service: ``/health/live``, ``/health/ready``, ``/metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyio import to_thread
from litestar import Request, Response, get

from ragsvc.api import schemas
from ragsvc.api.access import ADMIN, OPEN
from ragsvc.api.errors import Refused, problems
from ragsvc.observability import metrics

if TYPE_CHECKING:
    from ragsvc.wiring import Service


@get(
    "/health/live", opt=OPEN, security=[{}], sync_to_thread=False, responses=problems(), summary="Is the process alive?"
)
def live() -> schemas.Health:
    """Say that the process answers. Needs no key and touches nothing."""
    return schemas.Health("ok")


@get("/health/ready", responses=problems(503), summary="Can it answer questions?")
async def ready(request: Request[Any, Any, Any]) -> schemas.Health:
    """Say whether a question could be answered now; 503 and what is missing if not."""
    service: Service = request.app.state.service
    is_ready, reason = await to_thread.run_sync(service.ready)
    if not is_ready:
        raise Refused(status_code=503, detail=reason)
    return schemas.Health("ok")


@get("/metrics", opt=ADMIN, responses=problems(), media_type="text/plain", summary="Prometheus metrics")
async def prometheus() -> Response[str]:
    """Return counters and timings in Prometheus' text format."""
    text = await to_thread.run_sync(metrics.render)
    return Response(text.decode(), media_type=metrics.CONTENT_TYPE)
