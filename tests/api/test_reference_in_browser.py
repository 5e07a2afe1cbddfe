"""The reference at ``/schema`` in a real browser, under its own content security policy."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import Page, sync_playwright

from ragsvc.api.app import create_app
from tests.api.scripted_service import ScriptedService

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served application over the scripted service."""
    service = ScriptedService(tmp_path_factory.mktemp("home"))
    config = uvicorn.Config(create_app(service, service.settings), port=0, log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: 'make apt' installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_every_operation_is_shown_and_can_be_tried(address: str, page: Page, tmp_path: Path) -> None:
    """Nothing is loaded from elsewhere, nothing is blocked, and an answer streams into the page."""
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{address}/schema")
    documented = httpx.get(f"{address}/schema/openapi.json").json()["paths"].values()
    count = sum(len(operations) for operations in documented)
    page.locator("#state", has_text=f"{count} operations").wait_for()
    assert page.locator("details.operation").count() == count >= 17

    page.locator("summary", has_text="/v1/ask").click()
    form = page.locator("details[open] form")
    form.locator("textarea").fill('{"question": "违约怎么办", "stream": true}')
    form.locator("button").click()
    page.locator("details[open] pre", has_text="event: done").wait_for()

    page.locator("summary", has_text="/v1/lookup").click()
    lookup = page.locator("details[open]", has_text="/v1/lookup")
    lookup.locator("input[name=citation]").fill("民法典577条")
    lookup.locator("button").click()
    lookup.locator("pre", has_text="第五百七十七条").wait_for()

    assert complaints == []
    assert all(url.startswith(address) for url in requests)
