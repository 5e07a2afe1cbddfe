"""Every way out to the network is known, and whatever address a caller or a document gives passes the one guard."""

from __future__ import annotations

import ast
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pypandoc
import pytest
from docx import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from litestar.testing import TestClient

from ragsvc.api.app import create_app
from ragsvc.errors import UnreadableFile
from ragsvc.loading import ParserProcess, fetch, load_file
from tests.api.scripted_service import ScriptedService
from tests.architecture.readme import PACKAGE, ROOT, commands

GUARDED = {"ragsvc/loading/fetch.py"}
"""Asks addresses that somebody else chose: through ``security.urls``, at every hop."""
CONFIGURED = {
    "ragsvc/embedding/remote.py",
    "ragsvc/generation/anthropic.py",
    "ragsvc/generation/baidu_token.py",
    "ragsvc/generation/gemini.py",
    "ragsvc/generation/mistral.py",
    "ragsvc/generation/ollama.py",
    "ragsvc/generation/openai_compatible.py",
    "ragsvc/langchain_retriever.py",
}
"""Ask the one service that the operator (or the program that embeds ragsvc) configured, which may well be inside."""
CLIENTS = re.compile(r"(Async)?(Client|HTTPTransport|Http\w*Client)|Default\w*HttpxClient")
VERBS = {"get", "post", "put", "patch", "delete", "head", "options", "request", "stream"}
OTHER_WAYS = {
    "requests", "urllib3", "aiohttp", "websockets", "pycurl", "ftplib", "smtplib", "telnetlib", "paramiko", "socket",
    "urllib.request", "http.client", "xmlrpc.client", "asyncio.streams",
}  # fmt: skip
OPENS = {"open_connection", "create_connection", "connect_tcp", "urlopen", "urlretrieve"}

ADDRESS_LIKE = re.compile(r"ur[il]s?$|link|href|address|webhook|callback|image|feed|proxy|picture|endpoint", re.I)
FIELDS = {
    ("/v1/ask", "images"),
    ("/v1/chat/completions", "image_url"),
    ("/v1/chat/completions", "url"),
}
"""Of all request bodies, forms and parameters: what an address may come in."""
HOSTILE = [
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "http://127.1/a.png",
    "https://2130706433/a.png",
    "https://0x7f.1/a.png",
    "https://0177.0.0.1/a.png",
    "https://[::ffff:169.254.169.254]/latest/meta-data",
    "https://[fe80::1%25eth0]/a.png",
    "https://listed.example@127.0.0.1/a.png",
    "https://①②⑦.⓪.⓪.①/a.png",
    "https://localhost/a.png",
    "https://listed.example/a.png",  # which has a private address
]


def ways_out(path: Path) -> Iterator[str]:
    """Yield what in a module opens connections."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner, name = ast.unparse(node.func.value), node.func.attr
            if CLIENTS.fullmatch(name) or name in OPENS or (owner == "httpx" and name in VERBS):
                yield f"{owner}.{name}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and CLIENTS.fullmatch(node.func.id):
            yield node.func.id
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in OTHER_WAYS)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ([node.module] if node.module in OTHER_WAYS else [])
            if node.module == "httpx":
                yield from (alias.name for alias in node.names if CLIENTS.fullmatch(alias.name) or alias.name in VERBS)


def test_every_way_out_is_known() -> None:
    """Connections are opened by the guarded client, and by those for the services that the operator configured."""
    found = {
        path.relative_to(ROOT).as_posix(): sorted(set(ways))
        for path in sorted(PACKAGE.rglob("*.py"))
        if (ways := list(ways_out(path)))
    }
    assert set(found) == GUARDED | CONFIGURED, found


def test_the_guarded_client_cannot_go_round_the_guard() -> None:
    """One place makes requests, and what it connects to is what ``check_addresses`` returned."""
    source = (ROOT / "ragsvc/loading/fetch.py").read_text("utf-8")
    assert [way for way in ways_out(ROOT / "ragsvc/loading/fetch.py") if way != "socket"] == ["httpx.AsyncClient"]
    assert source.count(".send(") == source.count("build_request(") == source.count("check_addresses(") == 1
    assert "follow_redirects=False" in source
    assert "trust_env=False" in source


@pytest.fixture
def service(tmp_path: Path) -> ScriptedService:
    return ScriptedService(tmp_path, image_hosts=("listed.example", "localhost", "127.0.0.1"))


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that something tried to ask; every name has a private address."""
    asked: list[str] = []

    async def refuse(self: object, request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        raise httpx.ConnectError("refused")

    async def private(host: str, port: int) -> list[str]:
        return ["10.0.0.7"]

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", refuse)
    monkeypatch.setattr(fetch, "_look_up", private)
    return asked


def fields_of(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (path, name) of every property in a request body, at any depth, and of every parameter."""

    def walk(schema: dict[str, Any], seen: frozenset[str]) -> Iterator[str]:
        if name := schema.get("$ref", "").rpartition("/")[2]:
            if name not in seen:
                yield from walk(spec["components"]["schemas"][name], seen | {name})
            return
        for key in ("oneOf", "anyOf", "allOf"):
            for inner in schema.get(key, []):
                yield from walk(inner, seen)
        if isinstance(schema.get("items"), dict):
            yield from walk(schema["items"], seen)
        for name, inner in schema.get("properties", {}).items():
            yield name
            yield from walk(inner, seen)

    for path, operations in spec["paths"].items():
        for operation in operations.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                yield from ((path, name) for name in walk(content["schema"], frozenset()))
            yield from ((path, parameter["name"]) for parameter in operation.get("parameters", []))


def test_fields_for_addresses_are_known(service: ScriptedService) -> None:
    """Whoever adds a field that takes an address finds this test, and the guard."""
    with TestClient(create_app(service, service.settings)) as client:
        found = set(fields_of(client.get("/schema/openapi.json").json()))
    assert len(found) > 30
    assert {(path, name) for path, name in found if ADDRESS_LIKE.search(name)} == FIELDS


@pytest.mark.parametrize("url", HOSTILE)
def test_every_field_for_addresses_is_guarded(service: ScriptedService, connections: list[str], url: str) -> None:
    """400 for all that is hostile, by every route, and no connection is tried."""
    parts = [{"type": "text", "text": "片子上有什么？"}, {"type": "image_url", "image_url": {"url": url}}]
    bodies = {
        "/v1/ask": {"question": "片子上有什么？", "images": [url]},
        "/v1/chat/completions": {"model": "law", "messages": [{"role": "user", "content": parts}]},
    }
    assert set(bodies) == {path for path, _ in FIELDS}
    with TestClient(create_app(service, service.settings), base_url="http://127.0.0.1") as client:
        for path, body in bodies.items():
            assert client.post(path, json=body).status_code == 400, path
            named = client.post("/v1/ask", json={"question": "押金", "model": f"openai:{url}"})
            assert named.status_code in (400, 404)
    assert connections == []
    assert service.asked == []


def test_verbs_for_addresses_are_known() -> None:
    """Of the command line, only ``ingest`` takes addresses of documents; ``corpora pull`` those of its recipes."""
    found = {
        words
        for words, command in commands()
        for parameter in command.params
        if re.search(r"\baddresses\b|\bURLs?\b", getattr(parameter, "help", None) or "")
    }
    assert found - {"ragsvc models show", "ragsvc models check"} == {"ragsvc ingest"}  # models: the operator's own


class Trap(BaseHTTPRequestHandler):
    """Notes who comes."""

    def do_GET(self) -> None:
        self.server.visits.append(self.path)  # type: ignore[attr-defined]
        self.send_error(404)

    do_HEAD = do_POST = do_OPTIONS = do_PROPFIND = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""


@pytest.fixture
def trap() -> Iterator[ThreadingHTTPServer]:
    """A server on this machine that nobody should visit."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Trap)
    server.visits = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


ODF = "application/vnd.oasis.opendocument."
NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"))
)


def open_document(kind: str, body: str) -> bytes:
    """An OpenDocument file with this body."""
    content = f'<office:document-content {NAMESPACES} xmlns:xlink="http://www.w3.org/1999/xlink" office:version="1.2">'
    manifest = f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{ODF}{kind}"/>' + (
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("mimetype", f"{ODF}{kind}")
        archive.writestr("content.xml", f"{content}<office:body>{body}</office:body></office:document-content>")
        name = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
        listed = f'<manifest:manifest xmlns:manifest="{name}">{manifest}</manifest:manifest>'
        archive.writestr("META-INF/manifest.xml", listed)
    return packed.getvalue()


def open_text(image: str, folder: Path) -> bytes:
    """An OpenDocument text as pandoc writes it, with this frame in its paragraph."""
    written = folder / "written.odt"
    pypandoc.convert_text("Some text.", "odt", format="markdown", outputfile=written)
    packed = io.BytesIO()
    with zipfile.ZipFile(written) as plain, zipfile.ZipFile(packed, "w") as archive:
        for member in plain.infolist():
            content = plain.read(member)
            if member.filename == "content.xml":
                content = content.replace(b"</text:p>", image.encode() + b"</text:p>", 1)
                assert image.encode() in content
            archive.writestr(member, content)
    return packed.getvalue()


def word(url: str) -> bytes:
    """A Word file whose picture and template lie at an address."""
    document = Document()
    document.add_paragraph("Some text.")
    for kind in (RELATIONSHIP_TYPE.IMAGE, RELATIONSHIP_TYPE.IMAGE.replace("image", "attachedTemplate")):
        document.part.relate_to(url, kind, is_external=True)
    packed = io.BytesIO()
    document.save(packed)
    return packed.getvalue()


def documents_with(url: str, folder: Path) -> dict[str, bytes]:
    """Files in which formats may point to something elsewhere, all with text to read."""
    image = f'<draw:frame draw:name="a"><draw:image xlink:href="{url}" xlink:type="simple"/></draw:frame>'
    page = (
        f'<html><head><link rel="stylesheet" href="{url}"><meta http-equiv="refresh" content="0;url={url}"></head>'
        f'<body><p>Some text.</p><img src="{url}"><iframe src="{url}"></iframe><script src="{url}"></script>'
        "</body></html>"
    )
    xml = (
        f'<?xml version="1.0"?><!DOCTYPE a SYSTEM "{url}"><a xmlns:xi="http://www.w3.org/2001/XInclude" '
        f'xsi:schemaLocation="a {url}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<p>Some text.</p><xi:include href="{url}"/></a>'
    )
    return {
        "a.html": page.encode(),
        "a.md": f"# Some text\n\n![a]({url})\n".encode(),
        "a.xml": xml.encode(),
        "a.docx": word(url),
        "a.odt": open_text(image, folder),
        "a.ods": open_document(
            "spreadsheet",
            '<office:spreadsheet><table:table table:name="t"><table:table-row>'
            f"<table:table-cell><text:p>Some text.</text:p>{image}</table:table-cell></table:table-row></table:table>"
            "</office:spreadsheet>",
        ),
        "a.rtf": rb'{\rtf1 Some text.{\field{\*\fldinst INCLUDEPICTURE "' + url.encode() + rb'" \\d}}}',
        "a.eml": b"From: a@example.org\nTo: b@example.org\nSubject: x\nContent-Type: text/html\n\n" + page.encode(),
    }


def test_a_document_sends_nobody_anywhere(trap: ThreadingHTTPServer, tmp_path: Path) -> None:
    """Pictures, styles, templates, entities and frames at addresses are not fetched by any loader."""
    read = []
    with ParserProcess() as parser:
        for name, content in documents_with(f"http://127.0.0.1:{trap.server_port}/x.png", tmp_path).items():
            path = tmp_path / name
            path.write_bytes(content)
            try:
                read += [name] if "Some text" in load_file(path, parser=parser).text else []
            except UnreadableFile as error:
                assert "LibreOffice" in error.reason, error
    assert set(read) >= {"a.html", "a.md", "a.xml", "a.docx", "a.odt", "a.rtf", "a.eml"}
    assert trap.visits == []  # type: ignore[attr-defined]
