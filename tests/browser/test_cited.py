"""The page that links in chat front ends open: one quotation in its text."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, Served

READ_MS = 20_000


@pytest.fixture(scope="module")
def both(home: Path, guarded_home: tuple[Path, str]) -> Iterator[tuple[Served, Served]]:
    """The service without keys, and one that has a key."""
    started = (Served(home), Served(guarded_home[0]))
    try:
        yield started[0].wait(), started[1].wait()
    finally:
        for server in started:
            server.stop()


def link(server: Served, question: str, collection: str, key: str = "") -> str:
    """Ask as a chat front end does; return the path of the first link of the answer."""
    body = {"model": collection, "messages": [{"role": "user", "content": question}]}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(f"{server.address}/v1/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = json.load(answer)["choices"][0]["message"]["content"]
    found = re.search(rf"\]\({re.escape(server.address)}(/page/cited\.html#[^)]+)\)", text)
    assert found is not None, text
    return found[1]


def test_the_link_of_an_answer_opens_the_quotation(both: tuple[Served, Served], open_page: OpenPage) -> None:
    """Title, validity, and the quoted words marked in their text, on a phone as well."""
    page = open_page(both[0].address, link(both[0], "青禾市住房租赁条例第五条", "law"), width=360, height=640)
    expect(page.locator("mark")).to_have_text("出租人收取押金的，数额不得超过一个月的租金。", timeout=READ_MS)
    expect(page.get_by_role("heading", name="青禾市住房租赁条例")).to_be_visible()
    expect(page.locator("mark")).to_be_in_viewport()
    expect(page.locator("#validity")).to_have_text("自 2024-09-01 起施行")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_hostile_text_is_text_there_too(both: tuple[Served, Served], open_page: OpenPage) -> None:
    """Code points that are two units of UTF-16 do not move the mark, and no markup works."""
    page = open_page(both[0].address, link(both[0], "𠮷田町标牌管理办法第二条", "signs"))
    expect(page.locator("mark").first).to_contain_text("𠮷祥寺标牌<script>window.pwned=1</script>", timeout=READ_MS)
    assert page.locator("main :is(img, script, iframe, a)").count() == 0
    assert page.evaluate("window.pwned") is None


def test_with_keys_its_reader_needs_one(
    both: tuple[Served, Served], guarded_home: tuple[Path, str], open_page: OpenPage
) -> None:
    """Nothing is shown without it, with a wrong one it is asked for again, and it is in no address."""
    key = guarded_home[1]
    page = open_page(both[1].address, link(both[1], "𠮷田町标牌管理办法第三条", "signs", key), locale="en-US")
    expect(page.get_by_label("This service needs a key")).to_be_focused(timeout=READ_MS)
    expect(page.locator("#text")).to_be_empty()
    page.keyboard.type("rsk_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_label("This service needs a key")).to_be_visible()
    page.get_by_label("This service needs a key").fill(key)
    page.keyboard.press("Enter")
    expect(page.locator("mark")).to_contain_text("标牌由𠮷田町保管。", timeout=READ_MS)
    expect(page.get_by_label("This service needs a key")).to_be_hidden()
    assert key not in page.url


@pytest.mark.parametrize("place", ["", "#", "#nothing:0-5", "#../x:1-2", "#a:5-99999999999"])
def test_an_address_of_nothing_says_so(both: tuple[Served, Served], open_page: OpenPage, place: str) -> None:
    """A link that was cut or made up opens no text."""
    page = open_page(both[0].address, f"/page/cited.html{place}")
    expect(page.get_by_role("status")).to_have_text("未找到")
    expect(page.locator("#text")).to_be_empty()
