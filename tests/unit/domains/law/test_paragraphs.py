"""Places inside an article."""

from __future__ import annotations

import pytest

from ragsvc.domains.law.paragraphs import eu_paragraphs_of, find_paragraph, paragraphs_of

ZH = (
    "第六条 计算如下：\n\n（一）甲；\n\n（二）乙：\n\n1.子；\n\n2.丑。\n\n"
    "前款第一项另有规定。\n\n有下列情形的除外：\n\n（一）丙。\n\n"
)
EU = """Article 6
Lawfulness of processing

1. Processing shall be lawful only if:

(a) consent was given;

(b) it is necessary:

(i) for a contract;

(ii) for a duty.

Point (b) shall not apply to public authorities.

2. Member States may add to paragraph 1.
"""


def found(article: str, paragraph: str, item: str = "") -> str | None:
    span = find_paragraph(article, paragraph, item)
    return span and article[span[0] : span[1]]


@pytest.mark.parametrize(
    ("paragraph", "item", "start", "end"),
    [
        ("1", "", "第六条", "2.丑。"),
        ("2", "", "前款", "规定。"),
        ("3", "", "有下列", "（一）丙。"),
        ("1", "1", "（一）甲", "甲；"),
        ("1", "2", "（二）乙", "2.丑。"),
        ("", "2", "（二）乙", "2.丑。"),
        ("3", "1", "（一）丙", "丙。"),
        ("", "", "第六条", "丙。"),
    ],
)
def test_paragraphs_and_items_of_a_chinese_article_are_found(paragraph: str, item: str, start: str, end: str) -> None:
    """第N款 counts lines, items excepted; 第（N）项 reaches to the next item of its style."""
    text = found(ZH, paragraph, item)
    assert text is not None
    assert text.startswith(start)
    assert text.endswith(end)


@pytest.mark.parametrize(("paragraph", "item"), [("4", ""), ("0", ""), ("2", "1"), ("1", "3"), ("b", ""), ("1", "b")])
def test_what_a_chinese_article_lacks_is_not_found(paragraph: str, item: str) -> None:
    """No near match is given for a paragraph or item that does not exist."""
    assert found(ZH, paragraph, item) is None


def test_lines_that_do_not_end_a_sentence_run_on() -> None:
    """A rate table in lines is one paragraph."""
    assert len(paragraphs_of("第一条 数额为：\n501吨的部分，500元；\n3001吨的部分，333元。\n其他船舶另行规定。")) == 2


@pytest.mark.parametrize(
    ("paragraph", "item", "text"),
    [
        ("2", "", "2. Member States may add to paragraph 1."),
        ("1", "a", "(a) consent was given;"),
        ("1", "b", "(b) it is necessary:\n\n(i) for a contract;\n\n(ii) for a duty."),
        ("3", "", None),
        ("1", "c", None),
    ],
)
def test_paragraphs_and_points_of_a_european_article_are_found(paragraph: str, item: str, text: str | None) -> None:
    """6(1)(b) is the point with its sub-points, without the subparagraph that follows it."""
    assert found(EU, paragraph, item) == text


def test_a_point_whose_mark_stands_alone_takes_the_next_line() -> None:
    """Layout tables give the mark and the text as two lines."""
    text = "Article 3\n\n(a)\n\nfirst;\n\n(b)\n\nsecond.\n\nThe rest."
    assert found(text, "", "b") == "(b)\n\nsecond."
    assert found(text, "a") == "(a)\n\nfirst;"


def test_definitions_count_as_paragraphs() -> None:
    """Article 4 of the GDPR has points (1) to (26) and no paragraphs."""
    text = "Article 4\nDefinitions\n\nIn this Regulation:\n\n(1) ‘a’ means b;\n\n(2) ‘c’ means d."
    assert [n.mark for n in eu_paragraphs_of(text)] == ["1", "2"]
    assert found(text, "2") == "(2) ‘c’ means d."
