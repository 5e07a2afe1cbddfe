"""Slides, books, OpenDocument, Rich Text and old Office files, made on the spot and read in the parsing process."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pypandoc  # type: ignore[import-untyped]
import pytest
from pptx import Presentation
from pptx.util import Inches

from ragsvc.errors import UnreadableFile
from ragsvc.loading import ParserProcess, load_file
from ragsvc.loading.limits import DEFAULT_LIMITS
from ragsvc.loading.office import read_office
from ragsvc.records import LoadedDocument

GUIDE = """---
title: Guide
---
# Chapter 1

Some text with a note.[^1]

| Dose  | Age   |
|-------|-------|
| 25 mg | adult |

## 第一节 用法

- item one
- item two

[^1]: The note.
"""


def blocks(document: LoadedDocument) -> list[tuple[str, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


@pytest.fixture
def guide(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The same document in the format that the test asks for."""
    path = tmp_path / f"guide.{request.param}"
    command = [pypandoc.get_pandoc_path(), "--standalone", "--from", "markdown", "--output", str(path)]
    subprocess.run(command, input=GUIDE.encode(), check=True)
    return path


@pytest.mark.parametrize("guide", ["epub", "odt", "rtf"], indirect=True)
def test_books_and_texts_keep_headings_tables_and_notes(guide: Path, parser: ParserProcess) -> None:
    """One document in three formats gives the same headings, table and items."""
    found = blocks(load_file(guide, parser=parser))
    assert ("heading", "Chapter 1") in found
    assert ("heading", "第一节 用法") in found
    assert ("table", "Dose | Age\n25 mg | adult") in found
    assert [text for kind, text in found if kind == "list"][:2] == ["item one", "item two"]
    assert any("The note." in text and "↩" not in text for _, text in found)


def test_rich_text_in_a_chinese_code_page(tmp_path: Path, parser: ParserProcess) -> None:
    """Bytes of GB18030 that WordPad writes become their characters."""
    coded = "".join(f"\\'{byte:02x}" for byte in "第一条 本办法".encode("gbk"))
    path = tmp_path / "a.rtf"
    path.write_bytes(f"{{\\rtf1\\ansi\\ansicpg936 {coded}\\par Article 1}}".encode("ascii"))
    assert load_file(path, parser=parser).text.startswith("第一条 本办法")


def test_slides(tmp_path: Path, parser: ParserProcess) -> None:
    """A slide's title is a heading, its number the page; lists, tables and notes are there."""
    slides = Presentation()
    first = slides.slides.add_slide(slides.slide_layouts[1])
    first.shapes.title.text = "Adverse events"
    first.placeholders[1].text = "Headache\nNausea"
    table = first.shapes.add_table(2, 2, Inches(1), Inches(3), Inches(4), Inches(1)).table
    for at, text in enumerate(("Dose", "Rate", "5 mg", "12%")):
        table.cell(at // 2, at % 2).text = text
    first.notes_slide.notes_text_frame.text = "Speak slowly"
    second = slides.slides.add_slide(slides.slide_layouts[5])
    second.shapes.title.text = "第二页"
    path = tmp_path / "talk.pptx"
    slides.save(path)
    document = load_file(path, parser=parser)
    assert blocks(document) == [
        ("paragraph", "Speak slowly"),
        ("heading", "Adverse events"),
        ("paragraph", "Headache"),
        ("paragraph", "Nausea"),
        ("table", "Dose | Rate\n5 mg | 12%"),
        ("heading", "第二页"),
    ]
    assert [block.page for block in document.blocks] == [1, 1, 1, 1, 1, 2]


OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "WordDocument\x00".encode("utf-16-le")


def test_old_office_files_say_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without LibreOffice the reason names it; a password and an empty container are told apart."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnreadableFile, match=r"needs LibreOffice.*or save it as \.docx"):
        read_office(OLD_WORD, "a.doc", DEFAULT_LIMITS)
    with pytest.raises(UnreadableFile, match="protected by a password"):
        read_office(OLD_WORD + "EncryptedPackage".encode("utf-16-le"), "a.docx", DEFAULT_LIMITS)
    with pytest.raises(UnreadableFile, match="holds no Word, Excel or PowerPoint"):
        read_office(OLD_WORD[:600], "a.doc", DEFAULT_LIMITS)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice (Debian: libreoffice-writer-nogui)")
def test_an_old_word_file_is_converted(statute_docx: Path, tmp_path: Path, parser: ParserProcess) -> None:
    """A .doc gives the text of the .docx that it was made from."""
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "doc"]
    subprocess.run([*command, "--outdir", str(tmp_path), str(statute_docx)], check=True, capture_output=True)
    document = load_file(statute_docx.with_suffix(".doc"), parser=parser)
    assert ("heading", "第一章 总则") in blocks(document)
    assert "第一条 为了示范，制定本条例。" in document.text
