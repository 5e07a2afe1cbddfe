"""The page in a real browser, over a real server: what a reader sees, and can do with a keyboard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage, Served
from tests.servers.openai_chat import OpenAIChatServer, Reply

ARTICLE_5 = "青禾市住房租赁条例第五条"
ONE_MONTH = "出租人收取押金的，数额不得超过一个月的租金。"
TWO_MONTHS = "出租人收取押金的，数额不得超过两个月的租金。"


def ask(page: Page, question: str, *, as_of: str = "") -> None:
    """Ask, and wait until the service is done with it."""
    page.fill("#question", question)
    page.fill("#as-of", as_of)
    page.click("#send")
    expect(page.locator("#send")).to_be_enabled()


def test_an_answer_opens_its_source_at_the_quoted_words(address: str, open_page: OpenPage) -> None:
    """The number behind a sentence opens the article beside the answer; the words quoted are marked, and only those."""
    page = open_page(address)
    ask(page, ARTICLE_5)
    expect(page.locator("#answer-heading")).to_have_text("回答")
    expect(page.locator("#answer")).to_contain_text(ONE_MONTH)
    expect(page.locator("#disclaimer")).to_contain_text("不构成法律意见")
    page.click("#answer .chip")
    expect(page.locator("#panel-text mark")).to_have_text(ONE_MONTH)
    expect(page.locator("#panel-text .article").first).to_have_text("第五条 ")
    expect(page.locator("#panel-locator")).to_have_text("第五条")
    expect(page.locator("#panel-path")).to_contain_text("第二章 租赁合同与押金")
    expect(page.locator("#panel-validity")).to_have_text("自 2024-09-01 起施行")
    expect(page.locator("#panel-text")).not_to_contain_text("INFO END")
    assert page.locator("#panel-text mark").evaluate("e => e.getBoundingClientRect().bottom < innerHeight")


def test_offsets_hold_beyond_the_basic_plane(address: str, open_page: OpenPage) -> None:
    """𠮷 is one code point and two UTF-16 units: the mark covers exactly what was quoted."""
    page = open_page(address)
    ask(page, "𠮷田町标牌管理办法第二条")
    same = page.context.request.post(f"{address}/v1/ask", data={"question": "𠮷田町标牌管理办法第二条"})
    quote = same.json()["citations"][0]["quote"]
    assert quote.startswith("𠮷祥寺标牌")
    page.click("#answer .chip")
    expect(page.locator("#panel-text mark")).to_have_text(
        re.sub("[\u202c\u202e]", lambda c: f"[U+{ord(c[0]):X}]", quote)
    )


def test_hostile_text_is_only_text(address: str, open_page: OpenPage) -> None:
    """Markup does nothing, links are none, a bracket is no citation, and what turns the reading round is shown."""
    page = open_page(address)
    ask(page, "𠮷田町标牌管理办法第二条<img src=x onerror='window.pwned=1'>\u202e")
    page.click("#answer .chip")
    expect(page.locator("#panel-text mark")).to_contain_text(
        "<script>window.pwned=1</script>和[点此](javascript:alert(1))"
    )
    page.locator("#passages-box summary").click()
    for region in ("#answer", "#panel-text", "#passages"):
        expect(page.locator(region)).to_contain_text("[U+202E]反向[U+202C]")
    expect(page.locator("#asked")).to_contain_text("<img src=x")
    assert page.locator("#result :is(img, script, a), #panel-text :is(img, script, a)").count() == 0
    assert page.evaluate("window.pwned") is None


def test_a_date_that_was_not_stated_is_marked(address: str, open_page: OpenPage) -> None:
    """Where the first day in force was inferred, the reader is told so."""
    page = open_page(address)
    ask(page, "𠮷田町标牌管理办法第三条")
    expect(page.locator("#citations .validity")).to_have_text("自 2020-01-01 起施行 施行日期系推定，请核对")


def test_the_day_chooses_the_version(address: str, open_page: OpenPage) -> None:
    """The day before, the old text, named as such; on the day, the new one."""
    page = open_page(address)
    ask(page, ARTICLE_5, as_of="2024-08-31")
    expect(page.locator("#answer")).to_contain_text(TWO_MONTHS)
    expect(page.locator("#asked")).to_contain_text("适用日期：2024-08-31")
    expect(page.locator("#citations .validity")).to_have_text(
        "自 2019-03-01 起施行 · 自 2024-09-01 起不再适用 历史版本"
    )
    page.click("#citations .open")
    expect(page.locator("#panel-text mark")).to_have_text(TWO_MONTHS)
    ask(page, ARTICLE_5, as_of="2024-09-01")
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator("#answer")).to_contain_text(ONE_MONTH)
    expect(page.locator("#answer")).not_to_contain_text("两个月")


def test_what_does_not_exist_is_not_answered(address: str, open_page: OpenPage) -> None:
    """An article that is not there: it is said so, nothing is cited, and the nearest passages are open to read."""
    page = open_page(address)
    ask(page, "青禾市住房租赁条例第九十九条")
    expect(page.locator("#answer-heading")).to_have_text("未作答")
    expect(page.locator("#answer")).to_contain_text("没有这一条")
    expect(page.locator("#sources-heading")).to_be_hidden()
    assert page.locator(".chip").count() == 0
    expect(page.locator("#passages-summary")).to_contain_text("未必切题")
    page.locator("#passages .open").first.click()
    expect(page.locator("#panel-text .article").first).to_be_visible()
    assert page.locator("#panel-text mark").count() == 0


def test_two_languages(address: str, open_page: OpenPage) -> None:
    """The browser's language to begin with, the other at a click, and the answer that is shown stays."""
    page = open_page(address, locale="en-GB")
    expect(page.locator("h1")).to_have_text("Answers you can check")
    ask(page, ARTICLE_5)
    expect(page.locator("#citations .validity")).to_have_text("in force from 2024-09-01")
    assert page.locator("#answer").get_attribute("lang") == "zh-CN"
    page.click("#language")
    expect(page.locator("h1")).to_have_text("有据可查的问答")
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    expect(page.locator("#citations .validity")).to_have_text("自 2024-09-01 起施行")
    expect(page.locator("#answer")).to_contain_text(ONE_MONTH)
    expect(page.locator("#answer .chip")).to_have_count(1)


def test_everything_by_keyboard(address: str, open_page: OpenPage) -> None:
    """Tab goes from the question to its number, Enter opens, Escape closes and returns to where one was."""
    page = open_page(address)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到提问")).to_be_focused()
    page.keyboard.press("Enter")
    page.focus("#question")
    page.keyboard.type(ARTICLE_5)
    page.keyboard.press("Shift+Enter")
    expect(page.locator("#question")).to_have_value(ARTICLE_5 + "\n")
    # While an input method composes, its Enter takes a candidate and asks nothing.
    page.locator("#question").dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    expect(page.locator("#result")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("#citations li")).to_have_count(1)
    chip = page.locator("#answer .chip")
    for _ in range(8):  # the collection, three fields and the button of the day, the button to ask
        page.keyboard.press("Tab")
        if chip.evaluate("e => e === document.activeElement"):
            break
    expect(chip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_be_focused()
    expect(chip).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Tab")
    expect(page.locator("#close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(chip).to_be_focused()
    expect(chip).to_have_attribute("aria-expanded", "false")


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_narrow_screens(address: str, open_page: OpenPage, locale: str) -> None:
    """At 360 px nothing is wider than the screen; the source covers the page and takes its place for a keyboard."""
    page = open_page(address, locale=locale, width=360, height=740)
    ask(page, "When may a landlord enter under the Riverton Tenant Privacy Act?" if locale == "en-GB" else ARTICLE_5)
    page.locator("#passages-box").evaluate("e => { e.open = true }")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("#passages .open").first.click()
    expect(page.locator("#panel-text .article").first).to_be_visible()
    assert page.locator("#panel").bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 740}
    expect(page.locator("#panel")).to_have_attribute("aria-modal", "true")
    assert page.locator("#front").evaluate("e => e.inert")
    page.click("#close")
    assert not page.locator("#front").evaluate("e => e.inert")
    expect(page.locator("#passages .open").first).to_be_focused()


def test_names_for_who_does_not_see(address: str, open_page: OpenPage) -> None:
    """Every control has a name, what changes is announced, and the source is a dialogue with a title."""
    page = open_page(address)
    ask(page, ARTICLE_5)
    for role, name in [("textbox", "问题"), ("combobox", "资料范围"), ("button", "提问"), ("link", "接口文档")]:
        expect(page.get_by_role(role, name=name, exact=True)).to_be_visible()  # type: ignore[arg-type]
    expect(page.get_by_label("适用日期")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("回答完毕。")
    expect(page.locator("#answer")).to_have_attribute("aria-live", "polite")
    page.get_by_role("button", name="[1] 青禾市住房租赁条例 第五条").click()
    dialog = page.get_by_role("dialog", name="青禾市住房租赁条例 第五条")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="关闭原文").click()
    expect(dialog).to_be_hidden()


def test_what_the_service_says_beside_an_answer(address: str, open_page: OpenPage) -> None:
    """A red flag stands before the answer and is announced, other notices below it; a question back offers its choices.

    What is chosen goes out with the conversation that it belongs to.
    """
    page = open_page(address)
    flag = {"kind": "red_flag", "severity": "urgent", "topic": "stroke", "language": "zh", "text": "请立即拨打 120。"}
    age = {**flag, "kind": "missing_fact", "severity": "warning", "text": "用量取决于年龄。"}
    notices = [{**flag, "citations": []}, {**age, "citations": []}]
    asked = {"question": "是左边还是右边？", "number": 1, "most": 3, "choices": ["左边", "右边"]}
    said = {"answer_id": "a1", "model": "m", "index_generation": "g", "disclaimer": "", "notices": notices}
    answer = {
        **said,
        "answer": "是左边还是右边？",
        "citations": [],
        "passages": [],
        "abstained": False,
        "clarify": asked,
    }
    sent = []

    def reply(route: Route) -> None:
        sent.append(route.request.post_data_json)
        route.fulfill(json=answer if len(sent) == 1 else {**answer, "answer": "请就医。", "clarify": None})

    page.route("**/v1/ask", reply)
    ask(page, "突然口角歪斜")
    expect(page.get_by_role("alert")).to_contain_text("请立即拨打 120。")
    expect(page.locator("#beside")).to_contain_text("用量取决于年龄。")
    expect(page.locator("#answer-heading")).to_have_text("请补充")
    expect(page.locator("#replies button")).to_have_text(["左边", "右边", "不清楚"])
    page.get_by_role("button", name="右边").click()
    expect(page.locator("#answer")).to_have_text("请就医。")
    expect(page.locator("#replies")).to_be_hidden()
    assert sent[1]["history"] == [
        {"role": "user", "content": "突然口角歪斜"},
        {"role": "assistant", "content": "是左边还是右边？"},
    ]


def test_without_streams(address: str, open_page: OpenPage) -> None:
    """Where something on the way breaks every stream, the answer comes as a whole."""
    page = open_page(address)

    def let_no_stream_through(route: Route) -> None:
        if (route.request.post_data_json or {})["stream"]:
            route.abort()
        else:
            route.continue_()

    page.route("**/v1/ask", let_no_stream_through)
    ask(page, ARTICLE_5)
    expect(page.locator("#answer")).to_contain_text(ONE_MONTH)
    page.click("#answer .chip")
    expect(page.locator("#panel-text mark")).to_have_text(ONE_MONTH)


def test_paper(address: str, open_page: OpenPage) -> None:
    """Printed are question, answer, numbers and sources, without what one can only click."""
    page = open_page(address)
    ask(page, ARTICLE_5)
    page.click("#answer .chip")
    page.emulate_media(media="print")
    for region in ("#asked", "#answer", "#disclaimer", "#citations", "#receipt"):
        expect(page.locator(region)).to_be_visible()
    for region in ("header", "#ask", "#status", "#panel", "#passages-box"):
        expect(page.locator(region)).to_be_hidden()


def test_text_comes_as_it_is_written_and_stop_stops(
    servers: dict[str, Served], model: OpenAIChatServer, open_page: OpenPage
) -> None:
    """The first sentence is there while the model still works; Stop ends its work and says that the answer is cut."""
    page = open_page(servers["chat"].address)
    model.disconnects = 0
    model.replies.append(Reply(pieces=("出租人收取押金的，数额不得超过一个月的租金[1]。", "此外"), fault="hangs"))
    page.fill("#question", ARTICLE_5)
    page.locator("#question").press("Enter")
    expect(page.locator("#answer .chip")).to_have_text("1")
    expect(page.locator("#send")).to_be_disabled()
    expect(page.get_by_role("status")).to_have_text("正在作答…")
    page.locator("#question").press("Enter")  # asks nothing while an answer is being written
    page.click("#stop")
    expect(page.get_by_role("status")).to_have_text("已停止。")
    expect(page.locator("#answer-heading")).to_have_text("回答（不完整）")
    assert model.wait_for_disconnect()
    page.click("#answer .chip")
    expect(page.locator("#panel-text mark")).to_contain_text(ONE_MONTH)
    model.replies.append(Reply(pieces=("数额不得超过一个月的租金[1]。",)))
    ask(page, ARTICLE_5)
    expect(page.locator("#answer-heading")).to_have_text("回答")


def test_each_number_opens_its_own_quotation(
    servers: dict[str, Served], model: OpenAIChatServer, open_page: OpenPage
) -> None:
    """One source cited twice is listed once; each number opens what its sentence rests on."""
    page = open_page(servers["chat"].address)
    first, second = "主体结构和水、电、燃气等设施由出租人负责维修", "三日内未维修的，承租人可以自行维修"
    model.replies.append(Reply(pieces=(f"{first}[1]。", f"接到通知后{second}[1]。")))
    ask(page, "青禾市住房租赁条例第八条")
    expect(page.locator("#citations li")).to_have_count(1)
    expect(page.locator("#citations blockquote")).to_have_count(2)
    for n, words in enumerate((first, second)):
        page.locator("#answer .chip").nth(n).click()
        expect(page.locator("#panel-text mark")).to_have_count(1)
        expect(page.locator("#panel-text mark")).to_contain_text(words)


@pytest.mark.parametrize(
    ("reply", "heading"),
    [
        (Reply(status=400, message="no"), "未作答"),
        (Reply(pieces=("数额不得超过一个月的租金[1]。", "此外"), fault="cut"), "回答（不完整）"),
    ],
    ids=["from the start", "in the middle"],
)
def test_a_model_that_fails_leaves_the_passages(
    servers: dict[str, Served], model: OpenAIChatServer, open_page: OpenPage, reply: Reply, heading: str
) -> None:
    """The reader is told, and gets what was found."""
    page = open_page(servers["chat"].address)
    model.replies.append(reply)
    ask(page, ARTICLE_5)
    expect(page.locator("#answer-heading")).to_have_text(heading)
    expect(page.locator("#notice")).to_contain_text("模型未能完成回答")
    expect(page.get_by_role("status")).to_contain_text("模型服务出错")
    expect(page.locator("#passages li").first).to_contain_text(ONE_MONTH)


def test_a_server_that_dies_and_one_that_is_gone(
    servers: dict[str, Served], model: OpenAIChatServer, open_page: OpenPage
) -> None:
    """Cut in the middle: what came stays, marked as incomplete. Gone: it is said so, nothing old is shown as new."""
    page = open_page(servers["doomed"].address)
    model.replies.append(Reply(pieces=("数额不得超过一个月的租金[1]。", "此外"), fault="hangs"))
    page.fill("#question", ARTICLE_5)
    page.click("#send")
    expect(page.locator("#answer .chip")).to_have_text("1")
    servers["doomed"].stop()
    expect(page.locator("#notice")).to_contain_text("连接中断，回答不完整")
    expect(page.locator("#answer-heading")).to_have_text("回答（不完整）")
    expect(page.locator("#passages li").first).to_be_visible()
    page.click("#answer .chip")
    expect(page.locator("#panel-text")).to_have_text("无法连接服务，请稍后再试。")
    ask(page, ARTICLE_5)
    expect(page.get_by_role("status")).to_have_text("无法连接服务，请稍后再试。")
    expect(page.locator("#result")).to_be_hidden()


def test_a_key_where_one_is_needed(
    servers: dict[str, Served], guarded_home: tuple[Path, str], open_page: OpenPage
) -> None:
    """The page asks for the key, says when it is wrong, and shows what the right one may read."""
    page = open_page(servers["guarded"].address)
    key = page.get_by_label("此服务需要密钥")
    expect(key).to_be_focused()
    key.fill("rsk_wrong")
    key.press("Enter")
    expect(page.get_by_role("status")).to_have_text("此密钥无效、已过期或已撤销。")
    key.fill(guarded_home[1])
    key.press("Enter")
    expect(key).to_be_hidden()
    expect(page.locator("#question")).to_be_focused()
    assert page.locator("#collection option").all_inner_texts() == ["全部", "signs"]
    ask(page, "𠮷田町标牌管理办法第三条")
    page.click("#answer .chip")
    expect(page.locator("#panel-text mark")).to_have_text("标牌由𠮷田町保管。")
    expect(page.locator("#panel-link")).to_be_hidden()


def test_a_refused_question_says_why(address: str, open_page: OpenPage) -> None:
    """The service's own words come with a heading in the reader's language."""
    page = open_page(address)
    page.select_option("#collection", "law")
    page.locator("#collection option:checked").evaluate("e => { e.value = 'gone' }")
    ask(page, ARTICLE_5)
    expect(page.get_by_role("status")).to_contain_text("未找到: ")
    expect(page.locator("#result")).to_be_hidden()


def test_the_reference_over_the_real_service(address: str, open_page: OpenPage) -> None:
    """Every operation is listed, offline."""
    page = open_page(address, "/schema")
    expect(page.locator("summary", has_text="/v1/ask")).to_be_visible()
    assert page.locator("details.operation").count() >= 15
