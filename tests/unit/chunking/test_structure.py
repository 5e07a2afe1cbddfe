"""The general chunker: headings, tables, paragraphs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ragsvc.chunking.structure import PASSAGE_CHARS_EN, PASSAGE_CHARS_ZH, StructureChunker
from ragsvc.chunking.tiling import tiling_fault
from ragsvc.records import Block, Chunk, LoadedDocument

CHUNKER = StructureChunker()


def document(text: str, blocks: tuple[Block, ...] = (), name: str = "a.md", title: str = "") -> LoadedDocument:
    return LoadedDocument(name=name, text=text, media_type="text/plain", source_sha256="", blocks=blocks, title=title)


def chunks_of(text: str, blocks: tuple[Block, ...] = ()) -> list[Chunk]:
    loaded = document(text, blocks)
    return CHUNKER.chunk(loaded, CHUNKER.describe(loaded))


def test_markdown_headings_become_the_heading_path() -> None:
    """Passages carry the headings above them; a heading of the same level replaces the last."""
    chunks = chunks_of("# 手册\n\n## 一 用法\n\n每日一次。\n\n## 二 禁忌\n\n孕妇禁用。\n")
    passages = {c.heading_path for c in chunks if c.kind == "passage"}
    assert {("手册", "一 用法"), ("手册", "二 禁忌")} == passages


def test_numbered_headings_are_seen_in_plain_text() -> None:
    """一、 and （一） nest although nothing marks them."""
    text = (
        "诊疗方案\n\n一、诊断\n\n（一）标准\n\n符合下列条件的可以确诊，并应当上报。\n\n二、治疗\n\n卧床休息，多饮水。\n"
    )
    paths = [c.heading_path for c in chunks_of(text) if c.kind == "passage"]
    assert paths == [(), ("一、诊断", "（一）标准"), ("二、治疗",)]


def test_numbered_list_items_stay_searchable() -> None:
    """Numbered lines without text of their own are items of a list, not headings."""
    chunks = chunks_of("适用人群\n\n1. 老年患者\n2. 儿童患者\n3. 孕妇患者\n\n以上人群应当谨慎使用本品。\n")
    assert [c for c in chunks if c.kind == "heading"] == []
    assert all(c.is_searchable for c in chunks)


def test_paragraphs_are_merged_up_to_the_size_of_the_language() -> None:
    """Chinese passages hold about 800 characters, English ones about 1,600."""
    zh = [c.end - c.start for c in chunks_of("这是一个用来测试的普通段落，说明如何合并。\n\n" * 200)]
    en = [c.end - c.start for c in chunks_of("This is an ordinary paragraph about merging.\n\n" * 200)]
    assert PASSAGE_CHARS_ZH / 2 < max(zh) <= PASSAGE_CHARS_ZH
    assert PASSAGE_CHARS_EN / 2 < max(en) <= PASSAGE_CHARS_EN


def test_tables_stand_alone() -> None:
    """A table is one chunk, whatever its length, and nothing else is in it."""
    table = "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 300
    chunks = chunks_of(f"Before the table.\n\n{table}\nAfter the table.\n")
    tables = [c for c in chunks if c.kind == "table"]
    assert [len(table)] == [len(f"Before the table.\n\n{table}\nAfter"[c.start : c.end].strip()) + 1 for c in tables]


def test_blocks_of_the_format_win_over_the_look_of_the_text() -> None:
    """A heading that the format states is one, though it reads like a sentence."""
    text = "Take care.\n\nDo not drive.\n\nMore text follows here."
    chunks = chunks_of(text, (Block(kind="heading", start=0, end=10, level=1),))
    assert [c.kind for c in chunks] == ["heading", "passage"]
    assert chunks[1].heading_path == ("Take care.",)


def test_title_falls_back_from_heading_to_first_line_to_name() -> None:
    """The first heading names the document, else a short first line, else the format's title or the name."""
    assert CHUNKER.describe(document("# 用药指南\n\n正文。")).title == "用药指南"
    assert CHUNKER.describe(document("用药指南\n\n正文。")).title == "用药指南"
    assert CHUNKER.describe(document("这是正文的第一句话。", title="说明书")).title == "说明书"
    assert CHUNKER.describe(document("这是正文的第一句话。", name="阿司匹林.txt")).title == "阿司匹林"
    assert CHUNKER.describe(document("UNITED STATES\n\nForm 10-K", name="10-K_IBM.html")).title == "10-K_IBM"


LINES = st.sampled_from(
    [
        "# A",
        "## 二",
        "一、概述",
        "（一）诊断",
        "1. 项目",
        "正文一句。",
        "Some text here.",
        "| a | b |",
        "",
        "   ",
        "\u3000缩进",
        "x" * 900,
    ]
)


@given(st.lists(LINES, max_size=30), st.sampled_from(["\n", "\n\n"]))
def test_leaves_tile_any_mixture_of_lines(lines: list[str], separator: str) -> None:
    """Every code point is in exactly one leaf."""
    text = separator.join(lines)
    assert tiling_fault(chunks_of(text), len(text)) is None


@given(st.lists(LINES, min_size=1, max_size=20), st.data())
def test_leaves_tile_whatever_the_blocks(lines: list[str], data: st.DataObject) -> None:
    """Blocks may lie anywhere, overlap or repeat: the text is tiled all the same."""
    text = "\n".join(lines)
    kinds = st.sampled_from(["heading", "table", "paragraph", "page", "title"])
    edge = st.integers(0, len(text))
    drawn = data.draw(st.lists(st.tuples(kinds, edge, edge), max_size=6))
    blocks = tuple(
        Block(kind=k, start=min(a, b), end=max(a, b), level=1) for k, a, b in sorted(drawn, key=lambda t: t[1])
    )
    assert tiling_fault(chunks_of(text, blocks), len(text)) is None
