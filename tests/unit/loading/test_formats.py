"""Which files are read, and how the others are refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ragsvc.errors import UnreadableFile
from ragsvc.loading import LoadingLimits, ParserProcess, load_file
from ragsvc.loading.formats import detect_format, read_bytes

ZIP = b"PK\x03\x04" + b"\x00" * 30


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("law.md", b"# Title", "markdown"),
        ("LAW.TXT", b"text", "text"),
        ("a.docx", ZIP, "docx"),
        ("a.pdf", b"junk before %PDF-1.7", "pdf"),
        ("a.html", b"<p>fragment", "html"),
        ("a.htm", b"\xef\xbb\xbf \n<!DOCTYPE html><html>", "html"),
        ("a.xhtml", b'<?xml version="1.0"?><html xmlns="x">', "html"),
        ("download", b"%PDF-1.4", "pdf"),
        ("upload", b"<html>", "html"),
        ("notes.txt", b"%PDF-1.7", "pdf"),
        ("page.docx", b"<html>", "html"),
        ("page.txt", b"<!-- saved --><!doctype html><html>", "html"),
        ("a.pdf", ZIP, "archive"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
        ("a.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "outlook"),
        ("a.doc", b"{\\rtf1", "rtf"),
        ("scan.pdf", b"\xff\xd8\xff\xe0", "picture"),
        ("laws.zip", b"\x1f\x8b\x08", "archive"),
        ("book", ZIP[:30] + b"mimetypeapplication/epub+zip", "epub"),
        ("letter.odt", ZIP[:30] + b"mimetypeapplication/vnd.oasis.opendocument.text", "odt"),
        ("health.xml", b"<?xml version='1.0'?><doc/>", "xml"),
        ("10-Q.xml", b"<?xml version='1.0'?><!--made--><html xmlns:ix='x'>", "html"),
        ("0001193125-18-236766", b"<DOCUMENT>\n<TYPE>10-Q\n<HTML>", "html"),
        ("table.csv", b"a,b", "csv"),
        ("message", b"From: a@b.c\nTo: d@e.f\nSubject: x\n\ntext", "mail"),
        ("letter.txt", b"From: a@b.c\nTo: d@e.f\nSubject: x\n\ntext", "text"),
        ("\u6c11\u6cd5\u5178", "\u7b2c\u4e00\u6761".encode(), "text"),
    ],
)
def test_content_and_extension_together_decide(name: str, head: bytes, expected: str) -> None:
    """Bytes that can be nothing else decide; the extension is believed where they leave it open."""
    assert detect_format(name, head) == expected


@pytest.mark.parametrize(
    ("name", "head", "reason"),
    [
        ("a.pdf", b"no pdf at all", "does not begin as one"),
        ("a.docx", b"plain text", "does not begin as one"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c", "pack it as zip"),
        ("setup.exe", b"MZ\x90\x00", "a program"),
        ("blob.bin", b"\x00\x01\x02", r"of a kind that is not read \(\.bin\)"),
        ("blob", b"\x00\x01\x02", "no extension"),
    ],
)
def test_what_is_not_read_is_refused(name: str, head: bytes, reason: str) -> None:
    """The refusal says what the file holds and what to do."""
    with pytest.raises(UnreadableFile, match=reason) as caught:
        detect_format(name, head)
    assert caught.value.name == name


def test_a_wrong_extension_is_read_by_content_with_a_warning(tmp_path: Path, parser: ParserProcess) -> None:
    """A page that was saved as .pdf is read as the page that it is."""
    path = tmp_path / "notice.pdf"
    path.write_text("<html><body><h1>Notice</h1><p>Offices close at noon.</p></body></html>", encoding="utf-8")
    document = load_file(path, parser=parser)
    assert document.text == "Notice\n\nOffices close at noon."
    assert document.media_type == "text/html"
    assert document.warnings == ("is named .pdf but holds html, and was read as that",)


def test_an_uploaded_file_is_judged_by_the_name_it_came_with(tmp_path: Path) -> None:
    """The temporary path of an upload has no say."""
    path = tmp_path / "tmpabc123"
    path.write_text("# 标题\n", encoding="utf-8")
    document = load_file(path, name="办法.md")
    assert (document.name, document.media_type, document.blocks[0].kind) == ("办法.md", "text/markdown", "heading")


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    """A missing file, a folder, a pipe, an empty file and a path with a NUL are refused, never waited for."""
    pipe = tmp_path / "pipe.txt"
    os.mkfifo(pipe)
    empty = tmp_path / "empty.md"
    empty.touch()
    for path, reason in (
        (tmp_path / "missing.txt", "No such file"),
        (tmp_path, "not a regular file"),
        (pipe, "not a regular file"),
        (empty, "empty"),
        (Path("a\x00b.txt"), "cannot be opened"),
    ):
        with pytest.raises(UnreadableFile, match=reason):
            load_file(path)


def test_a_file_over_the_limit_is_refused_with_the_numbers(tmp_path: Path) -> None:
    """The size is checked before anything is read."""
    path = tmp_path / "big.txt"
    path.write_bytes(b"x" * 2001)
    with (
        ParserProcess(LoadingLimits(file_bytes=2000)) as parser,
        pytest.raises(UnreadableFile, match="2,001 bytes; at most 2,000"),
    ):
        load_file(path, parser=parser)
    assert read_bytes(path, "big.txt", LoadingLimits(file_bytes=2001)) == b"x" * 2001


def test_a_name_that_is_no_unicode_is_shown_with_replacements(tmp_path: Path) -> None:
    """File names from old systems do not break the loading or the report."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xd6\xd0.txt"))
    path.write_text("条文", encoding="utf-8")
    document = load_file(path)
    assert document.text == "条文"
    document.name.encode("utf-8")
