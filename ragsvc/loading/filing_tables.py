"""Tables of filings: cells on a grid, without the columns that are there for spacing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ragsvc.loading.filing_facts import MARKS

_OPENING = re.compile(r"[$€£¥(]|\([$€£¥]|[A-Z]{2,3}\$")
_CLOSING = re.compile(r"[)%]+|\)\s*%|pts|bps")
_MAX_SPAN = 100


def grid_rows(table: Any, text_of: Callable[[Any], str]) -> list[list[str]]:
    """Return the rows of a table; a sign that has a cell of its own stands with its figure.

    Columns that are empty in all rows go; every other cell keeps its place, so that columns stay columns. A cell over
    several columns stands in the first of those that remain.
    """
    grid = [_joined(_placed(row, text_of)) for row in table.iter("tr") if _table_of(row) is table]
    used = sorted({column for row in grid for column, text in row.items() if text})
    columns = _merged_columns(grid, used)
    rows = []
    for row in grid:
        cells = [" ".join(row[column] for column in group if row.get(column)) for group in columns]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            rows.append(cells)
    return rows


def _table_of(row: Any) -> Any:
    return next(row.iterancestors("table"), None)


def _placed(row: Any, text_of: Callable[[Any], str]) -> dict[int, str]:
    """Texts by the column in which their cell begins."""
    placed: dict[int, str] = {}
    column = 0
    for cell in row:
        if cell.tag not in ("td", "th"):
            continue
        if text := text_of(cell):
            placed[column] = text
        span = cell.get("colspan", "1").strip()
        column += min(int(span), _MAX_SPAN) if span.isdecimal() and int(span) else 1
    return placed


def _joined(row: dict[int, str]) -> dict[int, str]:
    """Put "$" before the figure to its right, and ")" and "%" behind the one to their left."""
    joined: dict[int, str] = {}
    opening = ""
    last = -1
    for column, text in sorted(row.items()):
        plain = text.translate(MARKS.removed)
        if _OPENING.fullmatch(plain):
            opening += text
        elif _CLOSING.fullmatch(plain) and last >= 0 and joined[last][-1:] not in "%":
            joined[last] += text
        else:
            joined[column] = f"{opening} {text}" if opening and opening[-1] != "(" else opening + text
            last, opening = column, ""
    if opening:
        joined[max(row)] = opening
    return joined


def _merged_columns(grid: list[dict[int, str]], used: list[int]) -> list[list[int]]:
    """Group neighbouring columns that no row fills together: heads and figures of one column begin apart."""
    groups: list[list[int]] = []
    for column in used:
        filled = {at for at, row in enumerate(grid) if row.get(column)}
        before = {at for at, row in enumerate(grid) for other in (groups[-1] if groups else []) if row.get(other)}
        if groups and len(groups) > 1 and not filled & before:
            groups[-1].append(column)
        else:
            groups.append([column])
    return groups
