"""Ruled tables of a PDF page: pdfium gives the drawn lines, pdfplumber's table finder makes cells of them.

Only the finder's geometry is used: pdfplumber's own reading would parse each page again, at 5 pages a second.
Coordinates are PDF points with the origin at the bottom left; the finder counts from the top, so y changes its sign.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

MAX_SEGMENTS = 20_000
"""A page with more line segments than this is a drawing."""
_FORM_DEPTH = 3
_SLANT = 1.0
"""Points by which a line may be off the horizontal or vertical."""
_NEAR = 3.0
"""Points within which lines are one line, and meet; pdfplumber's own default."""
_SHORT = 3.0

_Matrix = tuple[float, float, float, float, float, float]
_Box = tuple[float, float, float, float]
_IDENTITY: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class RuledTable(Struct, frozen=True):
    """Rows of cells as (left, bottom, right, top); a cell over several rows stands in its first one."""

    rows: tuple[tuple[_Box, ...], ...]

    @property
    def box(self) -> _Box:
        """What the table covers."""
        cells = [cell for row in self.rows for cell in row]
        lefts, bottoms, rights, tops = zip(*cells, strict=True)
        return min(lefts), min(bottoms), max(rights), max(tops)


def ruled_tables(page: PdfPage) -> list[RuledTable]:
    """Return the tables of at least two rows and two columns whose cells are drawn with lines or filled boxes."""
    edges = list(_edges(page))
    if len(edges) < 4:
        return []
    from pdfplumber import table as finder

    merged = finder.merge_edges(edges, _NEAR, _NEAR, _NEAR, _NEAR)
    merged = [edge for edge in merged if max(edge["x1"] - edge["x0"], edge["bottom"] - edge["top"]) >= _SHORT]
    cells = finder.intersections_to_cells(finder.edges_to_intersections(merged, _NEAR, _NEAR))
    found = []
    for group in finder.cells_to_tables(cells):
        rows = [
            tuple((x0, -bottom, x1, -top) for x0, top, x1, bottom in filter(None, row.cells))
            for row in finder.Table(page, group).rows
        ]
        if len(rows) > 1 and max(map(len, rows)) > 1:
            found.append(RuledTable(tuple(rows)))
    return found


def _edges(page: PdfPage) -> Iterator[dict[str, Any]]:
    for start, end in islice(_segments(page), MAX_SEGMENTS):
        (x0, x1), (y0, y1) = sorted((start[0], end[0])), sorted((start[1], end[1]))
        if y1 - y0 <= _SLANT < x1 - x0:
            yield {"orientation": "h", "x0": x0, "x1": x1, "top": -y1, "bottom": -y1, "width": x1 - x0, "height": 0.0}
        elif x1 - x0 <= _SLANT < y1 - y0:
            yield {"orientation": "v", "x0": x0, "x1": x0, "top": -y1, "bottom": -y0, "width": 0.0, "height": y1 - y0}


def _segments(page: PdfPage) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Yield the straight segments of all visible paths, in page coordinates."""
    for path, matrix in _paths(page):
        points = _points(path, _product(_matrix_of(path), matrix))
        for line in points:
            yield from pairwise(line)


def _paths(page: PdfPage) -> Iterator[tuple[Any, _Matrix]]:
    from pypdfium2 import raw

    def inside(container: Any, count: Any, get: Any, matrix: _Matrix, depth: int) -> Iterator[tuple[Any, _Matrix]]:
        for index in range(count(container)):
            element = get(container, index)
            kind = raw.FPDFPageObj_GetType(element)
            if kind == raw.FPDF_PAGEOBJ_PATH and _is_drawn(element):
                yield element, matrix
            elif kind == raw.FPDF_PAGEOBJ_FORM and depth < _FORM_DEPTH:
                inner = _product(_matrix_of(element), matrix)
                yield from inside(element, raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject, inner, depth + 1)

    yield from inside(page.raw, raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject, _IDENTITY, 0)


def _is_drawn(path: Any) -> bool:
    """Whether the path is stroked, or filled with another colour than white."""
    from pypdfium2 import raw

    fill_mode, stroke = ctypes.c_int(), ctypes.c_int()
    if not raw.FPDFPath_GetDrawMode(path, fill_mode, stroke):
        return False
    if stroke.value:
        return True
    colour = [ctypes.c_uint() for _ in range(4)]
    is_known = raw.FPDFPageObj_GetFillColor(path, *colour)
    return fill_mode.value != raw.FPDF_FILLMODE_NONE and not (is_known and min(c.value for c in colour[:3]) >= 250)


def _matrix_of(element: Any) -> _Matrix:
    from pypdfium2 import raw

    matrix = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(element, matrix):
        return _IDENTITY
    return matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f


def _product(inner: _Matrix, outer: _Matrix) -> _Matrix:
    a, b, c, d, e, f = inner
    m, n, o, p, q, r = outer
    return a * m + b * o, a * n + b * p, c * m + d * o, c * n + d * p, e * m + f * o + q, e * n + f * p + r


def _points(path: Any, matrix: _Matrix) -> list[list[tuple[float, float]]]:
    """Return the corners of each line of a path; a curve ends one."""
    from pypdfium2 import raw

    a, b, c, d, e, f = matrix
    x, y = ctypes.c_float(), ctypes.c_float()
    lines: list[list[tuple[float, float]]] = [[]]
    for index in range(min(raw.FPDFPath_CountSegments(path), MAX_SEGMENTS)):
        segment = raw.FPDFPath_GetPathSegment(path, index)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        if raw.FPDFPathSegment_GetType(segment) != raw.FPDF_SEGMENT_LINETO:
            lines.append([])
        lines[-1].append((a * x.value + c * y.value + e, b * x.value + d * y.value + f))
        if raw.FPDFPathSegment_GetClose(segment):
            lines[-1].append(lines[-1][0])
    return lines
