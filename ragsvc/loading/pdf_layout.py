"""How the lines of PDF pages make paragraphs, from where they stand. Lengths are PDF points (1/72 inch)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import Literal

from msgspec import Struct

from ragsvc.loading.pdf_lines import CELL_MARK, CJK, IS_CJK, Line

_FIRST_WORD = re.compile(rf"[（《“(\[]*(?:[{CJK}]{{1,2}}|[^\s{CJK}]+)")
_ENDS_SENTENCE = re.compile(r"[。；：！？.;:!?][”’）)]?$")
_BREAKS_OFF = re.compile(r"[a-z,\-\u4e00-\u9fff，、]$")
_DIVISION = re.compile(r"第[零〇一二三四五六七八九十百千\d]+[编章节]\s")
_LEADER = re.compile(r"(?:[.…·⋯]\s?){4,}\s*\S{0,6}$")
_NUMERAL = r"[零〇一二三四五六七八九十百千\d]+"
# What begins an item of a list or a unit of a statute.
_ITEM = re.compile(
    rf"第{_NUMERAL}[编章节条]|[（(]{_NUMERAL}[）)]|{_NUMERAL}、|\d+[.．](?!\d)|\[\d+\]|[•●○▪■\-–] ?\S"
    r"|(?:Article|Section|Sec\.|§) ?\d"
)
_CURRENCY_BEFORE_GAP = re.compile(rf"(?<=[^\s{CELL_MARK}]) +([$€£¥￥]){CELL_MARK}")
_CURRENCY_CELL = re.compile(rf"(^|{CELL_MARK})([$€£¥￥]){CELL_MARK}(?=[\d(—–.-])")
_CURRENCY_INSIDE = re.compile(r"(?<=[\d)%—–]) *([$€£¥￥]) *(?=[\d(—–])")
_PERCENT_CELL = re.compile(rf"(?<=[\d)—–-]){CELL_MARK}([%％])(?={CELL_MARK}|$)")
_BRACKET_CELL = re.compile(rf"(?<=[\d—–-]){CELL_MARK}(\) ?%?)(?={CELL_MARK}|$)")
_HEAD_LINES = 4
_LABEL_LINES = 3


class Paragraph(Struct):
    """Lines that belong together."""

    kind: Literal["paragraph", "table"]
    lines: list[Line]


class _Margins(Struct):
    left: float
    right: float
    pitch: float
    """Usual distance from line to line."""


def paragraphs(pages: list[list[Line]]) -> Iterator[Paragraph]:
    """Yield the paragraphs and tables of all pages; a paragraph may run over the end of a page."""
    lines = [line for page in pages for line in page]
    if not lines:
        return
    margins = _page_margins(pages)
    tabular = _table_lines(lines)
    current = Paragraph("paragraph", [])
    for line, is_row in zip(lines, tabular, strict=True):
        if is_row:
            line.text = _row_text(line.text)
            goes_on = current.kind == "table"
        else:
            line.text = line.text.replace(CELL_MARK, " ")
            goes_on = current.kind == "paragraph" and _continues(current.lines, line, margins)
        if current.lines and not goes_on:
            yield current
            current = Paragraph("paragraph", [])
        current.kind = "table" if is_row else "paragraph"
        current.lines.append(line)
    yield current


def _table_lines(lines: list[Line]) -> list[bool]:
    """Mark the rows of tables: runs of lines with gaps, of which one has three cells or most end in a figure."""
    is_table = [line.is_row for line in lines]
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and CELL_MARK in lines[end].text and not lines[end].is_row:
            end += 1
        rows = [line.text.split(CELL_MARK) for line in lines[start:end]]
        figures = sum(any(char.isdigit() for char in row[-1]) for row in rows)
        if len(rows) > 1 and (any(len(row) > 2 for row in rows) or 2 * figures > len(rows)):
            is_table[start:end] = [True] * len(rows)
        start = end + 1
    _take_in_labels(lines, is_table)
    return is_table


def _take_in_labels(lines: list[Line], is_table: list[bool]) -> None:
    """Mark what belongs to a table without having cells: column heads above it, and row labels between its rows."""
    for at in range(len(lines) - 1, 0, -1):
        if is_table[at] and not is_table[at - 1] and not lines[at].is_row:
            heads = _column_heads(lines, at)
            is_table[at - len(heads) : at] = [True] * len(heads)
    end = 0
    for at in range(1, len(lines)):
        if not is_table[at] or lines[at].is_row:
            continue
        labels = lines[end + 1 : at]
        if is_table[end] and not lines[end].is_row and 0 < len(labels) <= _LABEL_LINES:
            box = [lines[end], *labels, lines[at]]
            if all(_is_below(before, line) for before, line in pairwise(box)) and all(
                _is_label(line, lines[at]) for line in labels
            ):
                is_table[end + 1 : at] = [True] * len(labels)
        end = at


def _column_heads(lines: list[Line], at: int) -> list[Line]:
    """Return the lines right above ``lines[at]`` that begin where its second column may: no row label, no text."""
    heads: list[Line] = []
    row = lines[at]
    for line in reversed(lines[max(0, at - _HEAD_LINES) : at]):
        below = heads[-1] if heads else row
        inset = row.left + 0.3 * (row.right - row.left)
        if not _is_below(line, below) or (line.left < inset and CELL_MARK not in line.text) or line.is_row:
            break
        heads.append(line)
    return heads


def _is_below(upper: Line, lower: Line) -> bool:
    return upper.page == lower.page and 0 < upper.bottom - lower.bottom <= 2.2 * max(upper.size, lower.size)


def _is_label(line: Line, row: Line) -> bool:
    is_short = line.right < row.left + 0.7 * (row.right - row.left)
    return is_short and line.left < row.right and not _ENDS_SENTENCE.search(line.text.removesuffix(":"))


def _row_text(text: str) -> str:
    """Return a row with `` | `` between its cells; a currency, per cent or closing sign is no cell of its own."""
    text = _CURRENCY_BEFORE_GAP.sub(rf"{CELL_MARK}\1 ", text)
    text = _CURRENCY_CELL.sub(r"\1\2 ", text)
    text = _CURRENCY_INSIDE.sub(rf"{CELL_MARK}\1 ", text)
    text = _BRACKET_CELL.sub(r"\1", _PERCENT_CELL.sub(r" \1", text))
    return text.replace(CELL_MARK, " | ")


def _page_margins(pages: list[list[Line]]) -> dict[int, _Margins]:
    """Margins by page: its own where it is full enough to tell, else those of the document."""
    filled = [page for page in pages if page]
    # Quartiles: many a page is too short to reach a margin, a few tables reach beyond.
    left = sorted(min(line.left for line in page) for page in filled)[len(filled) // 4]
    right = sorted(max(line.right for line in page) for page in filled)[3 * len(filled) // 4]
    steps = [
        before.bottom - line.bottom
        for page in filled
        for before, line in pairwise(page)
        if 0 < before.bottom - line.bottom < 4 * line.size
    ]
    pitch = median(steps) if steps else 0.0
    margins = {}
    for page in filled:
        size = median(line.size for line in page)
        own_left, own_right = min(line.left for line in page), max(line.right for line in page)
        margins[page[0].page] = _Margins(
            left=own_left if own_left < left + 1.2 * size else left,
            right=own_right if own_right > right - 2 * size else right,
            pitch=pitch,
        )
    return margins


def _continues(lines: list[Line], line: Line, margins: dict[int, _Margins]) -> bool:
    """Whether ``line`` goes on with the paragraph that ``lines`` have begun."""
    if not lines:
        return True
    last = lines[-1]
    size = min(last.size, line.size)
    if max(last.size, line.size) > 1.2 * size or _LEADER.search(last.text) or _LEADER.search(line.text):
        return False
    step = last.bottom - line.bottom
    if last.page == line.page and not 0 < step <= max(1.3 * margins[line.page].pitch, 1.2 * size):
        return False
    if _has_open_bracket(last.text):
        return True
    if _DIVISION.match(line.text) or (_ITEM.match(line.text) and _ENDS_SENTENCE.search(last.text)):
        return False
    return _is_full(last, line, margins[last.page]) and _is_aligned(lines, line, margins)


def _has_open_bracket(text: str) -> bool:
    return any(text.rfind(opening) > text.rfind(closing) for opening, closing in ("（）", "《》", "〔〕"))


def _is_full(last: Line, line: Line, margins: _Margins) -> bool:
    """Whether the first word of ``line`` had no room on ``last``, or a long ``last`` breaks off in a sentence."""
    reach = (margins.left, margins.right - margins.left)
    if last.left > reach[0] + 0.4 * reach[1]:  # set at the right: a column head, a signature
        return False
    if _BREAKS_OFF.search(last.text) and (line.text[0].islower() or last.right > reach[0] + 0.7 * reach[1]):
        return True
    word = _FIRST_WORD.match(line.text)
    average = (line.right - line.left) / len(line.text)
    width = sum(max(average, line.size) if IS_CJK.match(char) else average for char in (word[0] if word else ""))
    return last.right + width + 0.3 * line.size > margins.right


def _is_aligned(lines: list[Line], line: Line, margins: dict[int, _Margins]) -> bool:
    """Whether ``line`` begins at the margin, or where a hanging indent has put the line before."""
    indent = line.left - margins[line.page].left
    before = lines[-1].left - margins[lines[-1].page].left
    if indent < 0.8 * line.size:
        return True
    if len(lines) > 1:
        return abs(indent - before) < 0.3 * line.size
    return bool(_ITEM.match(lines[0].text)) and 0.3 * line.size < indent - before < 3 * line.size
