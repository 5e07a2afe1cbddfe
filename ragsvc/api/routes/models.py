"""``GET /v1/models``, in OpenAI's list shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyio import to_thread
from litestar import Request, get

from ragsvc.api import schemas
from ragsvc.api.access import ASK
from ragsvc.api.errors import problems

if TYPE_CHECKING:
    from ragsvc.wiring import Service


@get("/v1/models", opt=ASK, responses=problems(), summary="List the models that can answer")
async def list_models(request: Request[Any, Any, Any]) -> schemas.Models:
    """Return the chat models that ``model`` may name; ``owned_by`` is the vendor."""
    service: Service = request.app.state.service
    cards = await to_thread.run_sync(service.chat_models.list)
    return schemas.Models(
        "list",
        [
            schemas.Model(
                id=card.name,
                object="model",
                created=0,
                owned_by=card.vendor,
                kind=card.kind,
                context_tokens=card.context_tokens,
                licence=card.licence,
            )
            for card in cards
        ],
    )
