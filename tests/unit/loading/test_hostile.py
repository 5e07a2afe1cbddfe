"""Files that were made to hurt are refused with their reason, soon, and the next file is read."""

from __future__ import annotations

import struct
import time
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import pytest

from ragsvc.errors import UnreadableFile
from ragsvc.loading import LoadingLimits, ParserProcess, load_file
from ragsvc.loading.limits import DEFAULT_LIMITS, MIB
from ragsvc.loading.mail import msg_attachments, read_msg
from ragsvc.loading.pandoc import read_epub
from ragsvc.loading.pdf import read_pdf
from ragsvc.loading.pictures import read_picture

from .made_files import pdf_bytes


def png(width: int, height: int) -> bytes:
    """A PNG whose head claims this size and whose data is a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def pdf_of_objects(*objects: str) -> bytes:
    """A PDF of these objects, of which the first is the catalogue."""
    content, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(content))
        content += f"{number} 0 obj{body}endobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>"
    return content + f"{end}\nstartxref\n{len(content)}\n%%EOF".encode("ascii")


def pdf_with_picture(width: int, height: int) -> bytes:
    data = zlib.compress(bytes(1000)).decode("latin-1")
    shown = "q 612 0 0 792 0 0 cm /Im Do Q"
    return pdf_of_objects(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Count 1/Kids[3 0 R]>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</XObject<</Im 5 0 R>>>>/Contents 4 0 R>>",
        f"<</Length {len(shown)}>>stream\n{shown}\nendstream",
        f"<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray/BitsPerComponent 1"
        f"/Filter/FlateDecode/Length {len(data)}>>stream\n{data}\nendstream",
    )


def test_a_picture_of_900_million_pixels_is_refused_undecoded() -> None:
    """Alone or on a page, its size is read before its pixels are."""
    started = time.monotonic()
    with pytest.raises(UnreadableFile, match=r"has 30,000 x 30,000 pixels; at most 100,000,000"):
        read_picture(png(30_000, 30_000), "a.png", DEFAULT_LIMITS)
    with pytest.raises(UnreadableFile, match=r"a picture has 30,000 x 30,000 pixels; at most 100,000,000"):
        read_pdf(pdf_with_picture(30_000, 30_000), "a.pdf", DEFAULT_LIMITS)
    assert time.monotonic() - started < 20


def test_a_damaged_picture_is_refused() -> None:
    """A size that its data does not fill is damage."""
    with pytest.raises(UnreadableFile, match=r"damaged picture|is a picture"):
        read_picture(b"\xff\xd8\xff\xe0" + bytes(100), "a.jpg", DEFAULT_LIMITS)


def test_a_pdf_of_20_000_pages_is_refused_with_the_number() -> None:
    """The pages are counted, none is read."""
    kids = "3 0 R " * 20_000
    content = pdf_of_objects(
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count 20000/Kids[{kids}]>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>",
    )
    with pytest.raises(UnreadableFile, match=r"has 20,000 pages; at most 5,000 are read"):
        read_pdf(content, "a.pdf", DEFAULT_LIMITS)


@pytest.mark.parametrize(
    "objects",
    [
        ("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 5/Kids[2 0 R 2 0 R]>>"),
        ("<</Type/Catalog/Pages 2 0 R>>", "2 0 R"),
        ("<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count 1/Kids {'[' * 50_000}>>"),
    ],
)
def test_a_pdf_that_refers_to_itself_is_refused(objects: tuple[str, ...], tmp_path: Path) -> None:
    """Circles and depth in the page tree end in a refusal, and the parser lives on."""
    path = tmp_path / "circle.pdf"
    path.write_bytes(pdf_of_objects(*objects))
    good = tmp_path / "good.pdf"
    good.write_bytes(pdf_bytes([[(72.0, 700.0, 12.0, "Readable text.")]]))
    with ParserProcess(LoadingLimits(seconds=60.0)) as parser:
        with pytest.raises(UnreadableFile, match=r"circle\.pdf"):
            load_file(path, parser=parser)
        assert load_file(good, parser=parser).text == "Readable text."


def test_a_pdf_that_is_also_a_zip_is_the_pdf(tmp_path: Path, parser: ParserProcess) -> None:
    """A polyglot is read as what it begins as."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    path = tmp_path / "both.docx"
    path.write_bytes(pdf_bytes([[(72.0, 700.0, 12.0, "Readable text.")]]) + buffer.getvalue())
    document = load_file(path, parser=parser)
    assert (document.text, document.media_type) == ("Readable text.", "application/pdf")


def test_a_book_with_entities_is_refused(tmp_path: Path) -> None:
    """A page of a book that reads a file through an entity is refused before Pandoc sees it."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        page = '<?xml version="1.0"?><!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/hostname">]><html>&x;</html>'
        archive.writestr("OEBPS/one.xhtml", page)
    with pytest.raises(UnreadableFile, match=r"ENTITY declaration in OEBPS/one\.xhtml"):
        read_epub(buffer.getvalue(), "a.epub", DEFAULT_LIMITS)


def test_a_book_that_is_a_bomb_is_refused() -> None:
    """Containers are measured before any program opens them."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("OEBPS/one.xhtml", b"\x20" * (3 * MIB))
    with pytest.raises(UnreadableFile, match="expands to 3 MiB"):
        read_epub(buffer.getvalue(), "a.epub", LoadingLimits(expanded_bytes=MIB))


def test_a_broken_outlook_message_is_an_error_of_its_own(tmp_path: Path, parser: ParserProcess) -> None:
    """An OLE head with nothing behind it is refused, not waited for."""
    path = tmp_path / "a.msg"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(UnreadableFile, match=r"a\.msg"):
        load_file(path, parser=parser)


def test_outlook_attachments_are_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that are paths come out as they are written, and only as text."""

    class Attachment:
        attached_by_value = True
        file_bytes = b"x"
        file_name = "..\\..\\evil.txt"

    class Message:
        attachments = (Attachment(),)
        recipients = ()
        sender = "a@example.org"
        sent_date = None
        subject = "Notice"
        body = "Text."
        html_body = None

    monkeypatch.setattr("ragsvc.loading.mail._parse_msg", lambda content: Message())
    assert list(msg_attachments(b"")) == [("..\\..\\evil.txt", b"x")]
    assert read_msg(b"", "a.msg", DEFAULT_LIMITS).text == (
        "Notice\n\nFrom: a@example.org\nSubject: Notice\n\nText.\n\nAttachment: ..\\..\\evil.txt"
    )
