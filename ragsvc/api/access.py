"""Who is asking, and what they may see: applied to every route before its body is read.

A service without keys is open to this machine only, so it also checks that the browser page that asks is its own:
a foreign site must not reach it through a name that resolves to 127.0.0.1 or through a form.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import Headers
from litestar.handlers import BaseRouteHandler
from msgspec import Struct

from ragsvc.api import limits, ticket_access
from ragsvc.api.errors import Refused
from ragsvc.errors import NotFound
from ragsvc.security.api_keys import allows, hash_key, is_well_formed, may_read
from ragsvc.security.binding import is_loopback
from ragsvc.security.tickets import Ticket, is_ticket
from ragsvc.store.rows import KeyLimits

if TYPE_CHECKING:
    from ragsvc.wiring import Service

OPEN = {"needs": "nothing"}
"""For ``opt=``: no key is needed. Only for what is the same everywhere: the pages, the reference, the sign of life."""
ASK = {"needs": ("ask",)}
ASK_AS_OPENAI = {**ASK, "is_openai": True}
"""For the addresses that OpenAI's clients call: their errors are understood by those too."""
INGEST = {"needs": ("ingest",)}
READ = {"needs": ("ask", "ingest")}
ADMIN = {"needs": ("admin",)}
TICKET = {"takes_tickets": True}
"""Beside ASK or READ: what the widget calls, so that a ticket opens it, too."""

Connection = ASGIConnection[Any, Any, Any, Any]


class Caller(Struct, frozen=True):
    """The holder of a key, or anybody on a service without keys."""

    key_id: str = ""
    collections: tuple[str, ...] = ()
    """The only ones that exist for this caller; empty = all."""
    ticket: Ticket | None = None
    """Of a page in a portal."""
    key_hash: str = ""
    """Of the secret that was presented; empty with a ticket."""
    limits: KeyLimits = KeyLimits()
    """Of the key."""

    @property
    def asker(self) -> str:
        """Who gets to see what this caller asked: the key, or with tickets of it the pages of one origin."""
        return f"{self.key_id} {self.ticket.origin}" if self.ticket else self.key_id

    def check_collections(self, asked: tuple[str, ...]) -> tuple[str, ...]:
        """Return the collections to look in: those asked for, else all that the key may read (empty = all).

        Raises:
            NotFound: one is not for this caller; it looks the same as one that does not exist.
        """
        for name in asked:
            if not may_read(self.collections, name):
                raise unknown("collection", name)
        return asked or self.collections

    def may_read(self, collection: str) -> bool:
        """Say whether the caller may see this collection."""
        return may_read(self.collections, collection)


def unknown(what: str, name: str) -> NotFound:
    """The one error for what does not exist and for what is not the caller's to see."""
    return NotFound(f"no {what} {name!r} here")


async def authorize(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let a request through, with its ``Caller`` in the connection's state, or refuse it (a Litestar guard)."""
    needs = handler.opt.get("needs", ())
    if needs == OPEN["needs"]:
        return
    settings = connection.app.state.service.settings
    await limits.count_address(connection, settings)
    caller = _identify(connection, handler, needs)
    await limits.count_request(connection, caller, settings)
    connection.state.caller = caller


def _identify(connection: Connection, handler: BaseRouteHandler, needs: Collection[str]) -> Caller:
    service: Service = connection.app.state.service
    settings = service.settings
    presented = _presented_key(connection.headers)
    if is_ticket(presented):
        return _holder(connection, handler, presented)
    _check_origin(connection, settings.cors_origins)
    if not service.keys.any():
        _check_host(connection.headers, settings.allowed_hosts)
        return Caller()
    if not presented:
        raise Refused(status_code=401, detail="send an API key as 'Authorization: Bearer rsk_…' or 'X-API-Key: rsk_…'")
    key_hash = hash_key(presented) if is_well_formed(presented) else ""
    key = service.keys.find(key_hash) if key_hash else None
    if key is None:
        raise Refused(status_code=401, detail="this API key is unknown, expired or revoked: ask for a new one")
    if needs and not allows(key.scopes, needs):
        raise Refused(status_code=403, detail=f"this key has {', '.join(key.scopes)}; needed is {' or '.join(needs)}")
    return Caller(key.key_id, key.collections, key_hash=key_hash, limits=key.limits)


def _holder(connection: Connection, handler: BaseRouteHandler, presented: str) -> Caller:
    ticket, key = ticket_access.admit(connection.app.state.service, presented, connection.headers)
    if not handler.opt.get("takes_tickets"):
        raise Refused(status_code=403, detail="a ticket does not open this: it is for asking and for reading sources")
    return Caller(ticket.key_id, ticket.collections, ticket, limits=key.limits)


def caller_of(connection: Connection) -> Caller:
    """Return who is asking."""
    caller: Caller = connection.state.caller
    return caller


def _presented_key(headers: Headers) -> str:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()


def _check_origin(connection: Connection, allowed: tuple[str, ...]) -> None:
    origin = connection.headers.get("origin")
    if connection.scope.get("method") in ("GET", "HEAD", "OPTIONS") or origin is None or origin in allowed:
        return
    if urlsplit(origin).netloc != connection.headers.get("host"):
        raise Refused(status_code=403, detail=f"a page of {origin} may not use this service: see 'cors_origins'")


def _check_host(headers: Headers, allowed: tuple[str, ...]) -> None:
    name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    if not is_loopback(name) and name not in allowed:
        raise Refused(
            status_code=403, detail=f"a service without keys answers to localhost only, not to {name!r}: make a key"
        )
