"""What a ticket opens: only what the widget needs, for pages of its origin, while its key lists that origin."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from litestar.config.cors import CORSConfig
from litestar.datastructures import Headers

from ragsvc.api.errors import Refused
from ragsvc.errors import Overloaded
from ragsvc.security.tickets import Ticket, make_secret, read_ticket

if TYPE_CHECKING:
    from ragsvc.wiring import Service

SECONDS_PER_DAY = 86_400


class PortalOrigins(CORSConfig):
    """CORS for the origins of the settings and for those that some valid key lists; never with credentials."""

    def __init__(self, service: Service, always: tuple[str, ...]) -> None:
        super().__init__(allow_origins=list(always), allow_methods=["GET", "POST", "DELETE"])
        self._service = service

    def is_origin_allowed(self, origin: str) -> bool:
        """Say whether pages of ``origin`` may read answers of this service."""
        return super().is_origin_allowed(origin) or self._service.keys.lists_origin(origin)


def admit(service: Service, presented: str, headers: Headers) -> Ticket:
    """Return the ticket that was presented.

    Raises:
        Refused: 401 if it is not (or no longer) good for anything, 403 if it is not good for this page.
    """
    ticket = read_ticket(presented, service.tickets.secret(make_secret()), time.time())
    if ticket is None or not is_valid(service, ticket):
        raise Refused(status_code=401, detail="this ticket is unknown, expired or revoked: get a new one")
    if not _comes_from(headers, ticket.origin):
        raise Refused(status_code=403, detail="this ticket is for pages of another origin")
    return ticket


def is_valid(service: Service, ticket: Ticket) -> bool:
    """Say whether neither the ticket nor its key was revoked and the key still lists its origin."""
    key = service.keys.find_by_id(ticket.key_id)
    return key is not None and ticket.origin in key.origins and service.tickets.is_valid(ticket.ticket_id)


def spend(service: Service, ticket: Ticket) -> None:
    """Count one question.

    Raises:
        Overloaded: the ticket's quota or the origin's of this day is used up.
    """
    per_day = service.settings.origin_questions_per_day
    left = service.tickets.take_question(ticket.ticket_id, ticket.key_id, ticket.origin, per_day)
    if left == "none left":
        raise Overloaded(f"the {ticket.questions} questions of this ticket are asked: get a new one")
    if left == "none left today":
        until_tomorrow_s = SECONDS_PER_DAY - time.time() % SECONDS_PER_DAY
        raise Overloaded(f"{ticket.origin} has asked its {per_day} questions of today (UTC)", until_tomorrow_s)


def _comes_from(headers: Headers, origin: str) -> bool:
    # A browser states the origin of a page with everything that crosses origins and with every POST. It leaves it
    # out when a page reads from its own origin, as where a portal passes this service through under its own name.
    stated = headers.get("origin")
    return stated == origin if stated is not None else urlsplit(origin).netloc == headers.get("host")
