"""How much may be used, by a key, a ticket, an origin and an address: over it, 429 and when to come back.

Who is counted is decided by what was presented; a header says it only if a trusted proxy wrote it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from litestar.connection import ASGIConnection
from litestar.types import Scope

from ragsvc.errors import LimitReached
from ragsvc.security.client_address import client_address, read_networks
from ragsvc.settings import Settings
from ragsvc.store.limits import DAY_S, MINUTE_S, Left, Limit, of_period
from ragsvc.store.rows import KeyLimits

if TYPE_CHECKING:
    from ragsvc.api.access import Caller
    from ragsvc.wiring import Service

Connection = ASGIConnection[Any, Any, Any, Any]

HEADERS = ("RateLimit", "RateLimit-Policy", "Retry-After")
"""What a page of another origin may read of an answer, too."""

_SAID = {
    "address-requests-per-minute": "this address has sent its {most} requests of this minute",
    "key-requests-per-minute": "this key has sent its {most} requests of this minute",
    "key-questions-per-day": "this key has asked its {most} questions of today (UTC)",
    "key-tokens-per-day": "this key has used its {most} tokens of today (UTC)",
    "origin-requests-per-minute": "this origin has sent its {most} requests of this minute",
    "origin-questions-per-day": "this origin has asked its {most} questions of today (UTC)",
    "ticket-requests-per-minute": "this ticket has sent its {most} requests of this minute",
    "ticket-questions": "the {most} questions of this ticket are asked: get a new one",
}


async def count_address(connection: Connection, settings: Settings) -> None:
    """Count a request of whoever sends it.

    Raises:
        LimitReached: its address has sent too many.
    """
    if settings.address_requests_per_minute and connection.client:
        forwarded = ",".join(connection.headers.getall("x-forwarded-for", []))
        trusted = read_networks(settings.trusted_proxies)
        address = client_address(connection.client.host, forwarded, trusted)
        most = settings.address_requests_per_minute
        await _take(connection, [of_period("address-requests-per-minute", address, most, MINUTE_S, time.time())])


async def count_request(connection: Connection, caller: Caller, settings: Settings) -> None:
    """Count a request of a caller.

    Raises:
        LimitReached: key, ticket or origin have sent too many.
    """
    now = time.time()
    wanted = [("key", caller.key_id, _of(caller.limits, settings).requests_per_minute)]
    if caller.ticket:
        wanted += [
            ("ticket", caller.ticket.ticket_id, settings.ticket_requests_per_minute),
            ("origin", caller.asker, settings.origin_requests_per_minute),
        ]
    name = "{}-requests-per-minute".format
    await _take(connection, [of_period(name(who), of, most, MINUTE_S, now) for who, of, most in wanted if of and most])


async def count_question(connection: Connection, caller: Caller, settings: Settings) -> None:
    """Count a question of a caller.

    Raises:
        LimitReached: key, ticket or origin have asked too many, or their answers took too many tokens.
    """
    if caller.key_id:
        await _take(connection, _of_question(caller, settings, time.time()))


async def count_tokens(service: Service, caller: Caller, n: int) -> None:
    """Count the tokens that an answer took."""
    limit = _of_tokens(caller, service.settings, time.time())
    if n and limit:
        await to_thread.run_sync(service.limits.add, limit, n)


def headers(scope: Scope) -> dict[str, str]:
    """Return what a response says of the limits that its request was counted against.

    The form is that of draft-ietf-httpapi-ratelimit-headers-10.
    """
    left: list[Left] = scope["state"].get("limits", [])
    if not left:
        return {}
    now = time.time()
    return {
        "RateLimit-Policy": ", ".join(_policy(one.limit) for one in left),
        "RateLimit": ", ".join(f'"{one.limit.name}";r={max(0, one.n)};t={_seconds(one.limit, now)}' for one in left),
    }


def _policy(limit: Limit) -> str:
    window = f";w={limit.ends_at - limit.start}" if limit.start else ""
    return f'"{limit.name}";q={limit.most}{window}'


def _seconds(limit: Limit, now: float) -> int:
    return max(1, round(limit.ends_at - now))


def _of(limits: KeyLimits, settings: Settings) -> KeyLimits:
    """Return the limits of a key with what it leaves open as the settings say."""
    own = {name: getattr(limits, name) for name in KeyLimits.__struct_fields__}
    return KeyLimits(
        **{name: getattr(settings, f"key_{name}") if value is None else value for name, value in own.items()}
    )


def _of_question(caller: Caller, settings: Settings, now: float) -> list[Limit]:
    found = []
    if caller.ticket:
        ticket, of_origin = caller.ticket, settings.origin_questions_per_day
        found += [
            Limit(
                name="ticket-questions", of=ticket.ticket_id, most=ticket.questions, start=0, ends_at=ticket.expires_at
            ),
            of_period("origin-questions-per-day", caller.asker, of_origin, DAY_S, now),
        ]
    if per_day := _of(caller.limits, settings).questions_per_day:
        found.append(of_period("key-questions-per-day", caller.key_id, per_day, DAY_S, now))
    if tokens := _of_tokens(caller, settings, now):
        found.append(tokens)
    return found


def _of_tokens(caller: Caller, settings: Settings, now: float) -> Limit | None:
    most = _of(caller.limits, settings).tokens_per_day
    return of_period("key-tokens-per-day", caller.key_id, most, DAY_S, now, cost=0) if caller.key_id and most else None


async def _take(connection: Connection, limits: Sequence[Limit]) -> None:
    if not limits:
        return
    service: Service = connection.app.state.service
    now = time.time()
    taken = await to_thread.run_sync(service.limits.take, limits, now)
    connection.scope["state"].setdefault("limits", []).extend(taken.left)
    if spent := taken.refused:
        # Another ticket can be had at once, another minute or day cannot.
        retry_after_s = 1 if spent.name == "ticket-questions" else _seconds(spent, now)
        raise LimitReached(_SAID[spent.name].format(most=spent.most), retry_after_s)
