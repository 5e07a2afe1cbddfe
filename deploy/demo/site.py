"""A portal's server: a folder of pages, and the endpoint at which its pages get their tickets."""

from __future__ import annotations

import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
LANGUAGES = ("zh", "en")
# ragsvc is on this machine: no proxy that the environment names has a part in it.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Site(ThreadingHTTPServer):
    """Serves ``folder`` at ``origin``: ``/zh`` and ``/en``, the files beside them, and tickets at ``/ticket``.

    Args:
        folder: holds ``zh.html``, ``en.html`` and what they ask for; ``$service`` in a page is ragsvc's address.
        service: ragsvc's address, like ``https://ragsvc.example``.
        collections: what its pages may ask.
        port: on loopback; 0 = a free one.
    """

    daemon_threads = True

    def __init__(self, folder: Path, service: str, collections: list[str], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Visit)
        self.service, self.collections = service, collections
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.key = ""  # it is made for this origin, and never leaves this process
        self.files = {f"/{path.name}": path for path in folder.iterdir() if path.suffix in MEDIA_TYPES}
        self.policy = (
            f"default-src 'none'; script-src 'self' {service}; connect-src 'self' {service}; style-src 'self'; "
            "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            "require-trusted-types-for 'script'; trusted-types lit-html"
        )

    def start(self) -> None:
        """Answer from now on, in a thread of its own."""
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Visit(BaseHTTPRequestHandler):
    """One request of a visitor's browser."""

    server: Site

    def do_GET(self) -> None:
        """Answer with a page or a file beside it."""
        if f"http://{self.headers['Host']}" != self.server.origin:  # another name would be another origin
            return self.answer(301, Location=self.server.origin + self.path)
        path = self.path.partition("?")[0]
        if path == "/":
            wants_chinese = self.headers.get("Accept-Language", "zh").lower().startswith("zh")
            return self.answer(302, Location="/zh" if wants_chinese else "/en", Vary="Accept-Language")
        file = self.server.files.get(f"{path}.html" if path[1:] in LANGUAGES else path)
        if file is None:
            return self.answer(404)
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".html":
            text = Template(text).substitute(service=self.server.service)
        return self.answer(200, text.encode(), MEDIA_TYPES[file.suffix])

    def do_POST(self) -> None:
        """Exchange the key for a ticket, and pass that on as it is."""
        if self.path != "/ticket":
            return self.answer(404)
        request = urllib.request.Request(
            f"{self.server.service}/v1/embed-tickets",
            json.dumps({"origin": self.server.origin, "collections": self.server.collections}).encode(),
            {"Authorization": f"Bearer {self.server.key}", "Content-Type": "application/json"},
        )
        try:
            with OPENER.open(request, timeout=10) as ticket:
                return self.answer(200, ticket.read(), "application/json")
        except OSError:  # refused, or out of reach: the widget says that it cannot be used now
            return self.answer(503)

    def answer(self, status: int, body: bytes = b"", media_type: str = "text/plain", **headers: str) -> None:
        """Send a whole answer, under the policy that deploy/portal.md asks of a portal."""
        self.send_response(status)
        headers |= {"Content-Type": media_type, "Content-Length": str(len(body)), "Cache-Control": "no-store"}
        headers |= {"Content-Security-Policy": self.server.policy, "X-Content-Type-Options": "nosniff"}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Leave the terminal to the addresses."""
