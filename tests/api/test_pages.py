"""The page and the reference: static, complete, and loading nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from ragsvc.api import openapi
from ragsvc.api.routes import pages

Client = TestClient[Litestar]


@pytest.mark.parametrize("folder", [openapi.PAGE, pages.FOLDER, pages.DESK], ids=["reference", "page", "desk"])
def test_nothing_foreign_is_loaded_and_nothing_is_inline(folder: Path) -> None:
    """What the content security policy forbids is not there: other origins, inline scripts, styles and handlers."""
    files = [path for path in folder.rglob("*") if path.suffix in (".html", ".css", ".js", ".svg")]
    assert len(files) >= 3
    for path in files:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/", "")
        assert not re.search(r"(?:src|href|url\(|import|@import|fetch\()\s*=?\s*[\"'(]?\s*(?:https?:)?//", text), path
        assert "innerHTML" not in text, path
        if path.suffix == ".html":
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text), path


def test_the_front_page_and_its_assets_are_there(client: Client) -> None:
    """Everything that the page names is served with its media type."""
    html = client.get("/")
    assert html.headers["content-type"] == "text/html; charset=utf-8"
    desk = client.get("/desk")
    assert desk.headers["content-type"] == "text/html; charset=utf-8"
    names = re.findall(r"(?:src|href)=\"(/(?:page|desk/assets)/[^\"]+)\"", html.text + desk.text)
    assert len(names) > 4
    for name in names:
        assert client.get(name).status_code == 200


def test_the_reference_and_its_assets_are_there(client: Client) -> None:
    """Also with a slash behind the address."""
    for address in ("/schema", "/schema/"):
        html = client.get(address)
        assert html.headers["content-type"] == "text/html; charset=utf-8"
    types = {name: client.get(name).headers["content-type"] for name in re.findall(r"/schema/page/[\w.]+", html.text)}
    assert types == {
        "/schema/page/docs.css": "text/css; charset=utf-8",
        "/schema/page/docs.js": "text/javascript; charset=utf-8",
    }


def test_the_document_names_every_contract(client: Client) -> None:
    """Addresses are fixed: other programs rely on them."""
    paths = client.get("/schema/openapi.json").json()["paths"]
    found = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert found == {
        "POST /v1/ask",
        "POST /v1/search",
        "GET /v1/lookup",
        "POST /v1/verify",
        "GET /v1/versions/{version_id}/text",
        "POST /v1/documents",
        "GET /v1/documents",
        "GET /v1/documents/{document_id}",
        "DELETE /v1/documents/{document_id}",
        "GET /v1/documents/{document_id}/versions",
        "GET /v1/documents/{document_id}/diff",
        "GET /v1/jobs",
        "GET /v1/jobs/{job_id}",
        "DELETE /v1/jobs/{job_id}",
        "GET /v1/jobs/{job_id}/events",
        "GET /v1/collections",
        "GET /v1/models",
        "POST /v1/chat/completions",
        "POST /v1/conversations",
        "GET /v1/conversations",
        "GET /v1/conversations/{conversation_id}",
        "DELETE /v1/conversations/{conversation_id}",
        "GET /v1/assistants",
        "PUT /v1/assistants/{assistant_id}",
        "DELETE /v1/assistants/{assistant_id}",
        "POST /v1/feedback",
        "GET /v1/feedback",
        "GET /v1/declined",
        "POST /v1/embed-tickets",
        "DELETE /v1/embed-tickets/{ticket_id}",
        "GET /v1/keys",
        "POST /v1/keys",
        "DELETE /v1/keys/{key_id}",
        "POST /v1/keys/{key_id}/rotate",
        "PUT /v1/keys/{key_id}/origins",
        "GET /v1/index",
        "POST /v1/index/rollback",
        "POST /v1/index/verify",
        "GET /health/live",
        "GET /health/ready",
        "GET /metrics",
    }


def test_every_operation_documents_its_problems(client: Client) -> None:
    """As problem+json, of one schema, and every reference in the document leads somewhere."""
    response = client.get("/schema/openapi.json")
    document = response.json()
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["description"]
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"]
                    schema = answer["content"]["application/problem+json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Problem"}
    named = set(re.findall(r"#/components/schemas/(\w+)", response.text))
    assert named <= set(document["components"]["schemas"])
    assert document["components"]["schemas"]["AskRequest"]["additionalProperties"] is False
