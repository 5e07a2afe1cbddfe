"""The widget in a portal of another origin, in a real browser: what a visitor sees and an attacker does not get."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from ragsvc import open_service
from ragsvc.settings import Settings
from ragsvc.store.feedback import FeedbackFilter
from tests.browser.conftest import Served
from tests.browser.portal import Portal
from tests.conftest import REPOSITORY

ARTICLE_5 = "青禾市住房租赁条例第五条"
ONE_MONTH = "出租人收取押金的，数额不得超过一个月的租金。"
TWO_MONTHS = "出租人收取押金的，数额不得超过两个月的租金。"
AXE = REPOSITORY / "ragsvc" / "widget" / "node_modules" / "axe-core" / "axe.min.js"

FIRST_ANSWER_MS = 30_000
"""A server loads its encoder when it is first asked."""

OpenPortal = Callable[..., Page]


@pytest.fixture(scope="module")
def portal_home(home: Path) -> tuple[Path, str, str]:
    """A copy of the home with a key that no origin is listed for yet: (home, secret, key id)."""
    copy = home.with_name("portal")
    shutil.copytree(home, copy)
    service = open_service(Settings(home=copy))
    secret, key = service.access.create_key("portal", ("ask",), ("law", "signs"))
    service.close()
    return copy, secret, key.key_id


@pytest.fixture(scope="module")
def portal(portal_home: tuple[Path, str, str]) -> Iterator[Portal]:
    """A portal whose origin the key lists, and the service that it uses."""
    folder, secret, key_id = portal_home
    server = Served(folder)
    with Portal(server.address, secret, "law signs") as portal:
        service = open_service(Settings(home=folder))
        service.access.set_origins(key_id, [portal.origin])
        service.close()
        try:
            server.wait()
            yield portal
        finally:
            server.stop()


@pytest.fixture
def open_portal(browser: Browser, portal: Portal) -> Iterator[OpenPortal]:
    """Open the portal's page; afterwards nothing but the two servers was asked, and the policy was never broken."""
    complaints: list[str] = []
    contexts = []

    def open_one(query: str = "", *, width: int = 1280, height: int = 860, at: Portal = portal) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda note: None if "Failed to load" in note.text or "CORS" in note.text else complaints.append(note.text),
        )
        known = (at.origin, at.service)
        page.on("request", lambda request: None if request.url.startswith(known) else complaints.append(request.url))
        page.goto(f"{at.origin}/?{query}")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def ask(page: Page, question: str, button: str = "提问") -> None:
    """Ask, and wait until the answer is over."""
    page.locator("rag-ask textarea").fill(question)
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator("rag-ask .asked").first).to_have_text(question)
    expect(page.locator("rag-ask article").first.locator(".tools")).to_be_visible(timeout=FIRST_ANSWER_MS)


def no_streams(route: Route) -> None:
    """Let nothing through that would be a stream."""
    if route.request.method == "POST" and (route.request.post_data_json or {}).get("stream"):
        route.abort()
    else:
        route.continue_()


def test_a_visitor_asks_and_opens_a_citation(portal: Portal, open_portal: OpenPortal) -> None:
    """The answer is cited, the number opens the article at the quoted words, Escape returns to the number."""
    page = open_portal()
    ask(page, ARTICLE_5)
    expect(page.locator("rag-ask .answer").first).to_contain_text(ONE_MONTH)
    expect(page.locator("rag-ask .disclaimer")).to_contain_text("不构成法律意见")
    chip = page.locator("rag-ask .chip").first
    chip.click()
    expect(page.locator("rag-ask mark")).to_have_text(ONE_MONTH)
    expect(page.get_by_role("dialog", name="青禾市住房租赁条例 第五条")).to_be_visible()
    expect(page.locator("dialog .validity")).to_have_text("自 2024-09-01 起施行")
    expect(page.locator("dialog .notice")).to_have_count(0)
    assert page.locator("rag-ask mark").evaluate("e => e.getBoundingClientRect().bottom < innerHeight")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    expect(chip).to_be_focused()
    assert portal.key not in page.content()


def test_a_past_day_shows_the_old_text_and_that_there_is_a_newer(open_portal: OpenPortal) -> None:
    """The version of that day answers; its source says that a newer one is in force, and opens it."""
    page = open_portal("as_of=2024-08-31")
    ask(page, ARTICLE_5)
    expect(page.locator("rag-ask .answer").first).to_contain_text(TWO_MONTHS)
    page.locator("rag-ask .chip").first.click()
    expect(page.locator("rag-ask mark")).to_have_text(TWO_MONTHS)
    expect(page.locator("dialog .notice")).to_contain_text("此后已有新版本，自 2024-09-01 起施行。")
    expect(page.locator("dialog .note")).to_have_text("已失效")
    page.get_by_role("button", name="查看现行文本").click()
    expect(page.locator("dialog .inside").first).to_contain_text("第五条")
    expect(page.locator("dialog .text")).to_contain_text(ONE_MONTH)
    expect(page.locator("dialog .notice")).to_have_count(0)


def test_hostile_text_is_only_text_and_offsets_hold(open_portal: OpenPortal) -> None:
    """No markup of a document or a question works; 𠮷 is two UTF-16 units and one code point; turns are shown."""
    page = open_portal()
    ask(page, "𠮷田町标牌管理办法第二条<img src=x onerror='window.pwned=1'>")
    page.locator("rag-ask .chip").first.click()
    mark = page.locator("rag-ask mark").first
    expect(mark).to_contain_text("𠮷祥寺标牌<script>window.pwned=1</script>和[点此](javascript:alert(1))")
    expect(page.locator("dialog .text")).to_contain_text("[U+202E]反向[U+202C]")
    assert mark.inner_text().startswith("𠮷祥寺标牌")
    assert page.locator("rag-ask :is(img, script, iframe, a)").count() == 0
    assert page.evaluate("window.pwned") is None


def test_an_abstention_says_so(open_portal: OpenPortal) -> None:
    """What is not there is not answered: said in a heading and to a screen reader, with the nearest passages open."""
    page = open_portal()
    ask(page, "青禾市住房租赁条例第九十九条")
    expect(page.locator("rag-ask h2").first).to_have_text("没有找到可靠的依据")
    expect(page.get_by_role("status").first).to_have_text("没有找到可靠的依据")
    expect(page.locator("rag-ask .chip")).to_have_count(0)
    expect(page.locator("rag-ask article .sources").first).to_be_visible()


def test_without_streams_and_with_a_lost_connection(open_portal: OpenPortal) -> None:
    """Where streams are blocked the answer comes whole; where nothing comes it is said so, and can be asked again."""
    page = open_portal()
    page.route("**/v1/ask", no_streams)
    ask(page, ARTICLE_5)
    expect(page.locator("rag-ask .answer").first).to_contain_text(ONE_MONTH)
    page.unroute("**/v1/ask")
    page.route("**/v1/ask", lambda route: route.abort())
    ask(page, "押金不退怎么办？")
    expect(page.get_by_role("status").first).to_contain_text("无法连接服务")
    page.unroute("**/v1/ask")
    page.get_by_role("button", name="再问一次").first.click()
    expect(page.locator("rag-ask .answer").first).not_to_be_empty()
    expect(page.get_by_text("此前的 2 个问题")).to_be_visible()


def test_a_stream_that_breaks_leaves_what_came(open_portal: OpenPortal) -> None:
    """Marked as incomplete, with the passages that were found."""
    page = open_portal()
    cut = 'event: passages\ndata: {"passages":[]}\n\nevent: token\ndata: {"text":"押金应当"}\n\n'
    headers = {"Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*"}
    page.route("**/v1/ask", lambda route: route.fulfill(body=cut, headers=headers))
    ask(page, ARTICLE_5)
    expect(page.locator("rag-ask .answer").first).to_have_text("押金应当")
    expect(page.locator("rag-ask h2").first).to_have_text("回答（不完整）")
    expect(page.locator("rag-ask .notice")).to_contain_text("连接中断")


def test_a_question_back_is_answered_with_a_button(open_portal: OpenPortal) -> None:
    """The reply goes out with the conversation that it belongs to."""
    page = open_portal()
    sent: list[dict[str, Any]] = []
    answer = {
        "answer_id": "a1",
        "answer": "租期是否已满？",
        "citations": [],
        "passages": [],
        "abstained": False,
        "disclaimer": "",
        "clarify": {"question": "租期是否已满？", "number": 1, "most": 3, "choices": ["是", "还没有"]},
    }

    def reply(route: Route) -> None:
        sent.append(route.request.post_data_json)
        body = answer if len(sent) == 1 else {**answer, "answer": "应当退还。", "clarify": None}
        route.fulfill(json=body, headers={"Access-Control-Allow-Origin": "*"})

    page.route("**/v1/ask", reply)
    ask(page, "押金不退怎么办？")
    expect(page.locator("rag-ask h2").first).to_have_text("请补充")
    expect(page.locator("rag-ask .replies button")).to_have_text(["是", "还没有", "不清楚"])
    page.get_by_role("button", name="还没有").click()
    expect(page.locator("rag-ask .answer").first).to_have_text("应当退还。")
    ask(page, "多久要退？")  # goes on with the conversation, until a new one is begun
    page.get_by_role("button", name="换个新话题").click()
    ask(page, "什么是押金？")
    first = [{"role": "user", "content": "押金不退怎么办？"}, {"role": "assistant", "content": "租期是否已满？"}]
    then = [{"role": "user", "content": "还没有"}, {"role": "assistant", "content": "应当退还。"}]
    assert [one["question"] for one in sent[1:]] == ["还没有", "多久要退？", "什么是押金？"]
    assert [one.get("history", []) for one in sent[1:]] == [first, [*first, *then], []]


def test_what_the_service_says_beside_an_answer(open_portal: OpenPortal) -> None:
    """A red flag stands before the answer and is announced; other notices stand below it, with numbers that open."""
    page = open_portal()
    flag = {"kind": "red_flag", "severity": "urgent", "topic": "stroke", "language": "zh", "text": "请立即拨打 120。"}
    quote = {
        "marker": "[1]",
        "quote": "儿童用量",
        "start": 0,
        "end": 4,
        "title": "说明书",
        "locator": "用法",
        "url": None,
    }
    dates = {"effective_from": None, "effective_to": None, "validity_source": "unknown"}
    ids = {"document_id": "d", "version_id": "v", "collection": "law", "work": "说明书"}
    note = {**flag, "kind": "missing_fact", "severity": "warning", "topic": "age", "text": "用量取决于年龄[1]。"}
    notices = [{**flag, "citations": []}, {**note, "citations": [{**quote, **dates, **ids}]}]
    said = {"answer_id": "a1", "answer": "可能是中风。", "disclaimer": "", "notices": notices}
    answer = {**said, "citations": [], "passages": [], "abstained": False}
    page.route("**/v1/ask", lambda route: route.fulfill(json=answer, headers={"Access-Control-Allow-Origin": "*"}))
    ask(page, "突然口角歪斜怎么办？")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("请立即拨打 120。")
    expect(page.locator("rag-ask .notices .chip")).to_have_text("1")
    tops = [page.locator(f"rag-ask {one}").first.bounding_box() for one in (".urgent", ".answer", ".notices")]
    assert sorted(tops, key=lambda box: box["y"] if box else 0) == tops
    assert_accessible(page)


def test_thumbs_reach_the_operator(portal: Portal, portal_home: tuple[Path, str, str], open_portal: OpenPortal) -> None:
    """Up at a click; down with a reason and words; the question goes along only if its reader ticks that."""
    page = open_portal()
    ask(page, ARTICLE_5)
    page.get_by_role("button", name="有帮助", exact=True).click()
    expect(page.locator("rag-ask-feedback [role=status]")).to_have_text("谢谢，已收到您的反馈。")
    down = page.get_by_role("button", name="没有帮助")
    down.click()
    expect(page.get_by_label("引用不对")).to_be_focused()
    page.keyboard.press("Escape")
    expect(down).to_be_focused()
    down.click()
    page.get_by_label("内容过时").check()
    page.get_by_label("补充说明").fill("第五条改了")
    assert_accessible(page)
    page.get_by_role("button", name="发送").click()
    expect(down).to_have_attribute("aria-pressed", "true")
    service = open_service(Settings(home=portal_home[0]))
    kept = service.feedback.list(FeedbackFilter(), 0, 10)
    service.close()
    assert [(one.rating, one.reason, one.comment) for one in kept] == [("down", "outdated", "第五条改了")]
    assert kept[0].receipt.question is None


def test_a_used_up_ticket_is_renewed(portal: Portal, open_portal: OpenPortal) -> None:
    """The visitor notices nothing."""
    portal.questions = 1
    try:
        page = open_portal()
        before = portal.n_tickets
        for _ in range(2):
            ask(page, ARTICLE_5)
            expect(page.locator("rag-ask .answer").first).to_contain_text(ONE_MONTH)
        assert portal.n_tickets == before + 2
    finally:
        portal.questions = 20


def test_an_attacker_s_page_gets_nothing(portal: Portal, open_portal: OpenPortal) -> None:
    """A page of an origin that no key lists: its server gets no ticket, and a stolen one cannot be used from it."""
    with Portal(portal.service, portal.key, "law") as evil:
        page = open_portal(at=evil)
        ask(page, ARTICLE_5)
        expect(page.get_by_role("status").first).to_contain_text("暂时不能使用")
        assert evil.n_tickets == 0
        stolen = page.context.request.post(f"{portal.origin}/ticket").json()["ticket"]
        read = """([url, ticket]) => fetch(url, {headers: {Authorization: `Bearer ${ticket}`}})
            .then(() => "read", () => "blocked")"""
        assert page.evaluate(read, [f"{portal.service}/v1/lookup?citation=x", stolen]) == "blocked"


@pytest.mark.parametrize("width", [320, 360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen_and_axe_finds_nothing(
    open_portal: OpenPortal, width: int, scheme: str
) -> None:
    """With an answer, and with its source open; no rule of axe-core of any weight is broken inside the widget."""
    page = open_portal(f"scheme={scheme}", width=width, height=740)
    ask(page, ARTICLE_5)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_accessible(page)
    page.locator("rag-ask .chip").first.click()
    expect(page.locator("rag-ask mark").first).to_be_visible()
    assert_accessible(page)


def assert_accessible(page: Page, within: str = "rag-ask") -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: 'npm ci' in ragsvc/widget")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "(within) => axe.run(within).then((r) => r.violations.map((v) => [v.id, v.impact, v.nodes[0].html]))", within
    )
    assert not found, found


def test_everything_by_keyboard(open_portal: OpenPortal) -> None:
    """Enter asks, Tab goes on to the buttons and the number, Enter opens it; an input method's Enter asks nothing."""
    page = open_portal()
    field = page.locator("rag-ask textarea")
    field.focus()
    page.keyboard.type(ARTICLE_5)
    field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    expect(page.locator("rag-ask article")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator("rag-ask .tools")).to_be_visible()
    for _ in range(3):  # a new topic, the button to ask, the number
        page.keyboard.press("Tab")
    expect(page.locator("rag-ask .chip").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("dialog h2")).to_be_focused()


def test_english_copy_and_paper(open_portal: OpenPortal) -> None:
    """The words follow lang; a copy has the citations spelled out; on paper the page around the answer is left out."""
    page = open_portal("lang=en")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, ARTICLE_5, "Ask")
    expect(page.locator("rag-ask h2").first).to_have_text("Answer")
    page.get_by_role("button", name="Copy with citations").click()
    expect(page.get_by_role("status").first).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"[1] 青禾市住房租赁条例 第五条 (in force from 2024-09-01)\n    “{ONE_MONTH}”" in copied
    page.evaluate("window.print = () => { window.left = document.querySelectorAll('[data-ragsvc-unprinted]').length }")
    page.get_by_role("button", name="Print").click()
    assert page.evaluate("window.left") == 2  # the portal's header and footer
    assert page.evaluate("document.querySelectorAll('[data-ragsvc-unprinted]').length") == 0
