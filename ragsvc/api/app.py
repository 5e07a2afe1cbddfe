"""Puts the HTTP interface together. Everything it does is in the modules that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import CapacityLimiter
from litestar import Litestar
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from ragsvc.api import edge, errors, openapi
from ragsvc.api.access import authorize
from ragsvc.api.overload import Slots
from ragsvc.api.query_names import refuse_unknown_names
from ragsvc.api.routes import (
    ask,
    assistants,
    chat_completions,
    collections,
    conversations,
    documents,
    embed_tickets,
    feedback,
    health,
    index,
    jobs,
    keys,
    models,
    pages,
    search,
    verify,
    versions,
    widget,
)
from ragsvc.api.sweeping import sweeping
from ragsvc.api.ticket_access import PortalOrigins
from ragsvc.observability.audit import AuditLog
from ragsvc.security.client_address import read_networks
from ragsvc.security.input_limits import MAX_JSON_BYTES
from ragsvc.settings import Settings

if TYPE_CHECKING:
    from ragsvc.wiring import Service

ROUTES: list[HTTPRouteHandler] = [
    ask.ask,
    chat_completions.chat_completions,
    search.search,
    search.lookup,
    verify.verify,
    versions.version_text,
    documents.upload,
    documents.list_documents,
    documents.show_document,
    documents.delete_document,
    documents.list_versions,
    documents.diff_versions,
    jobs.list_jobs,
    jobs.show_job,
    jobs.cancel_job,
    jobs.follow_job,
    collections.list_collections,
    models.list_models,
    conversations.create_conversation,
    conversations.list_conversations,
    conversations.show_conversation,
    conversations.delete_conversation,
    assistants.list_assistants,
    assistants.put_assistant,
    assistants.delete_assistant,
    health.live,
    health.ready,
    health.prometheus,
    pages.front_page,
    pages.desk_page,
    feedback.give_feedback,
    feedback.list_feedback,
    feedback.list_declined,
    keys.list_keys,
    keys.create_key,
    keys.revoke_key,
    keys.rotate_key,
    keys.set_origins,
    index.list_generations,
    index.rollback,
    index.verify_index,
    embed_tickets.create_ticket,
    embed_tickets.revoke_ticket,
    widget.widget,
]

SEARCHES_AT_ONCE = 4
"""Threads that search; each keeps a core busy, so more would only wait for each other."""


def create_app(service: Service, settings: Settings) -> Litestar:
    """Return the ASGI application that serves one home.

    Raises:
        SettingsError: ``trusted_proxies`` names something else than addresses.
    """
    read_networks(settings.trusted_proxies)
    return Litestar(
        route_handlers=[*ROUTES, *pages.assets()],
        state=State(
            {
                "service": service,
                "slots": Slots(settings.max_concurrent_asks),
                "searches": CapacityLimiter(SEARCHES_AT_ONCE),
                "audit": AuditLog(settings.home / "audit.jsonl") if settings.audit else None,
                "is_draining": False,
            }
        ),
        guards=[authorize, refuse_unknown_names],
        middleware=[edge.watch],
        before_send=[edge.finish],
        lifespan=[sweeping],
        exception_handlers=errors.HANDLERS,
        cors_config=PortalOrigins(service, settings.cors_origins),
        openapi_config=openapi.config(),
        request_max_body_size=MAX_JSON_BYTES,
        logging_config=None,
    )
