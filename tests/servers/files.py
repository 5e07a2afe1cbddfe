"""Serves files on loopback as file servers do, ranges included, and as bad ones do: slow, cut short, lying, endless."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Exchange(BaseHTTPRequestHandler):
    """One request; what answers may use: ``headers``, ``answer``, ``wfile`` for raw bytes."""

    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        files: FileServer = self.server.files
        files.asked.append(self.path)
        files.seen[self.path].append({name.lower(): value for name, value in self.headers.items()})
        answers = files.scripts[self.path]
        respond = (answers.pop(0) if len(answers) > 1 else answers[0]) if answers else Exchange.missing
        try:
            respond(self)
        except ConnectionError:
            files.broken += 1
        self.close_connection = True

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Send a whole answer; underscores in names of headers stand for hyphens."""
        self.send_response(status)
        for name, value in {"content_length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def missing(self) -> None:
        """Answer 404."""
        self.answer(b"no such file", 404)

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""


Respond = Callable[[Exchange], None]


class FileServer:
    """Use it as a context manager; ``put`` files or ``script`` answers, one per request, the last one for ever."""

    def __init__(self) -> None:
        self.scripts: dict[str, list[Respond]] = defaultdict(list)
        self.asked: list[str] = []
        self.seen: dict[str, list[dict[str, str]]] = defaultdict(list)
        """Headers of each request, by path."""
        self.broken = 0
        """Answers that the client did not wait for."""

    def put(self, path: str, body: bytes, media_type: str = "", **headers: str) -> str:
        """Serve a file, its ranges too, and return its address."""
        self.scripts[path] = [ranged(body, media_type, **headers)]
        return self.url(path)

    def script(self, path: str, *answers: Respond) -> str:
        """Answer requests in this way and return the address."""
        self.scripts[path] = list(answers)
        return self.url(path)

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://{self.authority}{path}"

    @property
    def authority(self) -> str:
        """Host and port, as setting ``private_hosts`` takes them."""
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
        self._server.daemon_threads = True
        self._server.files = self  # type: ignore[attr-defined]  # where the exchange finds it
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


def ranged(body: bytes, media_type: str = "", **headers: str) -> Respond:
    """A file with an entity tag, of which ``Range: bytes=N-`` gives the rest as long as ``If-Range`` fits."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'

    def respond(exchange: Exchange) -> None:
        kept = {
            "etag": tag,
            "accept_ranges": "bytes",
            **({"content_type": media_type} if media_type else {}),
            **headers,
        }
        if exchange.headers.get("if-none-match") == tag:
            exchange.answer(b"", 304, **kept)
            return
        start = exchange.headers.get("range", "").removeprefix("bytes=").removesuffix("-")
        if not start or exchange.headers.get("if-range", tag) != tag:
            exchange.answer(body, **kept)
        elif int(start) >= len(body):
            exchange.answer(b"", 416, content_range=f"bytes */{len(body)}", **kept)
        else:
            span = f"bytes {start}-{len(body) - 1}/{len(body)}"
            exchange.answer(body[int(start) :], 206, content_range=span, **kept)

    return respond


def cut(body: bytes, after: int, **headers: str) -> Respond:
    """The head of a whole answer, and the connection closed after some bytes of its body."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'

    def respond(exchange: Exchange) -> None:
        exchange.send_response(200)
        for name, value in {"etag": tag, "accept-ranges": "bytes", "content-length": str(len(body)), **headers}.items():
            exchange.send_header(name, value)
        exchange.end_headers()
        exchange.wfile.write(body[:after])

    return respond


def status(code: int, **headers: str) -> Respond:
    """An answer that is only a status."""
    return lambda exchange: exchange.answer(b"", code, **headers)
