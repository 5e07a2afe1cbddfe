"""A small sound file of every format, made here."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from email.message import EmailMessage
from functools import cache
from pathlib import Path

import pypandoc  # type: ignore[import-untyped]
from docx import Document
from openpyxl import Workbook  # type: ignore[import-untyped]
from PIL import Image, ImageDraw, ImageFont
from pptx import Presentation
from pptx.util import Inches

from tests.unit.loading.made_files import pdf_bytes

XML_SAMPLES = Path(__file__).parents[1] / "unit" / "loading" / "samples"
ARTICLES = "第一条 为了示范，制定本条例。\n第二条 押金应当在三日内退还。（一）甲；（二）乙。\n"
MARKDOWN = f"# 示范条例\n\n{ARTICLES}\n| 项 | 值 |\n| --- | --- |\n| 甲 | 1 |\n\n## Notes\n\n- one\n- two\n"
PAGE = (
    "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>Guide</title></head><body><h1>Guide</h1>"
    "<p>Take 25 mg twice daily.</p><ul><li>one<li>two</ul><table><tr><th>Dose<th>Age</tr><tr><td>25 mg<td>adult"
    "</tr></table></body></html>"
)
FILING = (
    "<html xmlns:ix='http://www.xbrl.org/2013/inlineXBRL'><body><ix:header><ix:resources><xbrli:context id='c'>"
    "<xbrli:period><xbrli:instant>2023-12-31</xbrli:instant></xbrli:period></xbrli:context><xbrli:unit id='u'>"
    "<xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unit></ix:resources></ix:header><p>FORM 10-K</p>"
    "<p><b>Item 7. Management's Discussion</b></p><table><tr><td>Sales</td><td>$</td><td><ix:nonFraction "
    "contextRef='c' unitRef='u' name='us-gaap:Revenues' scale='6' format='ixt:numdotdecimal'>1,234.5</ix:nonFraction>"
    "</td></tr></table></body></html>"
)
ACT = (
    '<html><body><p class="oj-doc-ti">REGULATION 1</p><p class="oj-ti-art">Article 1</p><p class="oj-sti-art">Scope</p>'
    '<table><tr><td><p>(a)</p></td><td><p>text</p></td></tr></table><p class="oj-note">Note.</p></body></html>'
)


@cache
def samples() -> dict[str, bytes]:
    """Return file names and contents; Office formats and PDF first, since their readers are the largest."""
    found = {"a.docx": _docx(), "a.pdf": _pdf(), "a.xlsx": _xlsx(), "a.pptx": _pptx()}
    found |= {path.name: path.read_bytes() for path in sorted(XML_SAMPLES.glob("*.xml"))}
    found |= {"page.html": PAGE.encode(), "10-K.html": FILING.encode(), "act.html": ACT.encode()}
    found |= {"a.eml": _mail(), "a.csv": '项,值\n甲,1\n乙,"2,5"\n'.encode(), "a.md": MARKDOWN.encode()}
    found["a.jsonl"] = b"\n".join(
        json.dumps({"title": f"t{n}", "text": "x y. " * 60, "n": [n]}).encode() for n in (1, 2)
    )
    found |= {"a.txt": ARTICLES.encode("gb18030"), "wide.txt": ARTICLES.encode("utf-16")}
    found["all.zip"] = _zip(found)
    return found


@cache
def slow_samples() -> dict[str, bytes]:
    """Return those that another program reads, which takes a third of a second each."""
    return {f"a.{kind}": _by_pandoc(kind) for kind in ("odt", "epub", "rtf")} | {"a.png": _png()}


def _docx() -> bytes:
    document = Document()
    document.add_heading("第一章 总则", level=1)
    document.add_paragraph(ARTICLES)
    document.add_paragraph("item", style="List Number")
    table = document.add_table(rows=2, cols=2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "merged"
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _pdf() -> bytes:
    rows = [(72.0 + 150 * column, 600.0 - 14 * row, 10.0, f"{row}.{column}") for row in range(4) for column in range(3)]
    text = [(72.0, 700.0 - 14 * line, 11.0, f"Section {line} of the page has a few (words).") for line in range(5)]
    return pdf_bytes([text + rows, text], "0 0 1 RG 60 500 300 110 re S 60 550 m 360 550 l S\n")


def _xlsx() -> bytes:
    book = Workbook()
    sheet = book.active
    for row in (["Item", "2023"], ["Sales", 1234.5], ["Cost", "=B2*2"], [], ["Note"]):
        sheet.append(row)
    sheet["B2"].number_format = "#,##0.00"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _pptx() -> bytes:
    slides = Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "Title", "One\nTwo"
    slide.shapes.add_table(1, 2, Inches(1), Inches(3), Inches(4), Inches(1)).table.cell(0, 0).text = "cell"
    buffer = io.BytesIO()
    slides.save(buffer)
    return buffer.getvalue()


def _mail() -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", "裁决通知"
    mail.set_content("见附件。\n\n此致")
    mail.add_alternative(PAGE, subtype="html")
    mail.add_attachment(MARKDOWN.encode(), maintype="text", subtype="markdown", filename="附件.md")
    return mail.as_bytes()


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a.md", "a.docx", "a.eml"):
            archive.writestr(f"folder/{name}", files[name])
    return buffer.getvalue()


def _png() -> bytes:
    buffer = io.BytesIO()
    picture = Image.new("L", (700, 120), 255)
    ImageDraw.Draw(picture).text((40, 30), "Take 25 mg twice daily", fill=0, font=ImageFont.load_default(48))
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _by_pandoc(kind: str) -> bytes:
    command = [pypandoc.get_pandoc_path(), "--standalone", "--from", "markdown", "--to", kind, "--output", "-"]
    return subprocess.run(command, input=MARKDOWN.encode(), capture_output=True, check=True).stdout
