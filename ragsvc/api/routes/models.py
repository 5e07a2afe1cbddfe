"""``GET /v1/models``, in OpenAI's list shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyio import to_thread
from litestar import Request, get

from ragsvc.api.access import ASK_AS_OPENAI, caller_of
from ragsvc.api.chat_schemas import Model, Models
from ragsvc.api.errors import problems

if TYPE_CHECKING:
    from ragsvc.model_catalogue import ChatCard
    from ragsvc.wiring import Service


@get("/v1/models", opt=ASK_AS_OPENAI, responses=problems(), summary="List what a question can be put to")
async def list_models(request: Request[Any, Any, Any]) -> Models:
    """Return what ``model`` may name: the key's collections and assistants, then all models of the catalogue."""
    service: Service = request.app.state.service
    caller = caller_of(request)
    collections = await to_thread.run_sync(service.collections)
    assistants = await to_thread.run_sync(service.assistants.list, caller.may_read)
    cards = await to_thread.run_sync(service.chat_models.list)
    return Models(
        "list",
        [
            *(
                Model(c.name, "model", 0, "ragsvc", "collection", domain=c.domain)
                for c in collections
                if caller.may_read(c.name)
            ),
            *(Model(a.id, "model", 0, "ragsvc", "assistant", model=a.model, note=a.name) for a in assistants),
            *map(_of_card, cards),
        ],
    )


def _of_card(card: ChatCard) -> Model:
    return Model(
        id=card.name,
        object="model",
        created=0,
        owned_by=card.vendor,
        kind=card.kind,
        model=card.model,
        context_tokens=card.context_tokens,
        modalities=list(card.modalities),
        domain=card.domain,
        licence=card.licence,
        commercial_use=card.commercial_use,
        template=card.template,
        get=card.get,
        note=card.note,
        source=card.source,
    )
