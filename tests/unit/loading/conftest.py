"""Files that people and attackers hand in, made on the spot."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document

from ragsvc.loading import ParserProcess

CONTENT_TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="xml" ContentType="application/xml"/>
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/word/document.xml"
 ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"""
RELATIONS = """<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
 Target="word/document.xml"/></Relationships>"""
NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
)


@pytest.fixture(scope="session")
def parser() -> Iterator[ParserProcess]:
    """One parsing process for all tests, as ingest uses it."""
    with ParserProcess() as process:
        yield process


def docx_bytes(body: str, *, prolog: str = "", parts: dict[str, bytes] | None = None) -> bytes:
    """Return a Word file whose body is this XML, with further parts."""
    document = f'<?xml version="1.0" encoding="UTF-8"?>{prolog}<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>'
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("_rels/.rels", RELATIONS)
        archive.writestr("word/document.xml", document)
        for name, content in (parts or {}).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def paragraph(text: str) -> str:
    """Return a paragraph of WordprocessingML."""
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


@pytest.fixture
def statute_docx(tmp_path: Path) -> Path:
    """A Word file as python-docx writes it: headings, paragraphs, a table with a merged cell."""
    document = Document()
    document.core_properties.title = "示范条例"
    document.add_heading("第一章 总则", level=1)
    document.add_paragraph("\u3000\u3000第一条 为了示范，制定本条例。")
    table = document.add_table(rows=2, cols=3)
    for row, texts in zip(table.rows, (("项目", "标准", "备注"), ("甲", "乙", "丙")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    table.cell(1, 0).merge(table.cell(1, 1))
    document.add_paragraph("第二条 本条例自2026年1月1日起施行。")
    path = tmp_path / "示范条例.docx"
    document.save(path)
    return path


def pdf_bytes(pages: list[list[tuple[float, float, float, str]]]) -> bytes:
    """Return a PDF whose pages hold lines (left, bottom, size, ASCII text) in Helvetica on US letter paper."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for lines in pages:
        shown = "".join(
            f"BT /F1 {size} Tf 1 0 0 1 {left} {bottom} Tm ({text.translate(ESCAPES)}) Tj ET\n"
            for left, bottom, size, text in lines
        )
        objects.append(f"<</Length {len(shown)}>>stream\n{shown}endstream")
        kids.append(len(objects) + 1)
        resources = "<</Font<</F1 3 0 R>>>>"
        box = "[0 0 612 792]"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox{box}/Resources{resources}/Contents {len(objects)} 0 R>>"
        )
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(f'{kid} 0 R' for kid in kids)}]>>"
    content = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(content))
        content += f"{number} 0 obj{body}endobj\n".encode("ascii")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(content)}\n%%EOF"
    return content + trailer.encode("ascii")


ESCAPES = str.maketrans({"(": r"\(", ")": r"\)", "\\": r"\\"})
