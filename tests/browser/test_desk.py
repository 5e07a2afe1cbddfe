"""The desk in a real browser, over a real server: what a librarian and an operator see and do."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from ragsvc import open_service
from ragsvc.settings import Settings
from tests.browser.conftest import OpenPage, Served
from tests.browser.test_widget import assert_accessible

JOB_MS = 60_000
"""A job starts a process that loads its encoder."""
NOTICE = """# 虚构停车管理办法

{day} 虚构市人民代表大会通过

第一条 停车位按照面积收费。

第二条 夜间停车{price}。
"""
SECTIONS = ("collections", "documents", "upload", "jobs", "index", "keys", "feedback", "declined", "tryit")
DROP = """(zone, files) => {
  const transfer = new DataTransfer();
  for (const [name, content] of files) {
    transfer.items.add(new File([Uint8Array.from(atob(content), (one) => one.charCodeAt(0))], name));
  }
  for (const kind of ["dragenter", "dragover", "drop"]) {
    zone.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}"""


@pytest.fixture(scope="module")
def desk_home(home: Path) -> Path:
    """A copy of the home that these tests may change: it is open, and keeps what was asked in vain."""
    copy = home.with_name("desk")
    shutil.copytree(home, copy)
    return copy


@pytest.fixture(scope="module")
def desk(desk_home: Path) -> Iterator[str]:
    """Where the service of that home answers; one answer was rated and one question declined."""
    server = Served(desk_home, keep_questions="true")
    try:
        yield server.wait().address
    finally:
        server.stop()


@pytest.fixture(scope="module")
def guarded(home: Path) -> Iterator[tuple[str, str, str]]:
    """A service that needs keys: (address, an admin's key, a reader's key)."""
    copy = home.with_name("guarded-desk")
    shutil.copytree(home, copy)
    service = open_service(Settings(home=copy))
    admin, _ = service.access.create_key("desk", ("admin",))
    reader, _ = service.access.create_key("reader", ("ask",))
    service.close()
    server = Served(copy)
    try:
        yield server.wait().address, admin, reader
    finally:
        server.stop()


def section(open_page: OpenPage, address: str, name: str, **context: object) -> Page:
    page = open_page(address, f"/desk#/{name}", **context)
    expect(
        page.get_by_role("navigation", name="栏目").or_(page.get_by_role("navigation", name="Sections"))
    ).to_be_visible()
    expect(page.locator("#content > *").first).to_be_attached()
    return page


def drop(page: Page, files: dict[str, bytes]) -> Locator:
    """Drop files onto the zone; return the card of their job, once that has ended."""
    coded = [[name, base64.b64encode(content).decode()] for name, content in files.items()]
    n_cards = page.locator("#jobs > section").count()
    page.locator(".drop").evaluate(DROP, coded)
    expect(page.locator("#jobs > section")).to_have_count(n_cards + 1)
    card = page.locator("#jobs > section").first
    expect(card.locator(".counts")).to_be_visible(timeout=JOB_MS)
    return card


def test_collections_lead_to_their_documents(desk: str, open_page: OpenPage) -> None:
    """Counts, domain and what answers by default; a name opens the list, which can be searched."""
    page = section(open_page, desk, "collections")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="law", exact=True))
    expect(row).to_contain_text("服务默认")
    row.get_by_role("link", name="law", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_label("标题或文件名中的文字").fill("住房租赁")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="青禾市住房租赁条例").click()
    versions = page.get_by_role("table", name="版本").get_by_role("row")
    expect(versions.nth(1)).to_contain_text("已被取代")
    expect(versions.nth(2)).to_contain_text("现行有效")
    versions.nth(2).get_by_role("button", name="查看全文").click()
    expect(page.get_by_role("region", name="全文（2024-09-01）")).to_contain_text("不得超过一个月的租金")
    page.get_by_role("button", name="比较").click()
    change = page.locator("#shown section").filter(has_text="第五条").first
    expect(change.locator("del").first).to_have_text("两")
    expect(change.locator("ins").first).to_have_text("一")


def test_files_are_dropped_and_followed_until_they_answer(desk: str, open_page: OpenPage) -> None:
    """A real file goes in, a broken one is quarantined and can be tried again, a new version is compared.

    The old index is current again at a click, and its text with it.
    """
    page = section(open_page, desk, "upload")
    page.get_by_label("资料库（可填新名称）").fill("parking")
    page.get_by_label("领域").select_option("law")
    first = NOTICE.format(day="2023年1月1日", price="免费").encode()
    card = drop(page, {"停车.md": first, "坏.pdf": b"%PDF-1.4 broken"})
    expect(card.locator(".counts")).to_contain_text("1 文档")
    expect(card.get_by_role("heading", name="隔离的文件（1）")).to_be_visible()
    expect(card.get_by_role("listitem").filter(has_text="坏.pdf")).to_contain_text(":")
    card.get_by_role("button", name="重试 坏.pdf").click()
    expect(page.locator("#jobs > section")).to_have_count(2)
    expect(page.locator("#jobs > section").first.get_by_role("button", name="重试 坏.pdf")).to_be_visible(
        timeout=JOB_MS
    )

    second = NOTICE.format(day="2024年6月1日", price="半价") + "\n第三条 停车场应当公示价格。\n"
    card = drop(page, {"停车.md": second.encode()})
    expect(card.get_by_role("heading", name="修订报告（1）")).to_be_visible()
    expect(card).to_contain_text("新增 1: 第三条")
    expect(card).to_contain_text("修改 1: 第二条")
    assert_accessible(page, "body")
    card.get_by_role("link", name="逐条比较").click()
    expect(page.locator("#shown del")).to_have_text("免费")
    expect(page.locator("#shown ins").first).to_have_text("半价")

    page.get_by_role("link", name="任务", exact=True).click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("parking")
    page.get_by_role("row").nth(1).get_by_role("button", name="详情").click()
    expect(page.get_by_role("heading", name="修订报告（1）")).to_be_visible()

    page.get_by_role("link", name="索引", exact=True).click()
    generations = page.get_by_role("table", name="索引").get_by_role("row")
    expect(generations.nth(1)).to_contain_text("当前")
    back = generations.nth(2).get_by_role("button")
    back.click()
    expect(back).to_have_text("确定回退？")  # nothing happens at the first click, nor after Escape
    page.keyboard.press("Escape")
    expect(back).to_have_text("回退到这一代")
    back.click()
    back.click()
    expect(page.get_by_role("status")).to_contain_text("已回退")
    expect(generations.nth(2)).to_contain_text("当前")
    page.get_by_role("button", name="检查全部文件").click()
    expect(page.get_by_role("status")).to_have_text("所有文件完好。")
    found = page.request.get(f"{desk}/v1/lookup", params={"citation": "虚构停车管理办法第二条"})
    assert "免费" in found.text(), found.text()


def test_a_job_is_cancelled(desk: str, open_page: OpenPage) -> None:
    """While it waits or runs, at a second click; what it had read does not become visible."""
    page = section(open_page, desk, "upload")
    page.get_by_label("资料库（可填新名称）").fill("never")
    running = {"id": "j1", "kind": "ingest", "status": "running", "done": 1, "total": 3, "error": None, "result": None}
    asked: list[str] = []
    page.route("**/v1/documents", lambda route: route.fulfill(status=202, json=running))
    states = [f"event: progress\ndata: {json.dumps(running)}\n\n"]
    states.append(f"event: done\ndata: {json.dumps({**running, 'status': 'cancelled'})}\n\n")
    stream = {"Content-Type": "text/event-stream"}
    page.route("**/v1/jobs/j1/events", lambda route: route.fulfill(body=states[bool(asked)], headers=stream))
    page.route("**/v1/jobs/j1", lambda route: (asked.append(route.request.method), route.fulfill(json=running)))
    page.locator(".drop").evaluate(DROP, [["a.txt", ""]])
    card = page.locator("#jobs > section").first
    expect(card).to_contain_text("1 / 3 个文件")
    card.get_by_role("button", name="取消任务").click()
    card.get_by_role("button", name="确定取消？").click()
    expect(card).to_contain_text("已取消")  # the stream had broken and was taken up again
    assert asked == ["DELETE"]


def test_what_readers_said_and_asked_in_vain(desk: str, open_page: OpenPage) -> None:
    """Feedback with the answer that it is about, by rating; declined questions with what the asker was told."""
    page = section(open_page, desk, "feedback")
    answer = page.request.post(f"{desk}/v1/ask", data={"question": "青禾市住房租赁条例第五条"}).json()
    page.request.post(f"{desk}/v1/ask", data={"question": "青禾市住房租赁条例第九十九条"})
    said = {"answer_id": answer["answer_id"], "rating": "down", "reason": "outdated", "comment": "<b>改了</b>"}
    assert page.request.post(f"{desk}/v1/feedback", data=said).status == 201
    page.reload()
    card = page.get_by_role("article")
    expect(card).to_contain_text("<b>改了</b>")
    expect(card).to_contain_text("内容过时")
    card.get_by_text("当时的回答").click()
    expect(card).to_contain_text("不得超过一个月的租金")
    page.get_by_label("评价").select_option("up")
    expect(page.get_by_text("还没有反馈。")).to_be_visible()
    page.get_by_role("link", name="未作答的问题").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("第九十九条")


def test_a_question_through_every_arm(desk: str, open_page: OpenPage) -> None:
    """Four lists side by side; a hit says its scores, and where the other arms have it."""
    page = section(open_page, desk, "tryit")
    page.get_by_label("问题").fill("青禾市住房租赁条例第五条")
    page.keyboard.press("Enter")
    for name in ("合并结果", "条文定位", "关键词", "语义向量"):
        expect(page.get_by_role("region", name=name, exact=True)).to_be_visible()
    fused = page.get_by_role("region", name="合并结果").get_by_role("listitem").first
    expect(fused).to_contain_text("第五条")
    expect(fused).to_contain_text("条文定位 #1")
    expect(page.get_by_role("region", name="关键词", exact=True).get_by_role("listitem").first).to_contain_text(
        "关键词"
    )


def test_a_key_opens_the_desk_for_this_tab(guarded: tuple[str, str, str], open_page: OpenPage) -> None:
    """Nothing is shown without one; a reader's key is told what it lacks; an admin's goes with the tab.

    Keys are made, their origins set, and revoked.
    """
    address, admin, reader = guarded
    page = open_page(address, "/desk#/keys")
    expect(page.get_by_role("status").first).to_have_text("此服务需要管理员密钥。")
    expect(page.locator("#content")).to_be_empty()
    for key, said in (("rsk_wrong", "此密钥无效、已过期或已撤销。"), (reader, "此密钥没有这项权限。")):
        page.get_by_label("管理员密钥").fill(key)
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").first).to_contain_text(said)
        if key == reader:
            page.get_by_role("button", name="退出").click()
    page.get_by_label("管理员密钥").fill(admin)
    page.keyboard.press("Enter")
    expect(page.get_by_role("row").filter(has_text="reader")).to_be_visible()
    page.reload()
    page.get_by_label("名称").fill("portal")
    page.get_by_label("可嵌入的网站来源（每行一个）", exact=True).fill("https://portal.example")
    page.get_by_role("button", name="新建").click()
    expect(page.locator("#secret .code")).to_contain_text("rsk_")
    row = page.get_by_role("row").filter(has_text="portal")
    origins = row.get_by_role("textbox")
    expect(origins).to_have_value("https://portal.example")
    origins.fill("https://other.example")
    row.get_by_role("button", name="保存来源").click()
    expect(page.get_by_role("status").first).to_have_text("已保存。")
    row.get_by_role("button", name="撤销").click()
    row.get_by_role("button", name="确定撤销？").click()
    expect(row).to_contain_text("已撤销")
    expect(row).to_contain_text("https://other.example")
    assert admin not in page.content()
    assert page.evaluate("localStorage.length") == 0
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("status").first).to_have_text("此服务需要管理员密钥。")
    assert page.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize(("width", "scheme", "locale"), [(1280, "light", "zh-CN"), (320, "dark", "en-GB")])
def test_every_section_is_accessible_and_fits(
    desk: str, open_page: OpenPage, width: int, scheme: str, locale: str
) -> None:
    """In both languages, light and dark, wide and narrow: axe-core finds nothing, and nothing leaves the screen."""
    page = section(open_page, desk, "collections", width=width, height=740, locale=locale)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for name in SECTIONS:
        page.locator(f'#sections a[href="#/{name}"]').click()
        expect(page.locator(f'#sections a[href="#/{name}"]')).to_have_attribute("aria-current", "page")
        expect(page.get_by_role("status").first).to_be_empty()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert_accessible(page, "body")


def test_by_keyboard_and_in_two_languages(desk: str, open_page: OpenPage) -> None:
    """The first Tab skips to the content; the language changes in place, without leaving the section."""
    page = section(open_page, desk, "index", locale="en-GB")
    expect(page.get_by_role("heading", level=1)).to_have_text("Index")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#view")).to_be_focused()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("索引")
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    expect(page.get_by_role("button", name="检查全部文件")).to_be_visible()
