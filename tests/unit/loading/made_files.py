"""Word and PDF files made by hand, down to the damage."""

from __future__ import annotations

import zipfile
from io import BytesIO

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


def docx_bytes(body: str, *, prolog: str = "", parts: dict[str, bytes] | None = None) -> bytes:
    """Return a Word file whose body is this XML, with further parts."""
    document = (
        f'<?xml version="1.0" encoding="UTF-8"?>{prolog}<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>'
    )
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


def pdf_bytes(pages: list[list[tuple[float, float, float, str]]], drawing: str = "") -> bytes:
    """Return a PDF whose pages hold lines (left, bottom, size, ASCII text) in Helvetica on US letter paper.

    ``drawing`` is in PDF's operators and goes below the text of every page.
    """
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for lines in pages:
        shown = drawing + "".join(
            f"BT /F1 {size} Tf 1 0 0 1 {left} {bottom} Tm ({text.translate(ESCAPES)}) Tj ET\n"
            for left, bottom, size, text in lines
        )
        objects.append(f"<</Length {len(shown)}>>stream\n{shown}endstream")
        kids.append(len(objects) + 1)
        resources = "<</Font<</F1 3 0 R>>>>"
        box = "[0 0 612 792]"
        objects.append(f"<</Type/Page/Parent 2 0 R/MediaBox{box}/Resources{resources}/Contents {len(objects)} 0 R>>")
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(f'{kid} 0 R' for kid in kids)}]>>"
    content = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(content))
        content += f"{number} 0 obj{body}endobj\n".encode("ascii")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    table = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>"
    return content + f"{table}\nstartxref\n{len(content)}\n%%EOF".encode("ascii")


ESCAPES = str.maketrans({"(": r"\(", ")": r"\)", "\\": r"\\"})
