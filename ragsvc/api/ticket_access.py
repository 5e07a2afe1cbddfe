"""What a ticket opens: only what the widget needs, for pages of its origin, while its key lists that origin."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from litestar.config.cors import CORSConfig
from litestar.datastructures import Headers

from ragsvc.api.errors import Refused
from ragsvc.api.limits import HEADERS
from ragsvc.security.tickets import Ticket, make_secret, read_ticket
from ragsvc.store.rows import Key

if TYPE_CHECKING:
    from ragsvc.wiring import Service


class PortalOrigins(CORSConfig):
    """CORS for the origins of the settings and for those that some valid key lists; never with credentials."""

    def __init__(self, service: Service, always: tuple[str, ...]) -> None:
        super().__init__(
            allow_origins=list(always), allow_methods=["GET", "POST", "DELETE"], expose_headers=list(HEADERS)
        )
        self._service = service

    def is_origin_allowed(self, origin: str) -> bool:
        """Say whether pages of ``origin`` may read answers of this service."""
        return super().is_origin_allowed(origin) or self._service.keys.lists_origin(origin)


def admit(service: Service, presented: str, headers: Headers) -> tuple[Ticket, Key]:
    """Return the ticket that was presented and the key that it was exchanged for.

    Raises:
        Refused: 401 if it is not (or no longer) good for anything, 403 if it is not good for this page.
    """
    ticket = read_ticket(presented, service.tickets.secret(make_secret()), time.time())
    key = find_key(service, ticket) if ticket else None
    if ticket is None or key is None:
        raise Refused(status_code=401, detail="this ticket is unknown, expired or revoked: get a new one")
    if not _comes_from(headers, ticket.origin):
        raise Refused(status_code=403, detail="this ticket is for pages of another origin")
    return ticket, key


def find_key(service: Service, ticket: Ticket) -> Key | None:
    """Return a ticket's key, unless one of them was revoked or the key does not list the ticket's origin any more."""
    key = service.keys.find_by_id(ticket.key_id)
    is_valid = key and ticket.origin in key.origins and service.tickets.is_valid(ticket.ticket_id)
    return key if is_valid else None


def _comes_from(headers: Headers, origin: str) -> bool:
    # A browser states the origin of a page with everything that crosses origins and with every POST. It leaves it
    # out when a page reads from its own origin, as where a portal passes this service through under its own name.
    stated = headers.get("origin")
    return stated == origin if stated is not None else urlsplit(origin).netloc == headers.get("host")
