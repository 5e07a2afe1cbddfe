"""What deploy/portal.md gives to copy does what it says: each program runs against a real service, and mints tickets.

Java and PHP run where they are installed; Spring and WordPress, which need their frameworks, are parsed there.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from ragsvc.wiring import open_service
from tests.api.serving import make_home, serving
from tests.conftest import REPOSITORY

TEXT = (REPOSITORY / "deploy" / "portal.md").read_text(encoding="utf-8")
ORIGIN = "https://portal.example"
PATH = "/ragsvc-ticket"
DJANGO = """
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="only here", ROOT_URLCONF="urls", ALLOWED_HOSTS=["127.0.0.1"],
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
)
django.setup()
from wsgiref.simple_server import make_server
from django.core.wsgi import get_wsgi_application
make_server("127.0.0.1", 8080, get_wsgi_application()).serve_forever()
"""
URLS = """
from django.urls import path
import views
urlpatterns = [path("ragsvc-ticket", views.ticket)]
"""
PARSE = """
import com.sun.source.util.JavacTask;
import java.nio.file.Path;
import java.util.List;
import javax.tools.*;

class Parse {
  public static void main(String[] names) throws Exception {
    var compiler = ToolProvider.getSystemJavaCompiler();
    var found = new DiagnosticCollector<JavaFileObject>();
    var files = compiler.getStandardFileManager(found, null, null).getJavaFileObjects(Path.of(names[0]));
    ((JavacTask) compiler.getTask(null, null, found, List.of(), null, files)).parse().forEach(unit -> {});
    found.getDiagnostics().forEach(System.out::println);
    System.exit(found.getDiagnostics().isEmpty() ? 0 : 1);
  }
}
"""


class Portal(NamedTuple):
    """A running service, the key of a portal, and where to revoke it."""

    client: httpx.Client
    key: str
    key_id: str
    home: Path

    @property
    def service(self) -> str:
        return str(self.client.base_url).rstrip("/")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A service over one law, with a key that lists the origin that the snippets name."""
    home = make_home(tmp_path_factory.mktemp("snippets"))
    service = open_service(home)
    secret, key = service.access.create_key("portal", ["ask"], ["law"], origins=[ORIGIN])
    service.close()
    with serving(home) as (_, client):
        yield Portal(client, secret, key.key_id, home)


def snippet(heading: str) -> str:
    """Return the program under a heading of the page."""
    found = re.search(rf"^### {heading}\n\n```\w+\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, f"deploy/portal.md has no program under {heading!r}"
    return found[1]


@contextmanager
def running(folder: Path, portal: Portal, files: dict[str, str], *command: str, key: str) -> Iterator[str]:
    """Run a program of the page with its three constants filled in; give the address of its endpoint."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    for name, text in files.items():
        filled = text.replace("https://ragsvc.example", portal.service).replace("8080", port)
        (folder / name).write_text(filled, encoding="utf-8")
    ready = [part.replace("8080", port) for part in command]
    process = subprocess.Popen(ready, cwd=folder, env={**os.environ, "RAGSVC_KEY": key}, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", int(port)), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        assert process.poll() is None, f"{command} ended with {process.returncode}"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def check_mints(
    folder: Path, portal: Portal, files: dict[str, str], *command: str, path: str = "/ragsvc-ticket"
) -> None:
    """It gives a ticket that opens this origin alone, hides its key, answers only POST, and 503 without a good key."""
    with running(folder, portal, files, *command, key=portal.key) as address:
        answer = httpx.post(address + path, timeout=30, trust_env=False)
        assert answer.status_code == 200
        assert answer.headers["cache-control"].find("no-store") >= 0
        assert answer.headers["content-type"].startswith("application/json")
        assert "access-control-allow-origin" not in answer.headers
        assert portal.key not in answer.text
        ticket = answer.json()["ticket"]
        assert httpx.get(address + path, timeout=30, trust_env=False).status_code in (404, 405)
    asked = {"question": "押金什么时候退还？", "collections": ["law"]}
    for origin, status in ((ORIGIN, 200), ("https://evil.example", 403)):
        headers = {"Authorization": f"Bearer {ticket}", "Origin": origin}
        assert portal.client.post("/v1/ask", json=asked, headers=headers).status_code == status
    with running(folder, portal, files, *command, key="rsk_nothing") as address:
        assert httpx.post(address + path, timeout=30, trust_env=False).status_code == 503


def test_python(portal: Portal, tmp_path: Path) -> None:
    """The standard library's program mints tickets."""
    check_mints(tmp_path, portal, {"ticket.py": snippet("Python")}, sys.executable, "ticket.py")


def test_node(portal: Portal, tmp_path: Path) -> None:
    """Node's program mints tickets."""
    check_mints(tmp_path, portal, {"ticket.mjs": snippet("Node")}, installed("node"), "ticket.mjs")


def test_java(portal: Portal, tmp_path: Path) -> None:
    """The JDK's program mints tickets, from its source file."""
    installed("javac")
    check_mints(tmp_path, portal, {"Ticket.java": snippet("Java")}, installed("java"), "Ticket.java")


def test_php(portal: Portal, tmp_path: Path) -> None:
    """PHP's program mints tickets, in its built-in server."""
    command = (installed("php"), "-d", "variables_order=EGPCS", "-S", "127.0.0.1:8080")
    files = {"ragsvc-ticket.php": snippet("PHP")}
    check_mints(tmp_path, portal, files, *command, path="/ragsvc-ticket.php")


def test_django(portal: Portal, tmp_path: Path) -> None:
    """The view mints tickets under Django's check of CSRF tokens."""
    pytest.importorskip("django", reason="Django is not installed: 'pip install django'")
    files = {"views.py": snippet("Django"), "urls.py": URLS, "run.py": DJANGO}
    check_mints(tmp_path, portal, files, sys.executable, "run.py")


def test_spring_parses(tmp_path: Path) -> None:
    """The controller is Java; whether Spring knows its names is not looked at here."""
    installed("javac")
    (tmp_path / "Parse.java").write_text(PARSE, encoding="utf-8")
    (tmp_path / "TicketController.java").write_text(snippet("Spring"), encoding="utf-8")
    command = [installed("java"), "Parse.java", "TicketController.java"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("heading", ["PHP", "WordPress"])
def test_php_parses(tmp_path: Path, heading: str) -> None:
    """Both files are PHP."""
    (tmp_path / "one.php").write_text(snippet(heading), encoding="utf-8")
    done = subprocess.run(
        [installed("php"), "-l", "one.php"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_way_to_embed_uses_the_same_element() -> None:
    """The lines of HTML that the page gives are the ones that it explains."""
    script, element = re.search(r"```html\n(<script.*)\n(<rag-ask.*)\n```", TEXT).groups()  # type: ignore[union-attr]
    assert script in snippet("Plain HTML")
    assert element in snippet("Plain HTML")
    assert all("/v1/embed-tickets" in snippet(name) and ORIGIN in snippet(name) for name in PROGRAMS)


PROGRAMS = ("Python", "Node", "Java", "PHP", "Django", "Spring", "WordPress")


def installed(name: str) -> str:
    """Return where a program is, or skip."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found
