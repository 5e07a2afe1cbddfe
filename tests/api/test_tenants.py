"""One tenant learns nothing of another, on every route that there is: a new one is tried without being listed here."""

from __future__ import annotations

import inspect
import math
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from ragsvc.api import access
from ragsvc.api.app import create_app
from ragsvc.errors import SettingsError
from ragsvc.security import api_keys, tickets
from ragsvc.security.api_keys import make_key
from ragsvc.security.binding import check_bind
from ragsvc.store.keys import Keys
from tests.api.conftest import LOCAL, new_key
from tests.api.scripted_service import ScriptedService
from tests.api.test_embed_tickets import EVIL, PORTAL, QUESTION, get_ticket, page, portal_key

Client = TestClient[Litestar]


def handlers(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        assert isinstance(route, HTTPRoute)
        for handler in route.route_handlers:
            for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                yield method, re.sub(r"{(\w+)(:\w+)?}", r"{\1}", route.path_format), handler


def test_every_route_says_what_it_needs(app: Litestar) -> None:
    """By ``opt``; what says nothing is readiness, which any key may ask for. What is open is a short list."""
    silent = {path for _, path, handler in handlers(app) if "needs" not in handler.opt}
    assert {path for path in silent if not path.startswith("/schema")} == {"/health/ready"}
    is_open = {path for _, path, handler in handlers(app) if handler.opt.get("needs") == access.OPEN["needs"]}
    assert {path for path in is_open if path.startswith("/v1/")} == set()


@pytest.mark.parametrize("scope", api_keys.SCOPES)
def test_a_key_opens_what_its_scope_says_and_nothing_else(
    app: Litestar, client: Client, service: ScriptedService, scope: str
) -> None:
    """T48: on every route, 403 exactly where the scope is missing, before the body is looked at."""
    key = new_key(service, scope)
    for method, path, handler in handlers(app):
        if not path.startswith(("/v1/", "/metrics")):
            continue
        response = client.request(method, re.sub(r"{\w+}", uuid.uuid4().hex, path), headers=key)
        is_allowed = scope == "admin" or scope in handler.opt["needs"]
        assert (response.status_code != 403) == is_allowed, (method, path, response.status_code)
        assert response.status_code != 401


def test_an_id_that_is_another_s_is_unknown(app: Litestar, client: Client, service: ScriptedService) -> None:
    """T44: every route that takes an id in its address gives the 404 of an id that never was, word for word.

    Each id here exists and is the other tenant's; what belongs to whom is in ``test_access.py``.
    """
    theirs = portal_key(service, "secret")
    ticket = get_ticket(client, theirs)
    answer = service.answer()
    client.post("/v1/ask", json=QUESTION, headers=theirs)
    ids = {
        "document_id": "secret",
        "version_id": "secret",
        "job_id": service.jobs.submit("ingest", {"collection": "secret"}, 1).job_id,
        "ticket_id": ticket["ticket_id"],
        "key_id": service.keys.list()[0].key_id,
        "answer_id": answer.answer_id,
    }
    mine = new_key(service, "admin", collections=("law",))
    tried = set()
    for method, path, _handler in handlers(app):
        names = re.findall(r"{(\w+)}", path)
        if not path.startswith("/v1/") or not names or set(names) & ELSEWHERE:
            continue
        assert set(names) <= set(ids), f"{path}: say here which id of another tenant it could be asked with"
        body = {"json": BODIES.get((method, path), {})} if method in ("POST", "PUT", "PATCH") else {}
        hidden, absent = (
            client.request(method, path.format(**{name: values.get(name, "x") for name in names}), headers=mine, **body)
            for values in (ids, dict.fromkeys(names, "nowhere"))
        )
        assert hidden.status_code == absent.status_code == 404, (method, path, hidden.text, absent.text)
        for name in names:
            assert hidden.text == absent.text.replace("nowhere", ids.get(name, "x")), (method, path)
        tried.add(path)
    assert len(tried) >= 8


ELSEWHERE = {"conversation_id", "assistant_id"}
"""Whose these are is tried in ``test_conversations.py``; assistants are the home's, for all of its keys."""
BODIES: dict[tuple[str, str], Any] = {("PUT", "/v1/keys/{key_id}/origins"): {"origins": []}}
"""Of routes that take an id and need more than an empty body."""


def test_secrets_have_256_random_bits() -> None:
    """T46: keys and the secret of tickets come from the system's generator, and no two of many are alike."""
    assert {len(make_key()) for _ in range(1000)} == {4 + math.ceil(256 / 6)}
    assert len({make_key() for _ in range(1000)}) == 1000
    assert len(tickets.make_secret()) == 32


def test_ids_cannot_be_counted_up(client: Client, service: ScriptedService) -> None:
    """T46: what is given out holds no clock, no machine and no counter: random, at least 48 bits, and 122 in the open.

    Documents and versions are hashes of their content, which is no secret: what opens them is the key.
    """
    key = portal_key(service)
    ids = {
        "ticket": [get_ticket(client, key)["ticket_id"] for _ in range(50)],
        "job": [service.jobs.submit("ingest", {"collection": "law"}, 1).job_id for _ in range(50)],
        "key": [service.keys.add(str(n), name="k", scopes=("ask",)).key_id for n in range(50)],
    }
    for what, found in ids.items():
        assert len(set(found)) == 50
        digits = [one.replace("-", "") for one in found]
        random_bits = 4 * len(digits[0])
        assert random_bits >= (48 if what == "key" else 64), what
        if len(digits[0]) == 32:
            assert {uuid.UUID(one).version for one in digits} == {4}, what
        for position in range(len(digits[0])):
            if len(digits[0]) < 32 or position not in (12, 16):
                assert len({one[position] for one in digits}) > 4, (what, position)


def test_a_key_is_found_by_its_hash_alone() -> None:
    """T47: no comparison of secrets, so nothing to time; a ticket's signature is compared in constant time."""
    assert "key_hash ==" in inspect.getsource(Keys.find)
    assert "compare_digest" in inspect.getsource(tickets.read_ticket)
    for module in (access, api_keys):
        assert "presented ==" not in inspect.getsource(module)


def test_no_answer_says_star_with_credentials(app: Litestar, client: Client, service: ScriptedService) -> None:
    """T51: on no route, for no origin, with no key, a key or a ticket; only the widget's file may be read by all."""
    key = portal_key(service)
    ticket = page(get_ticket(client, key))
    for method, path, _ in handlers(app):
        for headers in ({}, key, ticket):
            for origin in (PORTAL, EVIL, "null"):
                response = client.request(method, re.sub(r"{\w+}", "law", path), headers={**headers, "Origin": origin})
                allowed = response.headers.get("access-control-allow-origin")
                assert "access-control-allow-credentials" not in response.headers
                assert allowed in ({None, PORTAL} if origin == PORTAL else {None}) or path.startswith("/widget/"), path


def test_no_page_can_be_framed_and_no_key_is_in_one(client: Client, service: ScriptedService) -> None:
    """T50: CSP forbids it on every answer; the widget's file has no key and no ticket in it."""
    portal_key(service)
    for path in ("/", "/schema", "/health/live", "/widget/ragsvc.js", "/v1/collections"):
        assert "frame-ancestors 'none'" in client.get(path).headers["content-security-policy"]
    assert not re.search(r"rs[kt]_[A-Za-z0-9_-]{20}", client.get("/widget/ragsvc.js").text)


@pytest.mark.parametrize(
    "host", ["a.example", "portalXexample", "portal.example.evil.example", "sub.portal.example", "x"]
)
def test_allowed_hosts_are_literal(service: ScriptedService, host: str) -> None:
    """T52: a dot is a dot, and a name stands for itself alone."""
    service.settings = service.settings.model_copy(update={"allowed_hosts": ("portal.example", "*.example", ".*")})
    with TestClient(create_app(service, service.settings), base_url=LOCAL) as client:
        assert client.get("/v1/collections", headers={"host": host}).status_code == 403
        assert client.get("/v1/collections", headers={"host": "portal.example"}).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "service.example", "127.0.0.1.example"])
def test_without_keys_nothing_but_loopback_is_bound(host: str) -> None:
    """T53: an error that names the address and says what to do."""
    with pytest.raises(SettingsError, match="keys create"):
        check_bind(host, has_keys=False)
    check_bind(host, has_keys=True)
    check_bind("127.0.0.1", has_keys=False)


def test_a_suspended_key_opens_nothing(client: Client, service: ScriptedService) -> None:
    """T45: expired or revoked, with its tickets; a stream in flight is cut in ``test_embed_tickets.py``."""
    key = portal_key(service)
    ticket = page(get_ticket(client, key))
    service.keys.revoke(service.keys.list()[0].key_id)
    expired = make_key()
    service.keys.add(api_keys.hash_key(expired), name="old", scopes=("ask",), expires_at=1.0)
    for headers in (key, ticket, {"Authorization": f"Bearer {expired}"}):
        assert client.post("/v1/ask", json=QUESTION, headers=headers).status_code == 401
