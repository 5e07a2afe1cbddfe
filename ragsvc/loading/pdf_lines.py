"""Lines of a PDF page, from where the glyphs stand. Lengths are PDF points (1/72 inch)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct

from ragsvc.loading.pdf_tables import RuledTable

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

CELL_MARK = "\x1f"
SOFT_HYPHEN = "\ufffe"
"""What pdfium gives for a hyphen that only a line end put there."""
CELL_GAP = 1.6
"""White space inside a line from which on it parts two cells, in multiples of the font size."""
CJK = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f“”‘’…—"
"""Characters between which a line end is no space, for use inside a character class."""
_SPACE_BETWEEN_CJK = re.compile(rf"(?<=[{CJK}]) (?=[{CJK}])")
_CJK_PAIR = re.compile(rf"[{CJK}](?= ?[{CJK}])")
IS_CJK = re.compile(rf"[{CJK}]")


class Line(Struct):
    """One line as the eye sees it, with ``CELL_MARK`` where white space parts cells."""

    text: str
    page: int
    left: float
    right: float
    bottom: float
    size: float
    """Height of the font."""
    is_row: bool = False
    """A row of a table that is drawn."""


class _Glyph(Struct):
    char: str
    left: float
    right: float
    bottom: float
    top: float


def visual_lines(textpage: PdfTextPage, page: int, tables: Sequence[RuledTable] = ()) -> list[Line]:
    """Return the lines of a page in reading order; superscripts that pdfium takes for lines are put back.

    Each row of ``tables`` is one line, its cells parted by ``CELL_MARK``.
    """
    runs: list[list[_Glyph] | Line] = list(_runs(textpage))
    for table in tables:
        runs = _with_rows(table, runs, page)
    lines: list[Line] = []
    for run in runs:
        if isinstance(run, Line):
            lines.append(run)
            continue
        line = _line(run, page)
        if lines and not lines[-1].is_row and _is_same_line(lines[-1], line):
            _append(lines[-1], line)
        else:
            lines.append(line)
    for line in lines:
        line.text = tidy(line.text)
    return lines


_Runs = Sequence["list[_Glyph] | Line"]


def _with_rows(table: RuledTable, runs: _Runs, page: int) -> list[list[_Glyph] | Line]:
    """Return ``runs`` with the glyphs of ``table`` taken out, and its rows where the first of them stood."""
    rest: list[list[_Glyph] | Line] = []
    pieces: list[list[_Glyph]] = []
    at = 0
    for run in runs:
        if isinstance(run, Line):
            rest.append(run)
            continue
        outside: list[_Glyph] = []
        inside: list[_Glyph] = []
        for glyph in run:
            (inside if _is_in(table.box, glyph) else outside).append(glyph)
        if inside:
            at = at if pieces else len(rest)
            pieces.append(inside)
        if outside:
            rest.append(outside)
    if _goes_on_beside(table, [glyph for run in rest if not isinstance(run, Line) for glyph in run]):
        return list(runs)
    cells = [cell for row in table.rows for cell in row]
    if not all(any(_is_in(cell, glyph) for cell in cells) for piece in pieces for glyph in piece):
        return list(runs)  # boxes behind every second row: what stands between them would be lost
    rows = [_row_line(cells, pieces, page) for cells in table.rows]
    filled = [cell for row in rows for cell in row.text.split(CELL_MARK) if cell]
    n_cells = sum(map(len, table.rows))
    # Shading behind rows draws boxes too, over several columns or none: there the gaps say more than the boxes.
    if len(filled) < 0.4 * n_cells or 10 * sum(_GAP_INSIDE in cell for cell in filled) > len(filled):
        return list(runs)
    for row in rows:
        row.text = row.text.replace(_GAP_INSIDE, " ")
    return [*rest[:at], *(row for row in rows if row.text.strip(CELL_MARK)), *rest[at:]]


_GAP_INSIDE = "\x1e"


def _goes_on_beside(table: RuledTable, outside: list[_Glyph]) -> bool:
    """Whether rows have text beside the boxes: those shade one column of a larger table."""
    centres = [(glyph.bottom + glyph.top) / 2 for glyph in outside]
    rows = [(min(cell[1] for cell in row), max(cell[3] for cell in row)) for row in table.rows]
    beside = sum(any(bottom <= centre < top for centre in centres) for bottom, top in rows)
    return beside > 0.2 * len(rows)


def _row_line(cells: Sequence[tuple[float, float, float, float]], pieces: list[list[_Glyph]], page: int) -> Line:
    texts = []
    for box in cells:
        text = ""
        for piece in pieces:
            if found := [glyph for glyph in piece if _is_in(box, glyph)]:
                text = join_lines(text, tidy(_line(found, page).text.replace(CELL_MARK, _GAP_INSIDE)))
        texts.append(text.strip())
    lefts, bottoms, rights, tops = zip(*cells, strict=True)
    height = min(top - bottom for bottom, top in zip(bottoms, tops, strict=True))
    return Line(CELL_MARK.join(texts), page, min(lefts), max(rights), min(bottoms), height, is_row=True)


def _is_in(box: tuple[float, float, float, float], glyph: _Glyph) -> bool:
    x, y = (glyph.left + glyph.right) / 2, (glyph.bottom + glyph.top) / 2
    return box[0] <= x < box[2] and box[1] <= y < box[3]


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


def tidy(text: str) -> str:
    """Return a line with its surrogate halves joined, and without the spaces that stretch a Chinese one."""
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
    if not before or before.endswith("-") or IS_CJK.match(before[-1]) or IS_CJK.match(after[:1]):
        return before + after
    return f"{before} {after}"
