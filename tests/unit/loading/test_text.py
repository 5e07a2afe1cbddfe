"""Text and Markdown: decoding and blocks."""

from __future__ import annotations

import codecs
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.errors import UnreadableFile
from ragsvc.loading import load_file
from ragsvc.loading.text import decode, load_text, markdown_blocks

STATUTE = "第一条 为了规范网络交易，制定本办法。\n"


@pytest.mark.parametrize(
    "content",
    [
        STATUTE.encode(),
        codecs.BOM_UTF8 + STATUTE.encode(),
        codecs.BOM_UTF16_LE + STATUTE.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + STATUTE.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + STATUTE.encode("utf-32-le"),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16-le", "utf-16-be", "utf-32-le"],
)
def test_unicode_encodings_give_the_same_text_without_a_warning(content: bytes) -> None:
    """Every Unicode encoding that Windows or Linux writes gives the text, without its byte order mark."""
    assert decode(content, "a.txt") == (STATUTE, ())


def test_gb18030_is_read_and_said() -> None:
    """Old Chinese files are read as GB18030, rare characters included, and the librarian is told."""
    text = "镕、喆、㛃是人名用字，其余文字均为常用汉字，本条例适用于上述人员。"
    assert decode(text.encode("gb18030"), "a.txt") == (text, ("is not UTF-8; was read as gb18030",))


@pytest.mark.parametrize("text", ["Café au lait — a naïve “test” of Müller’s files.", "Crédit agréé à l’unité"])
def test_windows_latin_is_not_taken_for_chinese(text: str) -> None:
    """Accents and typographic quotes of a Western file do not turn into Chinese characters."""
    assert decode(text.encode("cp1252"), "a.txt") == (text, ("is not UTF-8; was read as cp1252",))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_read_and_said(encoding: str) -> None:
    """The byte order is the one in which the characters are common ones."""
    text = "第一条 为了规范网络交易，制定本办法。\r\nArticle 2\n"
    assert decode(text.encode(encoding), "a.txt") == (text, (f"has no byte order mark; was read as {encoding}",))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("第一條 為了規範網路交易，制定本辦法。".encode("big5"), "save it as UTF-8"),
        (b"\x00\x01\x02binary", "NUL"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8a", "marked as utf-16-le"),
        (b"\x01\x02\x03\x04 beep", "control codes"),
        (bytes(range(128, 256)) * 4, "save it as UTF-8"),
        (b" \n\t\r\n", "only white space"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    """Binary files, other encodings and blank files are refused; nothing is guessed."""
    with pytest.raises(UnreadableFile, match=reason):
        load_text(content, "a.txt", "text")


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(content: bytes) -> None:
    """Whatever a file holds, it becomes a document or an UnreadableFile."""
    try:
        document = load_text(content, "a.md", "markdown")
    except UnreadableFile:
        return
    assert document.text.strip()
    assert "\r" not in document.text


@given(st.text(st.sampled_from("#-|`~ \n\t1.第条a"), max_size=80))
def test_markdown_blocks_are_in_order_and_cover_every_line_of_text(text: str) -> None:
    """Blocks follow each other, never overlap or begin or end in white space, and no visible line is outside."""
    blocks = list(markdown_blocks(text))
    end = 0
    for block in blocks:
        assert end <= block.start < block.end
        assert text[block.start : block.end].strip() == text[block.start : block.end]
        end = block.end
    covered = "".join(text[block.start : block.end] for block in blocks)
    assert set("第条a") & set(text) == set("第条a") & set(covered)


def test_markdown_structure() -> None:
    """Headings come without marks and with their level; tables, lists, code and comments are told apart."""
    text = (
        "# 民法典 #\n\n公布日期\n<!-- INFO END -->\n## 第一章 总则\n第一条 甲。\n乙。\n\n- 一\n  续\n- 二\n\n"
        "| 项 | 值 |\n| --- | --- |\n| 甲 | 1 |\n\n```\n# no heading\n\n```\n第133条\n#不是标题\n"
    )
    found = [(block.kind, block.level, text[block.start : block.end]) for block in markdown_blocks(text)]
    assert found == [
        ("heading", 1, "民法典"),
        ("paragraph", 0, "公布日期"),
        ("heading", 2, "第一章 总则"),
        ("paragraph", 0, "第一条 甲。\n乙。"),
        ("list", 0, "- 一\n  续"),
        ("list", 0, "- 二"),
        ("table", 0, "| 项 | 值 |\n| --- | --- |\n| 甲 | 1 |"),
        ("paragraph", 0, "```\n# no heading\n\n```\n第133条\n#不是标题"),
    ]


def test_line_ends_become_newlines_and_nothing_else_changes(tmp_path: Path) -> None:
    """Windows and old Mac line ends become newlines; full-width spaces and zero-width characters stay."""
    path = tmp_path / "a.txt"
    path.write_bytes("一\r\n\u3000\u200b二\r三\n".encode())
    assert load_file(path).text == "一\n\u3000\u200b二\n三\n"


def test_lost_characters_are_reported(tmp_path: Path) -> None:
    """Replacement characters in the source are counted in a warning: the text cannot be quoted truly there."""
    path = tmp_path / "a.txt"
    path.write_text("费用\ufffd\ufffd元", encoding="utf-8")
    assert load_file(path).warnings == ("2 characters were already lost when the file was made (U+FFFD)",)


def test_markdown_is_fast(tmp_path: Path) -> None:
    """10,000 articles of a statute load in a second."""
    path = tmp_path / "law.md"
    path.write_text("".join(f"第{n}条 {'当事人应当遵循公平原则。' * 8}\n\n" for n in range(10_000)), encoding="utf-8")
    start = time.perf_counter()
    document = load_file(path)
    assert time.perf_counter() - start < 1.0
    assert len(document.blocks) == 10_000
