"""The two demo portals, started as their reader starts them: ``python -m deploy.demo``, then a browser on each site."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_widget import assert_accessible
from tests.conftest import REPOSITORY

START_S = 120.0
ANSWER_MS = 60_000
"""The service loads its encoder when it is first asked."""


class Portals(NamedTuple):
    """What the command printed, and the process."""

    legal: str
    patients: str
    service: str
    process: subprocess.Popen[str]
    folder: Path
    """Where it may put what it leaves behind."""


@pytest.fixture(scope="module")
def portals(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portals]:
    """The running command, on any free ports."""
    folder = tmp_path_factory.mktemp("portals")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAGSVC_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.demo", "--port", "0"],
        cwd=REPOSITORY,
        env={**environment, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        said = read_until(process, "Ctrl-C")
        yield Portals(*re.findall(r"http://127\.0\.0\.1:\d+", said), process, folder)
    finally:
        process.kill()
        process.wait()


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """Return what the process has said up to the line with ``word``."""
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: list(map(lines.put, process.stdout or ())), daemon=True).start()
    said = ""
    while word not in said:
        said += lines.get(timeout=START_S)
    return said


@pytest.fixture
def visit(browser: Browser, portals: Portals) -> Iterator[Page]:
    """A page whose requests stay on the three addresses, and whose policy is never broken."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    ours = (portals.legal, portals.patients, portals.service)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda note: complaints.append(note.text))
    page.on("request", lambda request: None if request.url.startswith(ours) else complaints.append(request.url))
    yield page
    context.close()
    assert complaints == []


def ask(page: Page, question: str, button: str = "提问") -> None:
    """Ask, and wait until the answer is over."""
    page.locator("rag-ask textarea").fill(question)
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator("rag-ask article").first.locator(".tools")).to_be_visible(timeout=ANSWER_MS)


def test_legal_aid_answers_with_the_law_of_the_day_that_is_chosen(portals: Portals, visit: Page) -> None:
    """A visitor with a Chinese browser lands on the Chinese page; a day in the past gives the text of that day."""
    visit.goto(portals.legal)
    expect(visit).to_have_url(f"{portals.legal}/zh")
    ask(visit, "押金最多收几个月？")
    expect(visit.locator("rag-ask .answer").first).to_contain_text("数额不得超过一个月的租金")
    visit.get_by_label("按哪一天的法律？").fill("2023-05-01")
    ask(visit, "押金最多收几个月？")
    expect(visit.locator("rag-ask .answer").first).to_contain_text("数额不得超过两个月的租金")
    visit.locator("rag-ask .chip").first.click()
    expect(visit.locator("rag-ask mark").first).to_be_visible()
    expect(visit.locator("dialog .notice")).to_contain_text("此后已有新版本")


def test_patient_information_answers_in_english_and_says_what_it_lacks(portals: Portals, visit: Page) -> None:
    """The leaflet's words with their place; what no leaflet covers is not answered."""
    visit.goto(f"{portals.patients}/zh")
    visit.get_by_role("link", name="English").click()
    ask(visit, "Should I put heat on a sprained ankle?", "Ask")
    expect(visit.locator("rag-ask .answer").first).to_contain_text("Do not apply heat")
    visit.get_by_role("button", name="New topic").click()
    ask(visit, "How do I treat a burn?", "Ask")
    expect(visit.locator("rag-ask h2").first).to_have_text("No reliable basis was found")


def test_an_emergency_is_said_first(portals: Portals, visit: Page) -> None:
    """The banner of the service stands above the answer, as the site's own stands above the page."""
    visit.goto(f"{portals.patients}/zh")
    ask(visit, "血压超过180，胸痛，呼吸困难")
    expect(visit.locator("rag-ask .urgent")).to_contain_text("急救电话")
    expect(visit.locator(".emergency")).to_contain_text("请立即拨打急救电话")


@pytest.mark.parametrize("site", ["legal", "patients"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_fits_a_phone_and_can_be_used_by_all(
    portals: Portals, visit: Page, site: str, language: str
) -> None:
    """Nothing is wider than 320 px, and axe-core finds nothing on the whole page, in light and dark."""
    visit.set_viewport_size({"width": 320, "height": 640})
    for scheme in ("light", "dark"):
        visit.emulate_media(color_scheme=scheme)
        visit.goto(f"{getattr(portals, site)}/{language}")
        expect(visit.locator("rag-ask textarea")).to_be_visible()
        assert visit.evaluate("document.documentElement.scrollWidth") <= 320
        assert_accessible(visit, "html")


def test_the_key_stays_on_the_server(portals: Portals, visit: Page) -> None:
    """No page, file or ticket holds it; each site's ticket is for its own origin and its own documents."""
    for site, collection in ((portals.legal, "law"), (portals.patients, "medicine")):
        texts = [visit.context.request.get(f"{site}/{name}").text() for name in ("zh", "en", "site.css", "mark.svg")]
        assert not any("rsk_" in text for text in texts)
        ticket = visit.context.request.post(f"{site}/ticket").json()
        assert "rsk_" not in str(ticket)
        assert (ticket["origin"], ticket["collections"]) == (site, [collection])


def test_a_page_asks_for_nothing_else(portals: Portals) -> None:
    """Other paths, a way out of the folder, and POST elsewhere are not found; another host name leads back."""
    for path, method in (("/../site.py", "GET"), ("/zh.html/", "GET"), ("/nothing", "GET"), ("/zh", "POST")):
        request = urllib.request.Request(portals.legal + path, method=method, data=b"" if method == "POST" else None)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(request)
    elsewhere = portals.legal.replace("127.0.0.1", "localhost")
    with urllib.request.urlopen(f"{elsewhere}/en") as answer:
        assert answer.url == f"{portals.legal}/en"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_ctrl_c_ends_all_and_leaves_nothing(portals: Portals) -> None:
    """The last test: after one interrupt neither site answers, nor the service, and the home is gone."""
    portals.process.send_signal(signal.SIGINT)
    assert portals.process.wait(timeout=60) == 0
    for address in (portals.legal, portals.patients, portals.service):
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(address, timeout=5)
    assert [path for path in portals.folder.iterdir() if path.name.startswith("ragsvc-portals-")] == []
