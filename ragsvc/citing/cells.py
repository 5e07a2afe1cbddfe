"""The figures in quoted rows of a table, each with row, column, unit, scale, currency and period."""

from __future__ import annotations

import re

from ragsvc.records.tables import Cell, TableFrame

MAX_CELLS = 40
_RULE = re.compile(r"[\s|:-]*")
_FIGURE = re.compile(
    r"[^A-Za-z0-9\u3400-\u9fff]{0,6}(?:[A-Z]{0,3}\s?[$€£¥]\s?)?\(?\s?[-–—]?\s?[$€£¥]?\s?\d[\d,.\s]*\)?\s?%?\)?"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_OWN_UNIT = re.compile(
    r"[（(]([^（()）]{0,6}(?:元|股|%|％|倍|人|吨)[^（()）]{0,6})[)）]|(?<!\d )(per share)|(%|％)", re.IGNORECASE
)


def row_cells(line: str) -> list[str]:
    """Return the cells of a line ``a | b | c`` or ``| a | b | c |``; empty for a line that is no row."""
    if "|" not in line or _RULE.fullmatch(line):
        return []
    inner = line.strip()
    if inner.startswith("|") and inner.endswith("|"):
        return [cell.strip() for cell in inner[1:-1].split("|")]
    return [cell.strip() for cell in line.split("|")]


def row_key(row: list[str]) -> str:
    """Return label and first figure, by which a row is told from others with its label."""
    return " | ".join((row[0], next((cell for cell in row[1:] if cell), "")))


def cells_of(text: str, frame: TableFrame) -> tuple[Cell, ...]:
    """Return the figures in the rows that ``text`` quotes, at most ``MAX_CELLS``.

    A unit that row or column bears itself (每股收益（元/股）, %) goes before that of the table.
    """
    found: list[Cell] = []
    for line in text.split("\n"):
        row = row_cells(line)
        if not row or not row[0] or _is_head(row, frame):
            continue
        found += [_cell(row, at, frame) for at in range(1, len(row)) if _FIGURE.fullmatch(row[at])]
    return tuple(found[:MAX_CELLS])


def _is_head(row: list[str], frame: TableFrame) -> bool:
    return tuple(row[: len(frame.columns)]) == frame.columns or all(_YEAR.fullmatch(cell) for cell in row[1:] if cell)


def _cell(row: list[str], at: int, frame: TableFrame) -> Cell:
    column = frame.columns[at] if at < len(frame.columns) else ""
    own = _own_unit(row[at]) or _own_unit(row[0]) or _own_unit(column) or frame.own_units.get(row_key(row), "")
    return Cell(
        row=row[0],
        column=column,
        value=row[at],
        unit=own or frame.unit,
        scale=None if own == "shares" else 1 if own else frame.scale,
        currency="" if own in ("%", "％", "倍", "人", "股", "shares") else frame.currency,
        period=column if _YEAR.search(column) else frame.period,
    )


def _own_unit(label: str) -> str:
    found = _OWN_UNIT.search(label)
    return next(filter(None, found.groups()), "").strip() if found else ""
