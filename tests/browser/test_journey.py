"""A lay person on a phone, on real statutes, in the legal-aid portal; and those who mean harm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.demo.site import Site
from ragsvc import open_service
from ragsvc.settings import Settings
from ragsvc.store.feedback import FeedbackFilter
from tests.browser.conftest import HOSTILE, Served
from tests.conftest import REPOSITORY

PORTAL = REPOSITORY / "deploy" / "demo" / "legal_aid"
LAWS = ("妇女权益保障法", "劳动合同法", "消费者权益保护法", "道路交通安全法")
QUESTION = "被人性骚扰了，可以向谁投诉？"
OLD = "禁止对妇女实施性骚扰。受害妇女有权向单位和有关机关投诉。"
"""Article 40 until the end of 2022; since then it is in article 23, in other words."""
MARKDOWN = (
    "![图](https://evil.example/pixel.png) [点此领取](https://evil.example/) <iframe src=https://evil.example></iframe>"
)
FIRST_ANSWER_MS = 60_000


@pytest.fixture(scope="module")
def home(browser: Browser, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real statutes, two versions of one of them, and a text that means harm."""
    folder = tmp_path_factory.mktemp("journey")
    hostile = folder / "hostile.md"
    hostile.write_text(f"{HOSTILE}\n第四条 𠮷田町标牌的补贴{MARKDOWN}由町财政承担。\n", encoding="utf-8")
    files = [path for law in LAWS for path in sorted((shared_data / "corpora" / "laws_zh_md").rglob(f"{law}(*.md"))]
    service = open_service(Settings(home=folder / "home"))
    report = service.ingest([*files, hostile], "law", domain="law")
    service.close()
    assert report.documents == len(LAWS) + 2, "one law has two versions"
    return folder / "home"


@pytest.fixture(scope="module")
def portals(home: Path) -> Iterator[tuple[Site, Site]]:
    """The portal, and an attacker's copy of it that holds its key, on an origin that the key does not list."""
    server = Served(home)
    sites = (Site(PORTAL, server.address, ["law"]), Site(PORTAL, server.address, ["law"]))
    service = open_service(Settings(home=home))
    key, _ = service.access.create_key("portal", ["ask"], ["law"], origins=[sites[0].origin])
    service.close()
    for site in sites:
        site.key = key
        site.start()
    try:
        server.wait()
        yield sites
    finally:
        server.stop()
        for site in sites:
            site.shutdown()
            site.server_close()


@pytest.fixture
def phone(browser: Browser, portals: tuple[Site, Site]) -> Iterator[Page]:
    """A phone with a finger on it; afterwards nothing was asked of anybody else, and no policy was broken."""
    screen = {"width": 360, "height": 740}
    context = browser.new_context(viewport=screen, has_touch=True, is_mobile=True, locale="zh-CN")  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(20_000)
    strange: list[str] = []
    known = (portals[0].origin, portals[1].origin, portals[0].service)
    page.on("request", lambda request: None if request.url.startswith(known) else strange.append(request.url))
    page.on("console", lambda note: strange.append(note.text) if "Content Security Policy" in note.text else None)
    page.on("pageerror", lambda error: strange.append(str(error)))
    yield page
    context.close()
    assert strange == []


def ask(page: Page, question: str) -> None:
    """Ask with a finger, and wait until the answer is over."""
    page.locator("rag-ask textarea").tap()
    page.locator("rag-ask textarea").fill(question)
    page.get_by_role("button", name="提问", exact=True).tap()
    expect(page.locator("rag-ask article").first.locator(".tools")).to_be_visible(timeout=FIRST_ANSWER_MS)


def test_a_lay_person_reads_the_law_of_a_past_day_and_says_what_it_was_worth(
    portals: tuple[Site, Site], phone: Page, home: Path
) -> None:
    """Asks, opens a citation, reads the article in force then, goes on to today's text, gives a thumb down."""
    phone.goto(portals[0].origin)
    phone.get_by_label("按哪一天的法律？").fill("2020-06-01")
    ask(phone, QUESTION)
    expect(phone.locator("rag-ask .answer").first).to_contain_text(OLD)
    expect(phone.get_by_text("按 2020-06-01 有效的文本作答")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    phone.get_by_role("button", name="中华人民共和国妇女权益保障法 第四十条，打开原文").first.tap()
    expect(phone.locator("rag-ask mark").first).to_contain_text(OLD)
    expect(phone.locator("rag-ask mark").first).to_be_in_viewport()
    expect(phone.locator("dialog .validity")).to_contain_text("自 2023-01-01 起不再适用")
    phone.get_by_role("button", name="查看现行文本").tap()
    expect(phone.locator("dialog .validity")).to_contain_text("自 2023-01-01 起施行")
    phone.get_by_role("button", name="关闭原文").tap()
    phone.get_by_role("button", name="没有帮助").tap()
    phone.get_by_label("没有回答问题").check()
    phone.get_by_role("button", name="发送").tap()
    expect(phone.locator("rag-ask-feedback [role=status]")).to_have_text("谢谢，已收到您的反馈。")
    service = open_service(Settings(home=home))
    kept = service.feedback.list(FeedbackFilter(), 0, 10)
    service.close()
    assert [(one.rating, one.reason) for one in kept] == [("down", "not_answered")]


def test_the_same_question_today_has_another_answer(portals: tuple[Site, Site], phone: Page) -> None:
    """Without a day it is today's law: the words of 2018 are not in it."""
    phone.goto(portals[0].origin)
    ask(phone, QUESTION)
    expect(phone.locator("rag-ask .answer").first).to_contain_text("性骚扰")
    expect(phone.locator("rag-ask .answer").first).not_to_contain_text(OLD)


def test_an_attacker_s_page_gets_nothing(portals: tuple[Site, Site], phone: Page) -> None:
    """Even with the portal's key its server gets no ticket for its origin; a ticket taken from the portal is no use."""
    real, evil = portals
    phone.goto(evil.origin)
    ask(phone, QUESTION)
    expect(phone.get_by_role("status").first).to_contain_text("暂时不能使用")
    expect(phone.locator("rag-ask .sources")).to_have_count(0)
    stolen = phone.context.request.post(f"{real.origin}/ticket").json()["ticket"]
    tried = phone.evaluate(
        """([service, portal, ticket]) => Promise.all([
            fetch(`${service}/v1/ask`, {method: "POST", body: JSON.stringify({question: "x"}),
                headers: {Authorization: `Bearer ${ticket}`, "Content-Type": "application/json"}}),
            fetch(`${service}/v1/collections`, {headers: {Authorization: `Bearer ${ticket}`}}),
        ].map((one) => one.then(() => "read", () => "blocked")))""",
        [real.service, real.origin, stolen],
    )
    assert tried == ["blocked", "blocked"]


def test_hostile_markdown_is_shown_as_text(portals: tuple[Site, Site], phone: Page) -> None:
    """A picture, a link and a frame of a document are characters, in the answer and in the source beside it."""
    phone.goto(portals[0].origin)
    ask(phone, "𠮷田町标牌管理办法第四条")
    phone.locator("rag-ask .chip").first.tap()
    expect(phone.locator("rag-ask mark").first).to_contain_text(f"𠮷田町标牌的补贴{MARKDOWN}由町财政承担。")
    assert phone.locator("rag-ask :is(img, iframe, script, a)").count() == 0
    assert phone.evaluate("window.pwned") is None
