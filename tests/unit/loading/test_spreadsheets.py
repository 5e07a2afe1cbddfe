"""Workbooks and comma-separated tables: a row is a line, figures as a reader sees them."""

from __future__ import annotations

import csv
import datetime
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]

from ragsvc.errors import UnreadableFile
from ragsvc.loading import ParserProcess, load_file
from ragsvc.loading.limits import DEFAULT_LIMITS
from ragsvc.loading.spreadsheets import read_csv, read_xlsx


def book() -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "资产负债表"
    for row in (
        ["单位：万元"],
        ["项目", "2023年末", "变动", "日期"],
        ["货币资金", 12345.678, 0.2346, datetime.datetime(2023, 12, 31)],
        ["负债", -0.5, None, True],
        [],
        ["注：未经审计"],
    ):
        sheet.append(row)
    sheet["B3"].number_format, sheet["C3"].number_format = '#,##0.00_);"(x)"', "0.0%"
    workbook.create_sheet("空")
    buffer = BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def test_a_workbook() -> None:
    """A sheet is a heading, an empty row parts tables, numbers have their decimals, empty sheets go."""
    found = read_xlsx(book(), "a.xlsx", DEFAULT_LIMITS)
    assert [(b.kind, found.text[b.start : b.end]) for b in found.blocks] == [
        ("heading", "资产负债表"),
        ("paragraph", "单位：万元"),
        ("table", "项目 | 2023年末 | 变动 | 日期\n货币资金 | 12,345.68 | 23.5% | 2023-12-31\n负债 | -0.5 |  | TRUE"),
        ("paragraph", "注：未经审计"),
    ]


def test_a_workbook_with_entities_is_refused() -> None:
    """A billion laughs in a sheet never reaches an XML parser."""
    bomb = BytesIO()
    with zipfile.ZipFile(BytesIO(book())) as source, zipfile.ZipFile(bomb, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("sheet1.xml"):
                content = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + content
            target.writestr(name, content)
    with pytest.raises(UnreadableFile, match=r"DOCTYPE declaration in xl/worksheets/sheet1\.xml"):
        read_xlsx(bomb.getvalue(), "a.xlsx", DEFAULT_LIMITS)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("名称;金额\r\n甲公司;1,200\r\n乙公司;30\r\n".encode("gb18030"), "名称 | 金额\n甲公司 | 1,200\n乙公司 | 30"),
        (b'a,b\n"x, y","line one\nline two"\n', "a | b\nx, y | line one line two"),
        (b"a\tb\n1\t2\n", "a | b\n1 | 2"),
    ],
)
def test_comma_separated(content: bytes, text: str) -> None:
    """Delimiter and encoding are found out; a quoted cell is one cell."""
    assert read_csv(content, "a.csv", DEFAULT_LIMITS).text == text


def test_a_small_table_does_not_spoil_what_is_read_after_it(tmp_path: Path, parser: ParserProcess) -> None:
    """The limit for a field is one for the whole process, and other readers have fields too."""
    (tmp_path / "small.csv").write_text("a,b\n1,2\n", "utf-8")
    (tmp_path / "large.csv").write_text(f"a,b\n{'x' * 200_000},2\n", "utf-8")
    for name in ("small.csv", "large.csv", "small.csv", "large.csv"):
        assert load_file(tmp_path / name, parser=parser).text.startswith("a | b")
    before = csv.field_size_limit()
    read_csv(b"a,b\n1,2\n", "a.csv", DEFAULT_LIMITS)
    assert csv.field_size_limit() == before
