"""Files that grow when they are opened: refused by what they declare or by what comes, in bounded time and memory."""

from __future__ import annotations

import io
import re
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ragsvc.errors import UnreadableFile
from ragsvc.loading import LoadingLimits, ParserProcess, load_file, take_apart
from ragsvc.loading.limits import DEFAULT_LIMITS, MIB
from ragsvc.loading.pandoc import read_epub, read_odt
from ragsvc.loading.slides import read_pptx
from ragsvc.loading.spreadsheets import read_xlsx
from ragsvc.loading.word import read_docx
from ragsvc.loading.xml_documents import read_xml

from .made_files import CONTENT_TYPES, RELATIONS, docx_bytes, paragraph, pdf_bytes
from .test_hostile import pdf_of_objects

MILLION = 1_000_000
GIB = 1024 * MIB
SOON_S = 60.0
"""Under the limit for one file, which is twice this."""


def deflated(size: int) -> tuple[bytes, int]:
    """Blanks without end as a deflate stream, made of one MiB again and again; and their CRC."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    return piece * (size // MIB) + b"\x03\x00", 0


def zip_of_one(name: bytes, packed: bytes, crc: int, size: int) -> bytes:
    """A zip with one deflated member that says it has this size."""
    head = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(packed), size, len(name), 0)
    local = b"PK\x03\x04" + head + name + packed
    central = b"PK\x01\x02" + struct.pack("<H", 20) + head + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def zip_of_a_million() -> bytes:
    """A zip whose directory has a million entries, each of a file of nothing."""
    head = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, 0, 0, 0, 1, 0)
    local = b"PK\x03\x04" + head + b"a"
    central = (b"PK\x01\x02" + struct.pack("<H", 20) + head + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"a") * MILLION
    at, size = len(local), len(central)
    wide = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, MILLION, MILLION, size, at)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, at + size, 1)
    return local + central + wide + locator + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, *[0xFFFF] * 2, size, at, 0)


@pytest.mark.parametrize("name", ["laws.zip", "law.docx", "law.xlsx", "book.epub"])
def test_a_million_entries_are_refused_with_their_number(name: str, tmp_path: Path, parser: ParserProcess) -> None:
    """Whatever container it says it is; nothing is expanded."""
    path = tmp_path / name
    path.write_bytes(zip_of_a_million())
    started = time.monotonic()
    with pytest.raises(UnreadableFile, match="lists far more than the 10,000 files"):
        load_file(Path(take_apart(path, tmp_path / "box", parser=parser).members[0].path), name=name, parser=parser)
    assert time.monotonic() - started < SOON_S


@pytest.mark.parametrize("declared", [4 * GIB - MIB, 1000])
def test_xml_of_four_gigabytes_is_never_expanded(declared: int, tmp_path: Path, parser: ParserProcess) -> None:
    """Refused by the size that it declares, or because it has another: 4 GiB packed in 4 MiB."""
    packed, crc = deflated(4 * GIB - MIB)
    content = zip_of_one(b"word/document.xml", packed, crc, declared)
    assert len(content) < 5 * MIB
    path = tmp_path / "law.docx"
    path.write_bytes(content)
    started = time.monotonic()
    with pytest.raises(UnreadableFile, match=r"expands to 4,095 MiB or more; at most 200|damaged zip container"):
        load_file(path, parser=parser)
    assert time.monotonic() - started < SOON_S


def test_a_tar_of_endless_zeros_is_refused(tmp_path: Path, parser: ParserProcess) -> None:
    """A gigabyte in a megabyte, as .tar.gz."""
    packed, _ = deflated(GIB)
    path = tmp_path / "laws.tar.gz"
    path.write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + packed + bytes(8))
    with pytest.raises(UnreadableFile, match=r"more than 200-fold|more than the 200 MiB"):
        take_apart(path, tmp_path / "box", parser=parser)
    assert not any((tmp_path / "box").iterdir())


def test_a_tar_that_says_it_is_larger_than_it_is(tmp_path: Path, parser: ParserProcess) -> None:
    """A head that claims eight gigabytes is damage."""
    info = tarfile.TarInfo("law.md")
    info.size = 8 * GIB
    path = tmp_path / "laws.tar"
    path.write_bytes(info.tobuf() + b"# Law\n".ljust(1024, b"\0"))
    with pytest.raises(UnreadableFile, match="damaged archive"):
        take_apart(path, tmp_path / "box", parser=parser)


LAUGHS = (
    "<!DOCTYPE d ["
    + '<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in zip("abcdefgh", "bcdefghi", strict=True))
)


def container(member: str, content: str, mimetype: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("_rels/.rels", RELATIONS)
        archive.writestr(member, content)
    return buffer.getvalue()


Read = Callable[[bytes, str, LoadingLimits], object]


@pytest.mark.parametrize("entity", ["]>", '<!ENTITY i SYSTEM "file:///etc/hostname">]>'], ids=["laughs", "file"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    ("member", "read"),
    [
        ("word/document.xml", read_docx),
        ("xl/workbook.xml", read_xlsx),
        ("ppt/presentation.xml", read_pptx),
        ("content.xml", read_odt),
        ("OEBPS/one.xhtml", read_epub),
    ],
)
def test_entities_in_containers_are_refused(member: str, read: Read, encoding: str, entity: str) -> None:
    """Billion laughs and files behind entities, in either encoding, also behind a long comment."""
    for comment in ("", f"<!--{'.' * 100_000}-->"):
        page = f'<?xml version="1.0" encoding="{encoding}"?>{comment}{LAUGHS}{entity}<d>&i;</d>'
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(member, page.encode(encoding))
        with pytest.raises(UnreadableFile, match=rf"has a (DOCTYPE|ENTITY) declaration in {member}"):
            read(buffer.getvalue(), "a", DEFAULT_LIMITS)


@pytest.mark.parametrize("name", ["a.xml", "picture.svg", "a.txt"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_in_xml_are_refused(name: str, encoding: str, tmp_path: Path, parser: ParserProcess) -> None:
    """Under any name, a drawing too; what cannot be told to be XML is text, and no entity in it is anything."""
    path = tmp_path / name
    secret = tmp_path / "secret"
    secret.write_text("top secret", "utf-8")
    page = f'<?xml version="1.0" encoding="{encoding}"?>{LAUGHS}<!ENTITY s SYSTEM "{secret}">]><svg>&i;&s;</svg>'
    path.write_bytes(page.encode(encoding))
    try:
        text = load_file(path, parser=parser).text
    except UnreadableFile as error:
        assert re.match(r"declares entities|is damaged XML|is of a kind that is not read", error.reason)
        return
    assert encoding == "utf-16"
    assert text == page


def test_entities_of_a_page_stay_small(tmp_path: Path, parser: ParserProcess) -> None:
    """HTML knows no entities of a page's own: they stay as written."""
    path = tmp_path / "a.html"
    path.write_text(f"{LAUGHS}]><html><body><p>Text &i; here.</p></body></html>", "utf-8")
    text = load_file(path, parser=parser).text
    assert "here." in text
    assert len(text) < 2000


def test_nothing_in_libxml_is_told_to_expand(tmp_path: Path) -> None:
    """Plain XML with nested entities is refused in no time."""
    started = time.monotonic()
    with pytest.raises(UnreadableFile, match=r"declares entities|damaged XML"):
        read_xml(f"{LAUGHS}]><d>&i;</d>".encode(), "a.xml", DEFAULT_LIMITS)
    assert time.monotonic() - started < 5


def endless_pdf(kind: str) -> bytes:
    page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</XObject<</Fm 5 0 R>>>>/Contents 4 0 R>>"
    catalogue, pages = "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>"
    form = "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</Fm 5 0 R>>>>/Length 14"
    if kind == "a form that draws itself":
        calls = "/Fm Do\n/Fm Do\n"
        return pdf_of_objects(
            catalogue, pages, page, f"<</Length 14>>stream\n{calls}endstream", f"{form}>>stream\n{calls}endstream"
        )
    if kind == "a stream of a gigabyte":
        packer = zlib.compressobj(9)
        head = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
        body = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
        data = (head + body * 1023).decode("latin-1")
        stream = f"<</Filter/FlateDecode/Length {len(data)}>>stream\n{data}\nendstream"
        return pdf_of_objects(catalogue, pages, page, stream, f"{form}>>stream\nendstream")
    if kind == "a length that is itself":
        return pdf_of_objects(catalogue, pages, page, "<</Length 4 0 R>>stream\nBT ET\nendstream", "4 0 R")
    return pdf_of_objects(
        catalogue, "<</Type/Pages/Count 2000000000/Kids[3 0 R]>>", page, "<</Length 0>>stream\nendstream"
    )


@pytest.mark.parametrize(
    "kind",
    ["a form that draws itself", "a stream of a gigabyte", "a length that is itself", "two thousand million pages"],
)
def test_a_pdf_without_end_ends(kind: str, tmp_path: Path) -> None:
    """It is refused within the limits of time and memory, and the next file is read."""
    path, good = tmp_path / "endless.pdf", tmp_path / "good.pdf"
    path.write_bytes(endless_pdf(kind))
    good.write_bytes(pdf_bytes([[(72.0, 700.0, 12.0, "Readable text.")]]))
    started = time.monotonic()
    with ParserProcess(LoadingLimits(seconds=15.0)) as own:
        with pytest.raises(UnreadableFile, match=r"endless\.pdf"):
            load_file(path, parser=own)
        assert time.monotonic() - started < SOON_S
        assert load_file(good, parser=own).text == "Readable text."


def test_a_document_with_a_bomb_beside_its_text_is_refused() -> None:
    """A picture that nobody reads is measured too."""
    bomb = docx_bytes(paragraph("甲"), parts={"word/media/image.bin": bytes(3 * MIB)})
    with pytest.raises(UnreadableFile, match="expands to 3 MiB or more; at most 1"):
        read_docx(bomb, "bomb.docx", LoadingLimits(expanded_bytes=MIB))
