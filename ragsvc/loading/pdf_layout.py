"""Lines of a PDF page and how they make paragraphs, from where the glyphs stand. Lengths are PDF points (1/72 inch)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

CELL_MARK = "\x1f"
SOFT_HYPHEN = "\ufffe"
"""What pdfium gives for a hyphen that only a line end put there."""
CELL_GAP = 1.6
"""White space inside a line from which on it parts two cells, in multiples of the font size."""
_CJK = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f“”‘’…—"
_SPACE_BETWEEN_CJK = re.compile(rf"(?<=[{_CJK}]) (?=[{_CJK}])")
_CJK_PAIR = re.compile(rf"[{_CJK}](?= ?[{_CJK}])")
_IS_CJK = re.compile(rf"[{_CJK}]")
_FIRST_WORD = re.compile(rf"[（《“(\[]*(?:[{_CJK}]{{1,2}}|[^\s{_CJK}]+)")
_ENDS_SENTENCE = re.compile(r"[。；：！？.;:!?][”’）)]?$")
_BREAKS_OFF = re.compile(r"[a-z,\-\u4e00-\u9fff，、]$")
_DIVISION = re.compile(r"第[零〇一二三四五六七八九十百千\d]+[编章节]\s")
_LEADER = re.compile(r"(?:[.…·⋯]\s?){4,}\s*\S{0,6}$")
_NUMERAL = r"[零〇一二三四五六七八九十百千\d]+"
# What begins an item of a list or a unit of a statute.
_ITEM = re.compile(rf"第{_NUMERAL}[编章节条]|[（(]{_NUMERAL}[）)]|{_NUMERAL}、|\d+[.．](?!\d)|\[\d+\]|[•●○▪■\-–] ?\S")


class Line(Struct):
    """One line as the eye sees it, with ``CELL_MARK`` where white space parts cells."""

    text: str
    page: int
    left: float
    right: float
    bottom: float
    size: float
    """Height of the font."""


class Paragraph(Struct):
    """Lines that belong together."""

    kind: Literal["paragraph", "table"]
    lines: list[Line]


class _Margins(Struct):
    left: float
    right: float
    pitch: float
    """Usual distance from line to line."""


class _Glyph(Struct):
    char: str
    left: float
    right: float
    bottom: float
    top: float


def visual_lines(textpage: PdfTextPage, page: int) -> list[Line]:
    """Return the lines of a page in reading order; superscripts that pdfium takes for lines are put back."""
    lines: list[Line] = []
    for glyphs in _runs(textpage):
        line = _line(glyphs, page)
        if lines and _is_same_line(lines[-1], line):
            _append(lines[-1], line)
        else:
            lines.append(line)
    for line in lines:
        line.text = _tidy(line.text)
    return lines


def _runs(textpage: PdfTextPage) -> Iterator[list[_Glyph]]:
    """Yield the visible glyphs between line ends. ``char`` has the white space before a glyph in front of it."""
    from pypdfium2 import raw

    box = raw.FS_RECTF()
    glyphs: list[_Glyph] = []
    space = ""
    for index in range(textpage.count_chars()):
        char = chr(raw.FPDFText_GetUnicode(textpage, index))
        if char in "\r\n":
            if glyphs:
                yield glyphs
            glyphs, space = [], ""
        elif char.isspace() or char < " ":
            space = " "
        else:
            raw.FPDFText_GetLooseCharBox(textpage, index, box)
            glyph = _Glyph(space + char, box.left, box.right, box.bottom, box.top)
            space = ""
            if glyphs and _begins_line(glyphs[-1], glyph):
                yield glyphs
                glyphs = []
            glyphs.append(glyph)
    if glyphs:
        yield glyphs


def _begins_line(before: _Glyph, glyph: _Glyph) -> bool:
    """Whether the pen went back and down: pdfium runs dense lines together."""
    return glyph.right < before.left and glyph.bottom < before.bottom - 0.3 * (glyph.top - glyph.bottom)


def _line(glyphs: list[_Glyph], page: int) -> Line:
    size = max(glyph.top - glyph.bottom for glyph in glyphs)
    pieces = [glyphs[0].char.strip()]
    for before, glyph in pairwise(glyphs):
        is_gap = glyph.left - before.right > CELL_GAP * size
        pieces.append(CELL_MARK + glyph.char.strip() if is_gap else glyph.char)
    return Line(
        text="".join(pieces),
        page=page,
        left=min(glyph.left for glyph in glyphs),
        right=max(glyph.right for glyph in glyphs),
        bottom=min(glyph.bottom for glyph in glyphs),
        size=size,
    )


def _is_same_line(line: Line, piece: Line) -> bool:
    overlap = min(line.bottom + line.size, piece.bottom + piece.size) - max(line.bottom, piece.bottom)
    return overlap > 0.5 * min(line.size, piece.size) and piece.left > line.right - 0.5 * line.size


def _append(line: Line, piece: Line) -> None:
    gap = piece.left - line.right
    if gap > CELL_GAP * line.size:
        line.text += CELL_MARK + piece.text
    elif gap > 0.25 * line.size:
        line.text = join_lines(line.text, piece.text)
    else:
        line.text += piece.text
    line.right = max(line.right, piece.right)
    line.bottom = min(line.bottom, piece.bottom)
    line.size = max(line.size, piece.size)


def _tidy(text: str) -> str:
    # Characters beyond the basic plane come as two halves.
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    spaced = len(_SPACE_BETWEEN_CJK.findall(text))
    if spaced >= 4 and spaced > 0.5 * len(_CJK_PAIR.findall(text)):  # a short line, justified by stretching
        text = _SPACE_BETWEEN_CJK.sub("", text)
    return text


def join_lines(before: str, after: str) -> str:
    """Join two lines of one paragraph: no space next to a Chinese character or after a hyphen."""
    if before.endswith(SOFT_HYPHEN):
        return before[:-1] + after
    if not before or before.endswith("-") or _IS_CJK.match(before[-1]) or _IS_CJK.match(after[:1]):
        return before + after
    return f"{before} {after}"


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
            line.text = line.text.replace(CELL_MARK, " | ")
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
    is_table = [False] * len(lines)
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and CELL_MARK in lines[end].text:
            end += 1
        rows = [line.text.split(CELL_MARK) for line in lines[start:end]]
        figures = sum(any(char.isdigit() for char in row[-1]) for row in rows)
        if len(rows) > 1 and (any(len(row) > 2 for row in rows) or 2 * figures > len(rows)):
            is_table[start:end] = [True] * len(rows)
        start = end + 1
    return is_table


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
    width = sum(max(average, line.size) if _IS_CJK.match(char) else average for char in (word[0] if word else ""))
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
