"""How much may be used: by key, ticket, origin and address, over all workers, whatever the headers claim."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from msgspec.structs import replace

from ragsvc.api.app import create_app
from ragsvc.errors import SettingsError
from ragsvc.records import Usage
from ragsvc.store.rows import KeyLimits
from tests.api import scripted_service
from tests.api.conftest import LOCAL, new_key
from tests.api.scripted_service import ScriptedService
from tests.api.test_embed_tickets import QUESTION, get_ticket, page, portal_key

Client = TestClient[Litestar]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still, so that no test runs over the end of a minute or a day."""
    monkeypatch.setattr("time.time", lambda: 1_700_000_010.0)


@contextmanager
def serving(service: ScriptedService, **settings: Any) -> Iterator[Client]:
    service.settings = service.settings.model_copy(update=settings)
    app = create_app(service, service.settings)
    with TestClient(app, base_url=LOCAL, raise_server_exceptions=False) as client:
        yield client


def limited(service: ScriptedService, **limits: int) -> dict[str, str]:
    header = new_key(service, "ask")
    service.keys.set_limits(service.keys.list()[-1].key_id, KeyLimits(**limits))
    return header


def ask(client: Client, headers: dict[str, str]) -> Any:
    return client.post("/v1/ask", json=QUESTION, headers=headers)


def test_a_key_s_minute(client: Client, service: ScriptedService) -> None:
    """Every request counts; the one too many is told the limit, and when to come back."""
    key = limited(service, requests_per_minute=3)
    for left in (2, 1, 0):
        response = client.get("/v1/collections", headers=key)
        assert response.status_code == 200
        assert response.headers["ratelimit"] == f'"key-requests-per-minute";r={left};t=30'
        assert response.headers["ratelimit-policy"] == '"key-requests-per-minute";q=3;w=60'
    refused = client.get("/v1/collections", headers=key)
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] == "30"
    assert refused.headers["ratelimit"].startswith('"key-requests-per-minute";r=0')
    assert refused.json()["type"] == "urn:ragsvc:problem:limit-reached"
    assert "its 3 requests of this minute" in refused.json()["detail"]


def test_a_key_s_day(client: Client, service: ScriptedService) -> None:
    """Questions count, by either interface; reading and refused questions do not."""
    key = limited(service, questions_per_day=3)
    chat = {"model": "law", "messages": [{"role": "user", "content": "违约"}]}
    assert ask(client, key).status_code == 200
    assert client.post("/v1/chat/completions", json=chat, headers=key).status_code == 200
    assert client.post("/v1/ask", json={**QUESTION, "stream": True}, headers=key).status_code == 200
    assert client.post("/v1/ask", json={"question": "。"}, headers=key).status_code == 400
    refused = ask(client, key)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 86_400
    as_openai = client.post("/v1/chat/completions", json=chat, headers=key)
    assert as_openai.status_code == 429
    assert "today" in as_openai.json()["error"]["message"]
    assert client.get("/v1/collections", headers=key).status_code == 200
    assert len(service.asked) == 3
    assert client.app.state.slots.taken == 0


def test_a_key_s_tokens(client: Client, service: ScriptedService) -> None:
    """The answer that goes over the budget is given; the next question is not asked."""
    service.answer = lambda: replace(scripted_service.answer(), usage=Usage(prompt_tokens=90, completion_tokens=20))
    key = limited(service, tokens_per_day=100)
    assert [ask(client, key).status_code for _ in range(2)] == [200, 429]


def test_a_key_says_other_than_the_settings(service: ScriptedService) -> None:
    """What it leaves open is as the settings say, and 0 lifts a limit of theirs."""
    with serving(service, key_requests_per_minute=2) as client:
        statuses = {}
        for name, limits in (
            ("open", {}),
            ("more", {"requests_per_minute": 3}),
            ("lifted", {"requests_per_minute": 0}),
        ):
            key = limited(service, **limits)
            statuses[name] = [client.get("/v1/models", headers=key).status_code for _ in range(5)].count(200)
    assert statuses == {"open": 2, "more": 3, "lifted": 5}


def test_a_key_s_limits_hold_for_its_tickets(client: Client, service: ScriptedService) -> None:
    """A portal cannot get more out of a key by way of its pages."""
    key = portal_key(service)
    service.keys.set_limits(service.keys.list()[0].key_id, KeyLimits(questions_per_day=3))
    assert ask(client, key).status_code == 200
    tickets = [page(get_ticket(client, key)) for _ in range(3)]
    assert [ask(client, ticket).status_code for ticket in tickets] == [200, 200, 429]


def test_a_ticket_s_and_an_origin_s_minute(service: ScriptedService) -> None:
    """Another ticket begins anew, but not against the origin's limit."""
    with serving(service, ticket_requests_per_minute=2, origin_requests_per_minute=3) as client:
        key = portal_key(service)
        statuses = []
        for _ in range(2):
            ticket = page(get_ticket(client, key))
            statuses += [client.get("/v1/versions/law/text", headers=ticket).status_code for _ in range(3)]
    assert statuses == [200, 200, 429, 200, 429, 429]


def test_a_page_can_read_what_is_left(client: Client, service: ScriptedService) -> None:
    """The headers are exposed to the origin that asked; one ticket is limited in four ways."""
    response = ask(client, page(get_ticket(client, portal_key(service), questions=7)))
    exposed = response.headers["access-control-expose-headers"].lower()
    assert all(name in exposed for name in ("retry-after", "ratelimit", "ratelimit-policy"))
    assert '"ticket-questions";r=6;t=' in response.headers["ratelimit"]
    assert len(response.headers["ratelimit-policy"].split(", ")) == 4


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "CF-Connecting-IP"])
def test_no_header_makes_a_client_another(service: ScriptedService, header: str) -> None:
    """T49: as delivered, none is believed, and the requests count for the address that the connection comes from."""
    with serving(service, address_requests_per_minute=2) as client:
        statuses = [client.get("/v1/collections", headers={header: f"198.51.100.{n}"}).status_code for n in range(3)]
    assert statuses == [200, 200, 429]


def test_a_trusted_proxy_says_who_asks(service: ScriptedService) -> None:
    """Each client behind it is counted apart; what a client writes into the header itself changes nothing."""
    proxied = {"address_requests_per_minute": 2, "trusted_proxies": ("192.0.2.1",)}
    service.settings = service.settings.model_copy(update=proxied)
    transport = httpx.ASGITransport(create_app(service, service.settings), client=("192.0.2.1", 1))

    async def get(forwarded_for: str) -> int:
        async with httpx.AsyncClient(transport=transport, base_url=LOCAL) as client:
            return (await client.get("/v1/collections", headers={"X-Forwarded-For": forwarded_for})).status_code

    asked = ("198.51.100.1", "198.51.100.1", "198.51.100.2", "203.0.113.1, 198.51.100.1", "203.0.113.2, 198.51.100.1")
    assert [anyio.run(get, value) for value in asked] == [200, 200, 200, 429, 429]


def test_an_address_is_counted_before_its_key_is_looked_at(service: ScriptedService) -> None:
    """So that trying keys ends, too; the sign of life is never refused."""
    with serving(service, address_requests_per_minute=3) as client:
        new_key(service, "ask")
        statuses = [client.get("/v1/collections", headers={"X-API-Key": f"rsk_{n}"}).status_code for n in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        assert client.get("/health/live").status_code == 200


def test_a_proxy_that_is_no_address_is_an_error_at_the_start(service: ScriptedService) -> None:
    """Not with the first request."""
    with pytest.raises(SettingsError, match="trusted_proxies"), serving(service, trusted_proxies=("nginx",)):
        pass


def test_this_machine_s_own_use_has_no_limits(client: Client, service: ScriptedService) -> None:
    """Without keys and as delivered nothing is counted, and no file is made for it."""
    for _ in range(3):
        response = client.get("/v1/collections")
        assert "ratelimit" not in response.headers
    assert not (service.settings.home / "passing.sqlite").exists()
