"""Workbooks (.xlsx) by openpyxl and .csv: a sheet is a heading, a row a line, a cell what a reader sees in it."""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO
from typing import Any

from ragsvc.errors import UnreadableFile
from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.containers import check_zip
from ragsvc.loading.limits import LoadingLimits
from ragsvc.loading.text import decode

_DELIMITERS = ",;\t|"
_DECIMALS = re.compile(r"0\.(0+)")
_LITERALS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')


def read_xlsx(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return all sheets of a workbook, also hidden ones; a formula is the value that was last computed.

    Raises:
        UnreadableFile: no workbook, encrypted, or larger than the limits once expanded.
    """
    members = check_zip(content, name, limits)
    if "xl/workbook.xml" not in members:
        raise UnreadableFile(name, "is a zip archive but no Excel workbook (it has no xl/workbook.xml)")
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    book = load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
    assembly = TextAssembly()
    assembly.title = (book.properties.title or "").strip()
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what a file says of its own size is not believed
        rows = [[_shown(cell) for cell in row] for row in sheet.iter_rows()]
        if any(any(row) for row in rows):
            assembly.add("heading", sheet.title, level=1)
            _add_tables(assembly, rows)
    book.close()
    return assembly


def _shown(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, float)):
        return _shown_number(value, cell.number_format or "General")
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ", "seconds")
    return str(value)


def _shown_number(value: float, number_format: str) -> str:
    """Return a number with the decimals, thousands and per cent of its format: what a reader quotes."""
    pattern = _LITERALS.sub("", number_format.split(";")[0])
    decimals = _DECIMALS.search(pattern)
    n_decimals = len(decimals[1]) if decimals else 0
    if "%" in pattern:
        return f"{value * 100:.{n_decimals}f}%"
    if pattern.lower() in ("general", "@") or "0" not in pattern or "E" in pattern:
        return f"{value:.15g}"
    return f"{value:{',' if ',' in pattern else ''}.{n_decimals}f}"


def read_csv(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return the rows of a table whose cells are parted by commas, semicolons, tabs or bars.

    Raises:
        UnreadableFile: binary or undecodable.
    """
    text, warnings = decode(content, name)
    assembly = TextAssembly()
    assembly.warnings += warnings
    sample = text[:8192]
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(sample, _DELIMITERS)
    except csv.Error:
        dialect = csv.excel_tab if sample.count("\t") > sample.count(",") else csv.excel
    # Of the whole process: never made smaller, or the libraries that read other files fail at their own tables.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    _add_tables(assembly, list(csv.reader(StringIO(text, newline=""), delimiter=dialect.delimiter)))
    return assembly


def _add_tables(assembly: TextAssembly, rows: Iterable[Sequence[str]]) -> None:
    """Append the tables of a sheet: an empty row ends one, and a row of one cell is a line of text before it."""
    table: list[Sequence[str]] = []
    for row in [*rows, []]:
        cells = _trimmed(row)
        if cells and (table or sum(map(bool, cells)) > 1):
            table.append(cells)
            continue
        assembly.add_table(table) if table else None
        table = []
        assembly.add("paragraph", " ".join(cells))


def _trimmed(row: Sequence[str]) -> list[str]:
    cells = [cell.strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells
