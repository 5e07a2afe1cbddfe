"""Tickets for pages of portals: who gets one, what it opens, when it ends, and what a foreign page gets: nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from ragsvc.api import revocation
from ragsvc.api.app import create_app
from ragsvc.security.api_keys import hash_key, make_key
from ragsvc.security.tickets import Ticket, make_secret, sign_ticket
from tests.api.conftest import LOCAL, new_key
from tests.api.scripted_service import ScriptedService
from tests.api.test_access import all_routes

Client = TestClient[Litestar]
PORTAL = "https://portal.example"
EVIL = "https://evil.example"
QUESTION = {"question": "违约"}
OPENED = {
    ("POST", "/v1/ask"),
    ("POST", "/v1/feedback"),
    ("GET", "/v1/lookup"),
    ("GET", "/v1/versions/{version_id}/text"),
    ("GET", "/v1/documents/{document_id}/versions"),
}
"""All that a ticket opens."""


def portal_key(service: ScriptedService, *collections: str, origins: tuple[str, ...] = (PORTAL,)) -> dict[str, str]:
    key = make_key()
    service.keys.add(hash_key(key), name="portal", scopes=("ask",), collections=collections, origins=origins)
    return {"Authorization": f"Bearer {key}"}


def get_ticket(client: Client, key: dict[str, str], **body: Any) -> dict[str, Any]:
    response = client.post("/v1/embed-tickets", json={"origin": PORTAL, **body}, headers=key)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def page(ticket: dict[str, Any], origin: str | None = PORTAL) -> dict[str, str]:
    """The headers that a page's browser sends."""
    return {"Authorization": f"Bearer {ticket['ticket']}", **({"Origin": origin} if origin else {})}


def test_a_page_of_the_portal_asks_with_a_ticket(client: Client, service: ScriptedService) -> None:
    """The answer comes with CORS headers for that origin alone, and no credentials are allowed."""
    ticket = get_ticket(client, portal_key(service, "law", "secret"), collections=["law"])
    assert ticket["expires_in_s"] == 300
    response = client.post("/v1/ask", json=QUESTION, headers=page(ticket))
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == PORTAL
    assert "Origin" in response.headers["vary"]
    assert "access-control-allow-credentials" not in response.headers
    assert service.asked[0].collections == ("law",)


def test_only_listed_origins_get_a_ticket(client: Client, service: ScriptedService) -> None:
    """Deny by default: a key that lists none gets none, and no key gets one for an origin of another key."""
    portal_key(service)
    for key in (new_key(service, "admin"), portal_key(service, origins=("https://other.example",))):
        response = client.post("/v1/embed-tickets", json={"origin": PORTAL}, headers=key)
        assert response.status_code == 403
        assert "ragsvc keys origins" in response.json()["detail"]
    assert client.post("/v1/embed-tickets", json={"origin": PORTAL}).status_code == 401


def test_a_service_without_keys_gives_no_tickets(client: Client) -> None:
    """There is nothing that they could be bound to."""
    assert client.post("/v1/embed-tickets", json={"origin": PORTAL}).status_code == 403


def test_a_key_for_ingesting_gets_no_ticket(client: Client, service: ScriptedService) -> None:
    """A ticket asks, so its key has to be for asking."""
    key = new_key(service, "ingest")
    assert client.post("/v1/embed-tickets", json={"origin": PORTAL}, headers=key).status_code == 403


@pytest.mark.parametrize(
    "body",
    [{"origin": "*"}, {"origin": "null"}, {"questions": 0}, {"questions": 999}, {"seconds": 9}, {"seconds": 901}],
)
def test_limits_of_a_ticket(client: Client, service: ScriptedService, body: dict[str, Any]) -> None:
    """No wildcard, no endless quota, no endless time."""
    response = client.post("/v1/embed-tickets", json={"origin": PORTAL, **body}, headers=portal_key(service))
    assert response.status_code == 400


def test_a_ticket_sees_no_more_than_it_names(client: Client, service: ScriptedService) -> None:
    """Another collection looks as if it were not there, to the ticket and to the key that would exchange for it."""
    key = portal_key(service, "law")
    refused = client.post("/v1/embed-tickets", json={"origin": PORTAL, "collections": ["secret"]}, headers=key)
    assert refused.status_code == 404
    headers = page(get_ticket(client, key))
    for name in ("secret", "nowhere"):
        assert client.post("/v1/ask", json={**QUESTION, "collection": name}, headers=headers).status_code == 404
        assert client.get(f"/v1/versions/{name}/text", headers=headers).status_code == 404
        assert client.get(f"/v1/documents/{name}/versions", headers=headers).status_code == 404
    assert client.get("/v1/versions/law/text", headers=headers).status_code == 200
    assert client.get("/v1/documents/law/versions", headers=headers).status_code == 200


def test_a_ticket_opens_what_the_widget_needs_and_nothing_else(
    app: Litestar, client: Client, service: ScriptedService
) -> None:
    """All routes are tried, so that a new one cannot be forgotten."""
    headers = page(get_ticket(client, portal_key(service)))
    opened = set()
    for method, path in all_routes(app):
        if path.startswith("/v1/") and method != "OPTIONS":
            target = path.replace("{job_id:str}", "law")
            for name in ("version_id", "document_id", "job_id", "ticket_id"):
                target = target.replace(f"{{{name}}}", "law")
            response = client.request(method, target, headers=headers)
            assert response.status_code != 401, (method, path)
            if response.status_code != 403:
                opened.add((method, path))
            else:
                assert "a ticket does not open this" in response.json()["detail"]
    assert opened == OPENED


@pytest.mark.parametrize("origin", [EVIL, "null", "http://portal.example", "https://portal.example:444", None])
def test_a_ticket_is_for_its_origin(client: Client, service: ScriptedService, origin: str | None) -> None:
    """On a page of another, or sent with no origin to another host, it opens nothing, and nothing can be read."""
    ticket = get_ticket(client, portal_key(service))
    for method, path, body in (("POST", "/v1/ask", QUESTION), ("GET", "/v1/versions/law/text", None)):
        response = client.request(method, path, json=body, headers=page(ticket, origin))
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers
    assert service.asked == []


def test_a_portal_may_pass_the_service_through(client: Client, service: ScriptedService) -> None:
    """Under the portal's own name a browser sends no Origin with what it reads: the host says it."""
    ticket = get_ticket(client, portal_key(service))
    headers = {**page(ticket, None), "Host": "portal.example"}
    assert client.get("/v1/versions/law/text", headers=headers).status_code == 200


@pytest.mark.parametrize(("origin", "status"), [(PORTAL, 204), (EVIL, 400)])
def test_preflight(client: Client, service: ScriptedService, origin: str, status: int) -> None:
    """A listed origin may send what the widget sends; another may not; never is everyone let in with credentials."""
    portal_key(service)
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    response = client.options("/v1/ask", headers={"Origin": origin, **wanted})
    assert response.status_code == status
    if status == 204:
        assert response.headers["access-control-allow-origin"] == PORTAL
        assert "authorization" in response.headers["access-control-allow-headers"].lower()
    else:
        assert "access-control-allow-origin" not in response.headers
    assert "access-control-allow-credentials" not in response.headers


def test_an_unlisted_origin_s_ticket_ends_at_once(client: Client, service: ScriptedService) -> None:
    """Taking an origin off the list needs no waiting for tickets to expire; nor does it need a restart."""
    ticket = get_ticket(client, portal_key(service))
    service.keys.set_origins(service.keys.list()[0].key_id, ["https://new.example"])
    assert client.post("/v1/ask", json=QUESTION, headers=page(ticket)).status_code == 401
    assert client.options("/v1/ask", headers={"Origin": PORTAL}).status_code == 400


def test_a_quota_is_counted(client: Client, service: ScriptedService) -> None:
    """Questions count, reading sources does not; the problem says what to do."""
    ticket = get_ticket(client, portal_key(service), questions=2)
    statuses = [client.post("/v1/ask", json=QUESTION, headers=page(ticket)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert client.get("/v1/versions/law/text", headers=page(ticket)).status_code == 200


def test_an_origin_has_a_daily_budget(service: ScriptedService) -> None:
    """Over all of its tickets, so that a page that asks for new ones gets no further; no header makes it another's."""
    service.settings = service.settings.model_copy(update={"origin_questions_per_day": 3})
    with TestClient(create_app(service, service.settings), base_url=LOCAL) as client:
        key = portal_key(service, origins=(PORTAL, "https://other.example"))
        statuses = []
        for n in range(4):
            headers = {**page(get_ticket(client, key)), "X-Forwarded-For": f"10.0.0.{n}"}
            response = client.post("/v1/ask", json=QUESTION, headers=headers)
            statuses.append(response.status_code)
        assert statuses == [200, 200, 200, 429]
        assert 0 < int(response.headers["retry-after"]) <= 86_400
        other = get_ticket(client, key, origin="https://other.example")
        headers = page(other, "https://other.example")
        assert client.post("/v1/ask", json=QUESTION, headers=headers).status_code == 200


@pytest.mark.parametrize("extra", [{"model": "extractive"}, {"strategy": "extractive"}, {"images": ["x"]}])
def test_a_visitor_chooses_no_model(client: Client, service: ScriptedService, extra: dict[str, Any]) -> None:
    """What an answer costs is the operator's to say."""
    ticket = get_ticket(client, portal_key(service))
    assert client.post("/v1/ask", json={**QUESTION, **extra}, headers=page(ticket)).status_code == 403
    assert service.asked == []


def test_a_ticket_that_was_not_given_out_is_none(client: Client, service: ScriptedService) -> None:
    """Signed with another secret, or with the right one but never stored: 401 as for any other text."""
    portal_key(service)
    forged = Ticket(
        ticket_id="t",
        key_id=service.keys.list()[0].key_id,
        origin=PORTAL,
        collections=(),
        questions=9,
        expires_at=2**40,
    )
    for secret in (make_secret(), service.tickets.secret(make_secret())):
        headers = page({"ticket": sign_ticket(forged, secret)})
        response = client.post("/v1/ask", json=QUESTION, headers=headers)
        assert response.status_code == 401
        assert headers["Authorization"][7:] not in response.text


def test_a_ticket_expires(client: Client, service: ScriptedService, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its seconds it opens nothing."""
    ticket = get_ticket(client, portal_key(service), seconds=10)
    later = time.time() + 11
    monkeypatch.setattr("ragsvc.api.ticket_access.time.time", lambda: later)
    assert client.post("/v1/ask", json=QUESTION, headers=page(ticket)).status_code == 401


@pytest.mark.parametrize("what", ["ticket", "key"])
def test_revoked(client: Client, service: ScriptedService, what: str) -> None:
    """From the next request on; the key that it was exchanged for ends it as well."""
    ticket = get_ticket(client, portal_key(service))
    revoke(service, ticket, what)
    assert client.post("/v1/ask", json=QUESTION, headers=page(ticket)).status_code == 401


def test_one_tenant_cannot_revoke_another_s_ticket(client: Client, service: ScriptedService) -> None:
    """It looks as if it were not there."""
    ticket = get_ticket(client, portal_key(service))
    other = portal_key(service)
    hidden, absent = (
        client.delete(f"/v1/embed-tickets/{name}", headers=other) for name in (ticket["ticket_id"], "nowhere")
    )
    assert hidden.status_code == absent.status_code == 404
    assert hidden.text == absent.text.replace("nowhere", ticket["ticket_id"])
    assert client.post("/v1/ask", json=QUESTION, headers=page(ticket)).status_code == 200


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Look twenty times a second whether a reader may go on."""
    monkeypatch.setattr(revocation, "RECHECK_S", 0.05)
    yield


def revoke(service: ScriptedService, ticket: dict[str, Any], what: str) -> None:
    key_id = next(k.key_id for k in service.keys.list() if k.name == "portal")
    if what == "key":
        service.keys.revoke(key_id)
    else:
        service.tickets.revoke(ticket["ticket_id"], key_id)


@pytest.mark.parametrize("what", ["ticket", "key"])
@pytest.mark.parametrize("stream", [True, False])
def test_revocation_reaches_an_answer_in_flight(
    client: Client, service: ScriptedService, quick: None, what: str, stream: bool
) -> None:
    """A stream ends with an error event and its model is told to stop; an answer that is not out yet stays in."""
    key = portal_key(service)
    ticket = get_ticket(client, key)
    service.pause_s = 30 if stream else 0.2
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(client.post, "/v1/ask", json={**QUESTION, "stream": stream}, headers=page(ticket))
        while not service.asked:
            time.sleep(0.02)
        revoke(service, ticket, what)
        response = asking.result(timeout=10)
    assert service.n_closed == 1
    if stream:
        last = response.text.strip().split("\n\n")[-1]
        assert last.startswith("event: error")
        assert '"status":401' in last
        assert "event: done" not in response.text
    else:
        assert response.status_code == 401
        assert "应当承担" not in response.text


def test_revocation_reaches_openai_s_interface(client: Client, service: ScriptedService, quick: None) -> None:
    """A stream of chunks ends there, too, without the chunk that says it is complete."""
    service.pause_s = 30
    body = {"model": "law", "messages": [{"role": "user", "content": "违约"}], "stream": True}
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(client.post, "/v1/chat/completions", json=body, headers=portal_key(service))
        while not service.asked:
            time.sleep(0.02)
        service.keys.revoke(service.keys.list()[0].key_id)
        response = asking.result(timeout=10)
    assert '"status":401' in response.text
    assert "[DONE]" not in response.text


def test_a_stream_of_a_key_in_good_standing_is_not_cut(client: Client, service: ScriptedService, quick: None) -> None:
    """However often it is looked at."""
    service.pause_s = 0.1
    response = client.post("/v1/ask", json={**QUESTION, "stream": True}, headers=portal_key(service))
    assert response.text.strip().split("\n\n")[-1].startswith("event: done")


def test_the_widget_may_be_loaded_from_any_page(client: Client, service: ScriptedService) -> None:
    """It is the same for everyone and holds no data; what a browser has, it need not load again."""
    portal_key(service)
    first = client.get("/widget/ragsvc.js", headers={"Origin": EVIL})
    assert first.status_code == 200
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in first.headers
    again = client.get("/widget/ragsvc.js", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
