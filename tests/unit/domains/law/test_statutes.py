"""Chunks of statutes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ragsvc.chunking.tiling import tiling_fault
from ragsvc.domains.law.statutes import LONG_ARTICLE_CHARS, chunk_statute
from ragsvc.records import Chunk, DocumentFacts

LAW = DocumentFacts(title="某法", kind="法律", language="zh")


def texts(text: str, chunks: list[Chunk], kind: str) -> list[str]:
    return [text[c.start : c.end].strip() for c in chunks if c.kind == kind]


TEXT = """# 某法

2020年5月28日 通过

<!-- INFO END -->

## 第一编  总　则

### 第一章 一般规定

**第一条** 为了测试，制定本法。

　　第二条 甲。

乙。

## 附件一

附件的内容。
"""


def test_articles_start_at_their_number_and_carry_their_headings() -> None:
    """Marks and indents stay in the text but never in what a reader sees as locator or path."""
    chunks = chunk_statute(TEXT, LAW)
    articles = [c for c in chunks if c.kind == "article"]
    assert [c.locator for c in articles] == ["第一条", "第二条"]
    assert [TEXT[c.start : c.start + 3] for c in articles] == ["第一条", "第二条"]
    assert {("第一编 总则", "第一章 一般规定")} == {c.heading_path for c in articles}
    assert TEXT[articles[1].start : articles[1].end].strip() == "第二条 甲。\n\n乙。"


def test_every_part_has_its_kind() -> None:
    """Front matter, headings, articles, annex; the annex is reachable under its own heading."""
    chunks = chunk_statute(TEXT, LAW)
    assert [c.kind for c in chunks] == ["front", "heading", "heading", "article", "article", "heading", "annex"]
    assert chunks[-1].heading_path == ("附件一",)
    assert tiling_fault(chunks, len(TEXT)) is None


def test_the_part_opens_the_heading_path() -> None:
    """One book of a code in a file of its own says which book it is."""
    chunks = chunk_statute(
        "第五百条 甲。\n第五百零一条 乙。", DocumentFacts(title="民法典", part="合同编", kind="法律")
    )
    assert [c.heading_path for c in chunks] == [("合同编",), ("合同编",)]


def test_a_long_article_is_divided_into_paragraphs() -> None:
    """The article is a parent over its 款; items stay with the paragraph that announces them."""
    first = "第一条 " + "甲" * LONG_ARTICLE_CHARS + "：\n（一）子；\n（二）丑。\n"
    text = first + "乙。\n第二条 丙。\n"
    chunks = chunk_statute(text, LAW)
    assert [c.is_leaf for c in chunks] == [False, True, True, True]
    assert [c.locator for c in chunks] == ["第一条", "第一条第一款", "第一条第二款", "第二条"]
    assert [c.address for c in chunks] == ["1", "1.1", "1.2", "2"]
    assert [c.parent for c in chunks] == [None, 0, 0, None]
    assert first == text[chunks[1].start : chunks[1].end]


def test_a_preamble_is_cut_into_sections() -> None:
    """Text under a heading and above the first article is found under that heading."""
    text = "## 序言\n\n香港自古以来就是中国的领土。\n\n## 第一章 总则\n\n第一条 甲。\n\n第二条 乙。"
    sections = [c for c in chunk_statute(text, LAW) if c.kind == "section"]
    assert [c.heading_path for c in sections] == [("序言",)]


def test_a_text_without_articles_gives_nothing() -> None:
    """It is for the general chunker then."""
    assert chunk_statute("某院：\n你院请示收悉。经研究，同意。\n此复。", LAW) == []


LINES = st.sampled_from(
    [
        "# 某法",
        "目　录",
        "第一章 总则",
        "## 第二章 罚则",
        "第一条 甲。",
        "第二条 乙：",
        "第二条之一 丙",
        "第三条的规定除外。",
        "（一）子；",
        "（二）丑。",
        "一、甲。",
        "二、乙。",
        "附件一",
        "附：表",
        "总则",
        "2020年1月1日",
        "<!-- INFO END -->",
        "",
        "\u3000\u3000",
        "\u200b",
        "丁" * 700,
        "第一千条 戊",
        "| a | b |",
        "##",
    ]
)


@settings(max_examples=300)
@given(st.lists(LINES, max_size=40), st.sampled_from(["\n", "\n\n"]), st.booleans())
def test_leaves_tile_any_mixture_of_lines(lines: list[str], separator: str, is_amendment: bool) -> None:
    """Whatever lines come in whatever order: no code point is lost or doubled, no address is used twice."""
    text = separator.join(lines)
    facts = DocumentFacts(title="某法修正案" if is_amendment else "某法", kind="法律")
    chunks = chunk_statute(text, facts)
    assert not chunks or tiling_fault(chunks, len(text)) is None
    used = [c.address for c in chunks if c.address]
    assert len(used) == len(set(used))
