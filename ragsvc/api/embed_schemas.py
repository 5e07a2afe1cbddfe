"""The wire of what a widget in a portal needs: tickets."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ragsvc.api.schemas import CollectionNames, Request
from ragsvc.security.tickets import MAX_ORIGIN_CHARS, MAX_QUESTIONS, MAX_SECONDS, ORIGIN_PATTERN, QUESTIONS, SECONDS


class TicketRequest(Request):
    """What a portal's server asks a ticket for: one visitor of one of its pages."""

    origin: Annotated[
        str,
        Meta(
            description="Of the page that will use it, as the key lists it: https://portal.example",
            extra_json_schema={"minLength": 1, "maxLength": MAX_ORIGIN_CHARS, "pattern": ORIGIN_PATTERN},
        ),
    ]
    collections: CollectionNames = msgspec.field(default_factory=list)
    """None = all that the key may read."""
    questions: Annotated[
        int, Meta(description="How many it may ask.", extra_json_schema={"minimum": 1, "maximum": MAX_QUESTIONS})
    ] = QUESTIONS
    seconds: Annotated[
        int, Meta(description="How long it lasts.", extra_json_schema={"minimum": 10, "maximum": MAX_SECONDS})
    ] = SECONDS


class EmbedTicket(Struct):
    """For the page, as it is: the widget reads ``ticket`` and ``expires_in_s``."""

    ticket: str
    ticket_id: str
    expires_in_s: int
    origin: str
    collections: list[str]
    questions: int
