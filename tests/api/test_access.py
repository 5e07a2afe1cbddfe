"""Keys, scopes, collections, and foreign pages: who may see what, on every route."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from ragsvc.api.app import create_app
from ragsvc.security.api_keys import make_key
from tests.api.conftest import LOCAL, new_key
from tests.api.scripted_service import ScriptedService

Client = TestClient[Litestar]
OPEN = {
    *("/health/live", "/", "/page/{file_path}", "/desk", "/desk/assets/{file_path}", "/widget/ragsvc.js"),
    *("/schema", "/schema/openapi.json", "/schema/page/{file_path}", "/schema/{path}"),
}
"""The sign of life, and what is the same in every installation: the page, the reference, and the widget."""


def all_routes(app: Litestar) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        assert isinstance(route, HTTPRoute)
        yield from ((method, route.path_format) for method in sorted(route.methods))


def test_once_there_is_a_key_every_route_needs_one(app: Litestar, client: Client, service: ScriptedService) -> None:
    """All methods of all routes but the open ones answer 401 as a problem, whatever else is in the request."""
    new_key(service, "ask")
    asked = [(m, path) for m, path in all_routes(app) if path not in OPEN]
    assert len(asked) > 25
    for method, path in asked:
        response = client.request(method, re.sub(r"{\w+}", "law", path))
        assert response.status_code == 401, (method, path)
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.headers["content-type"] == "application/problem+json"


def test_open_routes_show_no_data(app: Litestar, client: Client, service: ScriptedService) -> None:
    """They exist, need no key, and the list of them is complete."""
    new_key(service, "ask")
    assert {path for _, path in all_routes(app)} >= OPEN
    for path in ("/health/live", "/", "/schema", "/schema/openapi.json", "/schema/page/docs.js"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        {"Authorization": "Bearer rsk_" + "a" * 43},
        {"Authorization": "Bearer " + make_key()},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "rsk_x"},
        {"X-API-Key": "' OR 1=1 --"},
        {"Authorization": "Bearer"},
    ],
)
def test_a_wrong_key_is_no_key(client: Client, service: ScriptedService, header: dict[str, str]) -> None:
    """401, and the answer never repeats what was presented."""
    new_key(service, "ask")
    response = client.get("/v1/collections", headers=header)
    assert response.status_code == 401
    assert all(
        value.split()[-1] not in response.text for value in header.values() if "rsk_" in value and len(value) > 9
    )


def test_a_key_works_in_either_header_until_it_is_revoked(client: Client, service: ScriptedService) -> None:
    """From the next request on it is useless; the service does not fall open when no key is left."""
    bearer = new_key(service, "ask")
    other = {"x-api-key": bearer["Authorization"].removeprefix("Bearer ")}
    for header in (bearer, other):
        assert client.get("/v1/collections", headers=header).status_code == 200
    service.keys.revoke(service.keys.list()[0].key_id)
    for header in (bearer, other, {}):
        assert client.get("/v1/collections", headers=header).status_code == 401


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("ask", {"ask", "search", "lookup", "version", "documents", "collections", "models"}),
        ("ingest", {"documents", "collections", "upload", "delete", "job"}),
        (
            "admin",
            {
                *("ask", "search", "lookup", "version", "documents", "collections", "models"),
                *("upload", "delete", "job", "metrics"),
            },
        ),
    ],
)
def test_scopes(client: Client, service: ScriptedService, scope: str, allowed: set[str]) -> None:
    """A key for asking cannot delete, a key for ingesting cannot ask, and 403 says what is missing."""
    key = new_key(service, scope)
    job = service.jobs.submit("ingest", {"collection": "law"}, 1).job_id
    requests = {
        "ask": ("POST", "/v1/ask", {"json": {"question": "违约"}}),
        "search": ("POST", "/v1/search", {"json": {"question": "违约"}}),
        "lookup": ("GET", "/v1/lookup?citation=577", {}),
        "version": ("GET", "/v1/versions/law/text", {}),
        "documents": ("GET", "/v1/documents?collection=law", {}),
        "collections": ("GET", "/v1/collections", {}),
        "models": ("GET", "/v1/models", {}),
        "upload": ("POST", "/v1/documents", {"data": {"collection": "law"}, "files": {"file": ("a.md", b"x")}}),
        "job": ("GET", f"/v1/jobs/{job}", {}),
        "metrics": ("GET", "/metrics", {}),
        "delete": ("DELETE", "/v1/documents/law", {}),
    }
    for name, (method, path, body) in requests.items():
        response = client.request(method, path, headers=key, **body)  # type: ignore[arg-type]
        if name in allowed:
            assert response.status_code < 300, name
        else:
            assert response.status_code == 403, name
            assert "needed is" in response.json()["detail"]


def test_what_a_key_may_not_see_looks_as_if_it_were_not_there(client: Client, service: ScriptedService) -> None:
    """Status and body are the same for another's collection, document, version and job as for unknown ones."""
    key = new_key(service, "admin", collections=("law",))
    job = service.jobs.submit("ingest", {"collection": "secret"}, 1).job_id
    form = {"files": {"file": ("a.md", b"x")}}
    pairs = [
        ("POST", "/v1/ask", "secret", lambda name: {"json": {"question": "违约", "collection": name}}),
        ("POST", "/v1/ask", "secret", lambda name: {"json": {"question": "违约", "collections": ["law", name]}}),
        ("POST", "/v1/search", "secret", lambda name: {"json": {"question": "违约", "collection": name}}),
        ("GET", "/v1/lookup?citation=577&collection={}", "secret", lambda name: {}),
        ("GET", "/v1/versions/{}/text", "secret", lambda name: {}),
        ("GET", "/v1/versions/{}/text?end=999", "secret", lambda name: {}),
        ("GET", "/v1/documents?collection={}", "secret", lambda name: {}),
        ("POST", "/v1/documents", "secret", lambda name: {"data": {"collection": name}, **form}),
        ("GET", "/v1/documents/{}", "secret", lambda name: {}),
        ("DELETE", "/v1/documents/{}", "secret", lambda name: {}),
        ("GET", "/v1/documents/{}/versions", "secret", lambda name: {}),
        ("GET", "/v1/jobs/{}", job, lambda name: {}),
        ("DELETE", "/v1/jobs/{}", job, lambda name: {}),
        ("GET", "/v1/jobs/{}/events", job, lambda name: {}),
    ]
    for method, path, others, body in pairs:
        hidden, absent = (
            client.request(method, path.format(name), headers=key, **body(name)) for name in (others, "nowhere")
        )
        assert hidden.status_code == absent.status_code == 404, (method, path)
        assert hidden.text == absent.text.replace("nowhere", others), (method, path)
    assert service.asked == service.searched == service.deleted == service.uploaded == []
    assert service.jobs.get(job).status == "queued"


def test_without_naming_collections_a_key_looks_in_its_own(client: Client, service: ScriptedService) -> None:
    """None asked for means all that the key may read, never all there are."""
    limited, unlimited = new_key(service, "ask", collections=("law",)), new_key(service, "ask")
    client.post("/v1/ask", json={"question": "违约"}, headers=limited)
    client.post("/v1/ask", json={"question": "违约"}, headers=unlimited)
    assert [asked.collections for asked in service.asked] == [("law",), ()]
    names = [c["name"] for c in client.get("/v1/collections", headers=limited).json()["collections"]]
    assert names == ["law"]


def test_the_audit_says_whose_key_asked(client: Client, service: ScriptedService) -> None:
    """By the key's id; the key itself is in no file of the home."""
    key = new_key(service, "ask")
    client.post("/v1/ask", json={"question": "违约"}, headers=key)
    assert service.keys.list()[0].key_id in (service.settings.home / "audit.jsonl").read_text()
    secret = key["Authorization"].removeprefix("Bearer ").encode()
    assert all(secret not in path.read_bytes() for path in service.settings.home.rglob("*") if path.is_file())


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "[::2]"])
def test_without_keys_only_this_machine_s_names_are_answered(client: Client, host: str) -> None:
    """A page whose name was made to resolve to 127.0.0.1 (DNS rebinding) gets nothing."""
    assert client.get("/v1/collections", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000"])
def test_all_names_of_this_machine_are_answered(client: Client, host: str) -> None:
    """With or without a port."""
    assert client.get("/v1/collections", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9"])
def test_a_foreign_page_cannot_change_anything(client: Client, service: ScriptedService, origin: str) -> None:
    """A form can be posted across origins without asking; it is refused by its Origin."""
    response = client.post(
        "/v1/documents",
        data={"collection": "law"},
        files={"file": ("a.md", b"x")},
        headers={"origin": origin},
    )
    assert response.status_code == 403
    assert service.uploaded == []
    assert "access-control-allow-origin" not in response.headers


def test_the_own_page_and_allowed_pages_may(service: ScriptedService) -> None:
    """Same origin always; others when the operator names them, and then with CORS headers."""
    settings = service.settings.model_copy(update={"cors_origins": ("https://portal.example",)})
    service.settings = settings
    with TestClient(create_app(service, settings), base_url=LOCAL) as client:
        for origin in (LOCAL, "https://portal.example"):
            response = client.post("/v1/ask", json={"question": "违约"}, headers={"origin": origin})
            assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == "https://portal.example"
