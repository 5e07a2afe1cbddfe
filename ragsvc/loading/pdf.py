"""PDF by pdfium: lines with their place on the page, without running headers, joined into paragraphs.

A PDF holds glyphs, not paragraphs. What is a paragraph is read off the layout, in ``pdf_layout.py``; a scan has no
text and is refused.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from ragsvc.errors import UnreadableFile
from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.limits import LoadingLimits
from ragsvc.loading.pdf_layout import Line, Paragraph, join_lines, paragraphs, visual_lines
from ragsvc.records import Block

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

_DIGITS = re.compile(r"\d+")
_EDGE_LINES = 2
"""How many lines at the top and bottom of a page may be running headers or page numbers."""
_EDGE_SHARE = 0.25
"""On which share of the pages a line must come back to be one (left and right pages may differ)."""


def read_pdf(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return the text of a PDF, its paragraphs and tables with the page on which they begin, and its pages.

    Raises:
        UnreadableFile: damaged, or protected by a password.
    """
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        document = PdfDocument(content)
    except PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableFile(name, "is protected by a password: save it without one") from error
        raise UnreadableFile(name, f"is a damaged PDF: {error}") from error
    try:
        return _read_pages(document)
    finally:
        document.close()


def _read_pages(document: PdfDocument) -> TextAssembly:
    assembly = TextAssembly()
    assembly.title = (document.get_metadata_dict().get("Title") or "").strip()
    pages = [_page_lines(document[number], number + 1) for number in range(len(document))]
    empty = [number for number, lines in enumerate(pages, 1) if not lines]
    pages, left_out = without_running_lines(pages)
    starts: dict[int, int] = {}
    for paragraph in paragraphs(pages):
        _add(assembly, paragraph, starts)
    assembly.blocks = sorted(assembly.blocks + _page_blocks(starts, assembly.text), key=lambda b: (b.start, -b.end))
    if empty:
        assembly.warnings.append(f"pages without text, perhaps pictures: {', '.join(map(str, empty))}")
    assembly.warnings += [
        f"left out on {count} pages: {line!r}" for line, count in left_out if any(char.isalpha() for char in line)
    ]
    return assembly


def _page_lines(page: PdfPage, number: int) -> list[Line]:
    textpage = page.get_textpage()
    try:
        return visual_lines(textpage, number)
    finally:
        textpage.close()
        page.close()


def without_running_lines(pages: list[list[Line]]) -> tuple[list[list[Line]], list[tuple[str, int]]]:
    """Drop page numbers, headers and footers: edge lines alike but for digits on many pages.

    Such a line must stand where the others stand or count the pages as they do.

    Returns:
        The pages, and what was left out (digits as ``#``) with the number of pages.
    """
    alike: dict[tuple[bool, str], list[Line]] = defaultdict(list)
    for lines in pages:
        for is_top, line in _edges(lines):
            alike[is_top, _pattern(line)].append(line)
    needed = max(2, _EDGE_SHARE * len(pages))
    dropped: Counter[str] = Counter()
    running = set()
    for (_, pattern), lines in alike.items():
        if len(lines) < needed:
            continue
        height = sorted(line.bottom for line in lines)[len(lines) // 2]
        counts = Counter(count for line in lines for count in _page_counts(line))
        count, times = counts.most_common(1)[0] if counts else ((0, 0), 0)
        for line in lines:
            counts_pages = 2 * times > len(lines) and count in _page_counts(line)
            if abs(line.bottom - height) < line.size or counts_pages:
                running.add(id(line))
                dropped[pattern] += 1
    kept = [[line for line in lines if id(line) not in running] for lines in pages]
    return kept, sorted(dropped.items())


def _page_counts(line: Line) -> set[tuple[int, int]]:
    """Return (position, difference to the page) of each number in the line: a page number keeps its difference."""
    return {(at, int(digits) - line.page) for at, digits in enumerate(_DIGITS.findall(line.text)) if len(digits) < 6}


def _edges(lines: list[Line]) -> list[tuple[bool, Line]]:
    by_height = sorted(lines, key=lambda line: -line.bottom)
    top, bottom = by_height[:_EDGE_LINES], by_height[_EDGE_LINES:][-_EDGE_LINES:]
    return [(True, line) for line in top] + [(False, line) for line in bottom]


def _pattern(line: Line) -> str:
    return _DIGITS.sub("#", line.text)


def _add(assembly: TextAssembly, paragraph: Paragraph, starts: dict[int, int]) -> None:
    text = ""
    page_offsets = []
    for line in paragraph.lines:
        text = join_lines(text, line.text) if paragraph.kind == "paragraph" else f"{text}\n{line.text}".lstrip()
        page_offsets.append((line.page, len(text) - len(line.text)))
    assembly.add(paragraph.kind, text, page=paragraph.lines[0].page)
    block = assembly.blocks[-1]
    for page, offset in page_offsets:
        starts.setdefault(page, block.start + max(0, offset))


def _page_blocks(starts: dict[int, int], text: str) -> list[Block]:
    ends = [*starts.values(), len(text)]
    return [
        Block(kind="page", start=start, end=start + len(text[start:end].rstrip()), page=page)
        for page, (start, end) in zip(starts, pairwise(ends), strict=True)
    ]
