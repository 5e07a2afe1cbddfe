"""Which lines open an article, and which only mention one."""

from __future__ import annotations

from ragsvc.domains.law.outline import outline


def labels(text: str, kind: str = "article", *, is_amendment: bool = False) -> list[str]:
    return [mark.label for mark in outline(text, is_amendment=is_amendment) if mark.kind == kind]


def addresses(text: str) -> list[str]:
    return [mark.address for mark in outline(text) if mark.kind == "article"]


def test_thousands_and_inserted_articles_are_read() -> None:
    """第一千条 and 第一百三十三条之一 are articles with canonical addresses."""
    text = "第一百三十三条 甲。\n第一百三十三条之一 乙。\n第一百三十三条之二 丙。\n第一百三十四条 丁。\n"
    text += "第一千条 戊。\n第一千零一条 己。"
    assert addresses(text) == ["133", "133-1", "133-2", "134", "1000", "1001"]


def test_full_width_digits_and_blanks_inside_the_number_are_read() -> None:
    """第１条 is Article 1; blanks inside the number are not part of the locator."""
    text = "第１条　甲。\n第 ２ 条　乙。\n第三 条丙。"
    assert addresses(text) == ["1", "2", "3"]
    assert labels(text) == ["第１条", "第２条", "第三条"]


def test_a_cross_reference_at_the_start_of_a_line_is_no_article() -> None:
    """What follows the number gives it away, even where the number is the next one."""
    text = (
        "第十四条 甲。\n第十五条的规定适用于前款。\n第二十条第一款所列情形除外。\n第十五条 乙。\n"
        "第十六条规定的期限，从其规定。\n第十六条 丙。\n第十七条、第十八条另有规定的除外。\n第十七条 丁。"
    )
    assert addresses(text) == ["14", "15", "16", "17"]
    assert addresses("第四十条 甲。\n第四十一条 与本案有关的下列证据，可以申请调取。") == ["40", "41"]


def test_a_spaced_reference_that_breaks_the_sequence_is_no_article() -> None:
    """第九十条 set off by a blank is believed only if the next number does not come later."""
    assert addresses("第一条 甲。\n第二条 乙。\n第九十条 所述事项另行规定。\n第三条 丙。") == ["1", "2", "3"]
    assert addresses("第一条 甲。\n第二条 乙。\n第九十条 丁。\n第三条 丙。") == ["1", "2", "3"]


def test_missing_numbers_are_jumped_over() -> None:
    """A text without 第五十四条 goes on at 第五十五条."""
    assert addresses("第五十三条 甲。\n第五十五条 乙。\n第五十六条 丙。") == ["53", "55", "56"]


def test_articles_without_a_blank_after_the_number_are_read_in_sequence() -> None:
    """第十一条出租人… is an article when it continues the sequence."""
    assert addresses("第十条 甲。\n第十一条出租人请求解除合同的，应予支持。\n第十二条诉讼期间有争议的，可以评估。") == [
        "10",
        "11",
        "12",
    ]


def test_an_annexed_act_keeps_its_articles_but_not_their_addresses() -> None:
    """Numbering that starts again belongs to another text: its articles must not answer for the first."""
    text = "第一条 甲。\n第二条 乙。\n第三条 丙。\n附件：工作规程\n第一条 子。\n第二条 丑。\n"
    assert addresses(text) == ["1", "2", "3", "", ""]
    assert labels(text, "annex") == ["附件：工作规程"]


def test_an_amendment_owns_only_its_own_sequence() -> None:
    """Articles that an amendment quotes are part of the article that quotes them."""
    text = "第五十一条 甲。\n第五十二条 增加五条：\n第七节 监察委员会\n第一百二十三条 乙。\n第一百二十四条 丙。\n"
    assert labels(text, is_amendment=True) == ["第五十一条", "第五十二条"]
    assert labels(text, "heading", is_amendment=True) == []


def test_paragraphs_numbered_with_words_are_the_articles_of_a_text_without_any() -> None:
    """一、二、 count from one without a gap; a single 一、 is no outline."""
    assert addresses("现批复如下：\n一、甲。\n二、乙。\n") == ["1", "2"]
    assert outline("现批复如下：\n一、甲。\n") == []
    assert outline("一、甲。\n二、乙。\n", is_act=False) == []


def test_contents_end_where_their_first_line_comes_again() -> None:
    """Chapter names in the contents are no headings."""
    text = "某法\n目　录\n第一章　总　则\n第二章　罚则\n第一章　总　则\n第一条　甲。\n第二章　罚则\n第二条　乙。"
    assert labels(text, "contents") == ["目录"]
    assert labels(text, "heading") == ["第一章 总则", "第二章 罚则"]


def test_headings_broken_in_two_are_joined() -> None:
    """A chapter title that runs over two lines is one heading."""
    text = "## 第一章 听取和审议人民政府、人民法院和\n\n人民检察院的专项工作报告\n\n第一条 甲。\n\n第二条 乙。"
    assert labels(text, "heading") == ["第一章 听取和审议人民政府、人民法院和人民检察院的专项工作报告"]


def test_headings_that_lost_their_number_are_seen_between_articles() -> None:
    """A short line between the end of a sentence and an article is a heading; a formula or an item is not."""
    text = "第一条 甲。\n农产品生产\n第二条 公式为：\n税额＝价格×税率\n第三条 乙。"
    assert labels(text, "heading") == ["农产品生产"]


def test_a_sentence_about_a_chapter_is_no_heading() -> None:
    """第七节相应改为第八节 and 第三章规定的 are text."""
    assert labels("第一条 甲。\n第七节相应改为第八节。\n第三章规定的情形除外\n第二条 乙。", "heading") == []


def test_signature_and_date_are_not_part_of_the_last_article() -> None:
    """Lines under the last article that sign it open a colophon; without a date there is none."""
    text = "一、甲。\n二、乙。\n最高人民检察院\n1997年10月6日\n"
    assert [text.index("最高")] == [mark.start for mark in outline(text) if mark.kind == "colophon"]
    assert labels("一、甲。\n二、乙。\n特此通知\n", "colophon") == []
