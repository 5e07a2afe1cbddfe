"""PDF: paragraphs from lines, pages, running lines, tables."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader, PdfWriter

from ragsvc.errors import UnreadableFile
from ragsvc.loading.limits import DEFAULT_LIMITS
from ragsvc.loading.pdf import read_pdf
from ragsvc.loading.pdf_layout import paragraphs
from ragsvc.loading.pdf_lines import Line, join_lines

from .made_files import pdf_bytes

LONG = "This sentence fills the line from the left margin to the right one and then it"


def page(number: int, *texts: str, foot: float = 40) -> list[tuple[float, float, float, str]]:
    """A page with a header, these lines and a page number."""
    body = [(72.0, 700.0 - 14 * at, 12.0, text) for at, text in enumerate(texts)]
    return [(250, 760, 9, "ACME Annual Report"), *body, (300, foot, 9, f"- {number} -")]


def test_lines_become_paragraphs_over_pages_and_running_lines_go() -> None:
    """A paragraph broken by a line end or a page end is one; page numbers and headers are not in the text."""
    content = pdf_bytes(
        [
            page(1, LONG, "goes on here.", "Second paragraph is short.", LONG),
            page(2, "runs over the page.", "Last words."),
            page(3, "Only a short page.", foot=600),
        ]
    )
    found = read_pdf(content, "a.pdf", DEFAULT_LIMITS)
    blocks = [(b.kind, b.page, found.text[b.start : b.end]) for b in found.blocks if b.kind != "page"]
    assert blocks == [
        ("paragraph", 1, f"{LONG} goes on here."),
        ("paragraph", 1, "Second paragraph is short."),
        ("paragraph", 1, f"{LONG} runs over the page."),
        ("paragraph", 2, "Last words."),
        ("paragraph", 3, "Only a short page."),
    ]
    assert found.warnings == ["left out on 3 pages: 'ACME Annual Report'"]
    pages = {b.page: found.text[b.start : b.end] for b in found.blocks if b.kind == "page"}
    assert pages[2] == "runs over the page.\n\nLast words."
    assert pages[1].endswith(LONG)


def test_rows_of_a_table_stay_rows() -> None:
    """Lines with wide gaps are rows with cells, and are never joined into a sentence."""
    rows = [[(72, 700, 12, "Revenue"), (300, 700, 12, "5,748"), (450, 700, 12, "4,635")]]
    rows.append([(72, 680, 12, "Total costs"), (300, 680, 12, "1,100"), (450, 680, 12, "900")])
    found = read_pdf(pdf_bytes([[(72, 740, 12, "Figures in millions."), *rows[0], *rows[1]]]), "a.pdf", DEFAULT_LIMITS)
    blocks = [(b.kind, found.text[b.start : b.end]) for b in found.blocks if b.kind != "page"]
    assert blocks == [
        ("paragraph", "Figures in millions."),
        ("table", "Revenue | 5,748 | 4,635\nTotal costs | 1,100 | 900"),
    ]


def lines(*rows: tuple[str, float, float]) -> list[list[Line]]:
    """One page of Chinese lines: text, left, right; 16 pt type, 28 pt apart, margins 80 and 520."""
    return [
        [
            Line(text=text, page=1, left=left, right=right, bottom=700.0 - 28 * at, size=16.0)
            for at, (text, left, right) in enumerate(rows)
        ]
    ]


def joined(pages: list[list[Line]]) -> list[str]:
    texts = []
    for paragraph in paragraphs(pages):
        text = ""
        for line in paragraph.lines:
            text = join_lines(text, line.text)
        texts.append(text)
    return texts


def test_chinese_statute_layout() -> None:
    """An article is one paragraph; an indented line begins another even after a full one; headings stay alone."""
    assert joined(
        lines(
            ("第一章 总 则", 240, 360),
            ("第一条 为优化民营经济发展环境，保证各类经济组织公平", 112, 520),
            ("参与市场竞争，根据宪法，制定本法。", 80, 360),
            ("国家坚持和完善公有制为主体、多种所有制经济共同发展。", 112, 520),
            ("第二条 依照", 112, 520),
            ("第三条规定办理。", 80, 220),
        )
    ) == [
        "第一章 总 则",
        "第一条 为优化民营经济发展环境，保证各类经济组织公平参与市场竞争，根据宪法，制定本法。",
        "国家坚持和完善公有制为主体、多种所有制经济共同发展。",
        "第二条 依照第三条规定办理。",
    ]


def test_a_contents_page_keeps_its_lines() -> None:
    """Lines with leader dots reach the right margin but do not run on."""
    contents = [("第一章 总则 ………………………… 1", 80, 520), ("第二章 附则 ………………………… 9", 80, 520)]
    assert joined(lines(*contents)) == [text for text, _, _ in contents]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("保证各类", "经济组织", "保证各类经济组织"),
        ("发病 31.65", "万", "发病 31.65万"),
        ("the right", "to erasure", "the right to erasure"),
        ("non-", "trade", "non-trade"),
        ("exam\ufffe", "ple", "example"),
    ],
)
def test_joining_lines(before: str, after: str, expected: str) -> None:
    """Spaces go between Latin words only; a hyphen that only the line end made goes."""
    assert join_lines(before, after) == expected


def encrypted(content: bytes, user_password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(content)))
    writer.encrypt(user_password=user_password, owner_password="owner", algorithm="RC4-128")
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_a_password_is_said() -> None:
    """A PDF that needs a password to open is refused with what to do; one that only restricts printing is read."""
    content = pdf_bytes([page(1, "Readable text.")])
    with pytest.raises(UnreadableFile, match="protected by a password"):
        read_pdf(encrypted(content, "secret"), "a.pdf", DEFAULT_LIMITS)
    assert "Readable text." in read_pdf(encrypted(content, ""), "a.pdf", DEFAULT_LIMITS).text


def test_damage_is_said() -> None:
    """A file with a PDF header and no PDF behind it is refused."""
    with pytest.raises(UnreadableFile, match="damaged PDF"):
        read_pdf(b"%PDF-1.7\nnothing", "a.pdf", DEFAULT_LIMITS)


def test_pages_without_text_are_reported() -> None:
    """A page that is a picture is named in a warning."""
    found = read_pdf(pdf_bytes([page(1, "Some text."), []]), "a.pdf", DEFAULT_LIMITS)
    assert found.warnings == ["pages without text: 2"]
