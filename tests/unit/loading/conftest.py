"""Files that people and attackers hand in, made on the spot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from docx import Document

from ragsvc.loading import ParserProcess


@pytest.fixture(scope="session")
def parser() -> Iterator[ParserProcess]:
    """One parsing process for all tests, as ingest uses it."""
    with ParserProcess() as process:
        yield process


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
