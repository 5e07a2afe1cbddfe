"""Tickets: what a portal's page holds instead of a key. Signed, short-lived, and bound to one origin."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from ragsvc.errors import InvalidInput

PREFIX = "rst_"
MAX_TICKET_CHARS = 8_000
SECONDS = 300
"""How long a ticket lasts unless asked otherwise: about one reading of an answer; the widget renews it."""
MAX_SECONDS = 900
QUESTIONS = 20
MAX_QUESTIONS = 200
MAX_ORIGIN_CHARS = 300
ORIGIN_PATTERN = r"^https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,4})?$"
"""Of origins that ``check_origin`` takes, most, as JSON schema says it."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]", re.ASCII)


class Ticket(Struct, frozen=True, kw_only=True):
    """What is signed. It says all that a holder may do, so that nothing can be added to it afterwards."""

    ticket_id: str
    key_id: str
    """The key that it was exchanged for: the ticket lives no longer and sees no more than that."""
    origin: str
    collections: tuple[str, ...]
    """Empty = all that the key may read."""
    questions: int
    expires_at: int
    """Seconds since 1970."""


def make_secret() -> bytes:
    """Return what a home signs its tickets with: 256 random bits."""
    return secrets.token_bytes(32)


def sign_ticket(ticket: Ticket, secret: bytes) -> str:
    """Return ``rst_``, the ticket as JSON, a dot, and its HMAC-SHA256 (RFC 2104), both in URL-safe base64."""
    payload = _encode(msgspec.json.encode(ticket))
    return f"{PREFIX}{payload}.{_encode(_sign(payload, secret))}"


def is_ticket(presented: str) -> bool:
    """Say whether what was presented is meant as a ticket, not as a key."""
    return presented.startswith(PREFIX)


def read_ticket(presented: str, secret: bytes, now: float) -> Ticket | None:
    """Return the ticket if this home signed it and it has not expired at ``now`` (seconds since 1970), else None.

    The signature is compared in constant time and before anything of the ticket is read.
    """
    payload, _, signature = presented[:MAX_TICKET_CHARS].removeprefix(PREFIX).partition(".")
    try:
        is_ours = hmac.compare_digest(_decode(signature), _sign(payload, secret))
        ticket = msgspec.json.decode(_decode(payload), type=Ticket) if is_ours else None
    except ValueError:
        return None
    return ticket if ticket and now < ticket.expires_at else None


def check_origin(text: str) -> str:
    """Return an origin as a browser sends it: ``https://portal.example``, the port only where it is not the usual.

    Raises:
        InvalidInput: it is no origin, or stands for more than one.
    """
    wrong = InvalidInput(
        f"origin {text[:80]!r} is none: write scheme and host (and port, if it is not the usual one) "
        "as the browser's address bar shows them, like https://portal.example; no path, no wildcard"
    )
    if len(text) > MAX_ORIGIN_CHARS:
        raise wrong
    try:
        parts = urlsplit(text.strip())
        host, port = (parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc).lower(), parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in _DEFAULT_PORTS or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise wrong
    if not _HOST.fullmatch(host):
        raise wrong
    suffix = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"


def _sign(payload: str, secret: bytes) -> bytes:
    return hmac.digest(secret, payload.encode(), hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
