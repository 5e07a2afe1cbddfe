"""A portal of somebody else: a page with the widget on an origin of its own, and the twenty lines that mint tickets."""

from __future__ import annotations

import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.error import HTTPError

import msgspec

PAGE = """<!doctype html>
<html lang="{lang}" class="{scheme}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Portal</title><link rel="stylesheet" href="/portal.css">
<script type="module" src="{service}/widget/ragsvc.js"></script></head>
<body><header><h1>{heading}</h1></header>
<main><rag-ask collections="{collections}" lang="{lang}" as-of="{as_of}" ticket-url="/ticket"></rag-ask></main>
<footer><a href="/">{heading}</a></footer></body></html>
"""
STYLE = """.dark { color-scheme: dark; }
body { margin: 0; font-family: sans-serif; }
main { max-width: 48rem; margin: 1rem auto; padding: 0 1rem; }
header, footer { padding: .5rem 1rem; }
h1 { font-size: 1.2rem; }
"""


class Portal:
    """Serves the page at ``/?lang=&as_of=&scheme=`` and tickets at ``/ticket``, under the documented policy.

    Args:
        service: address of the service.
        key: what the portal's server holds and its page never sees.
        collections: of the widget.
    """

    def __init__(self, service: str, key: str, collections: str = "law") -> None:
        self.service, self.key, self.collections = service, key, collections
        self.n_tickets = 0
        self.questions = 20
        portal = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                portal.serve(self)

            def do_POST(self) -> None:
                portal.mint(self)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        """Answer with the page or its style sheet."""
        query = dict(pair.split("=", 1) for pair in request.path.partition("?")[2].split("&") if pair)
        if request.path == "/portal.css":
            return self._answer(request, 200, "text/css", STYLE)
        lang = query.get("lang", "zh")
        page = PAGE.format(
            lang=lang,
            service=self.service,
            collections=self.collections,
            as_of=query.get("as_of", "today"),
            scheme=query.get("scheme", "light"),
            heading="法律援助" if lang == "zh" else "Legal aid",
        )
        return self._answer(request, 200, "text/html; charset=utf-8", page)

    def mint(self, request: BaseHTTPRequestHandler) -> None:
        """Exchange the key for a ticket, and pass it on as it is."""
        body = {"origin": self.origin, "collections": self.collections.split(), "questions": self.questions}
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        call = urllib.request.Request(f"{self.service}/v1/embed-tickets", msgspec.json.encode(body), headers)
        try:
            with urllib.request.urlopen(call, timeout=10) as answer:
                self.n_tickets += 1
                self._answer(request, 200, "application/json", answer.read().decode())
        except HTTPError:
            self._answer(request, 503, "application/json", "{}")

    def _answer(self, request: BaseHTTPRequestHandler, status: int, media_type: str, text: str) -> None:
        request.send_response(status)
        request.send_header("Content-Type", media_type)
        request.send_header("Cache-Control", "no-store")
        request.send_header(
            "Content-Security-Policy",
            f"default-src 'none'; script-src {self.service}; connect-src 'self' {self.service}; style-src 'self'; "
            "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            "require-trusted-types-for 'script'; trusted-types lit-html",
        )
        request.end_headers()
        request.wfile.write(text.encode())

    def __enter__(self) -> Portal:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
