"""Real servers over a small home, and one real Chromium for all tests of the page."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ragsvc import open_service
from ragsvc.settings import Settings
from tests.conftest import REPOSITORY
from tests.servers.openai_chat import OpenAIChatServer

CHROMIUM = shutil.which("chromium")
START_S = 60.0

HOSTILE = """\
# 𠮷田町标牌管理办法

2020年1月1日 𠮷田町人民代表大会通过

第一条 为了规范𠮷祥寺一带<img src=x onerror="window.pwned=1">的标牌，𠮷野家等商户适用本办法。

第二条 𠮷祥寺标牌<script>window.pwned=1</script>和[点此](javascript:alert(1))（附注[1]），**不得**\u202e反向\u202c书写。

第三条 标牌由𠮷田町保管。
"""
"""No article says from when it holds, every offset differs between code points and UTF-16, and markup abounds."""

OpenPage = Callable[..., Page]

# A busy machine answers late, and the first question waits for the encoder; what never comes still fails.
expect.set_options(timeout=20_000)


class Served:
    """A running ``ragsvc serve``."""

    def __init__(self, home: Path, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RAGSVC_")}
        environment |= {f"RAGSVC_{name.upper()}": value for name, value in settings.items()}
        command = [sys.executable, "-m", "ragsvc", "--home", str(home), "serve", "--port", str(port)]
        self.log = home.with_name(f"{home.name}-{port}.log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def wait(self) -> Served:
        """Wait until it answers."""
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/health/live", timeout=5):
                    return self
            except URLError:
                time.sleep(0.1)
        raise AssertionError(f"the server did not start:\n{self.log.read_text(encoding='utf-8')}")

    def stop(self) -> None:
        """End it, at once."""
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def home(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample statutes, and a text that means harm; not made where no browser could look at it."""
    folder = tmp_path_factory.mktemp("page")
    hostile = folder / "hostile.md"
    hostile.write_text(HOSTILE, encoding="utf-8")
    service = open_service(Settings(home=folder / "home"))
    service.ingest([REPOSITORY / "corpora" / "law"], "law", domain="law")
    service.ingest([hostile], "signs", domain="law")
    service.close()
    return folder / "home"


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAIChatServer]:
    """A chat model that says what a test tells it to."""
    with OpenAIChatServer() as server:
        yield server


@pytest.fixture(scope="module")
def guarded_home(home: Path) -> tuple[Path, str]:
    """A copy of the home that has a key, and the key: it may read one collection."""
    copy = home.with_name("guarded")
    shutil.copytree(home, copy)
    service = open_service(Settings(home=copy))
    secret, _ = service.access.create_key("reader", ("ask",), ("signs",))
    service.close()
    return copy, secret


@pytest.fixture(scope="module")
def servers(home: Path, guarded_home: tuple[Path, str], model: OpenAIChatServer) -> Iterator[dict[str, Served]]:
    """Started together, since a start takes seconds: as shipped, with a chat model, with a key, and one to kill."""
    chat = {"model": "openai:test-model", "model_base_url": model.base_url, "model_api_key": model.api_key}
    started = {
        "extractive": Served(home),
        "chat": Served(home, **chat),
        "guarded": Served(guarded_home[0]),
        "doomed": Served(home, **chat),
    }
    try:
        yield {name: server.wait() for name, server in started.items()}
    finally:
        for server in started.values():
            server.stop()


@pytest.fixture(scope="module")
def address(servers: dict[str, Served]) -> str:
    """Where the service as shipped answers."""
    return servers["extractive"].address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium; gone with this module, since Playwright's event loop would stand in the way of other tests."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: 'make apt' installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open a page of a service; afterwards nothing foreign was asked for and no script complained."""
    complaints: list[str] = []
    contexts = []

    def open_one(address: str, path: str = "/", *, locale: str = "zh-CN", width: int = 1280, height: int = 860) -> Page:
        context = browser.new_context(locale=locale, viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        # The browser itself notes every refused or broken request: tests provoke those.
        page.on(
            "console", lambda note: None if note.text.startswith("Failed to load") else complaints.append(note.text)
        )
        page.on("request", lambda request: None if request.url.startswith(address) else complaints.append(request.url))
        page.goto(address + path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []
