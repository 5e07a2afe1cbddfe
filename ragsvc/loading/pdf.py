"""PDF by pdfium: lines with their place on the page, without running headers, joined into paragraphs.

A PDF holds glyphs, not paragraphs. What is a paragraph is read off the layout, in ``pdf_layout.py``. A page that is a
picture goes through text recognition (``recognition.py``); where that is missing, the page is named in a warning.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import pairwise

from ragsvc.errors import UnreadableFile
from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.limits import LoadingLimits
from ragsvc.loading.pdf_layout import Paragraph, paragraphs
from ragsvc.loading.pdf_lines import Line, join_lines
from ragsvc.loading.pdf_pages import Pages
from ragsvc.records import Block

_DIGITS = re.compile(r"\d+")
_EDGE_LINES = 2
"""How many lines at the top and bottom of a page may be running headers or page numbers."""
_EDGE_SHARE = 0.25
"""On which share of the pages a line must come back to be one (left and right pages may differ)."""


def read_pdf(content: bytes, name: str, limits: LoadingLimits, alive: Callable[[], object] = bool) -> TextAssembly:
    """Return the text of a PDF, its paragraphs and tables with the page on which they begin, and its pages.

    Args:
        content: the file.
        name: what to call it in errors.
        limits: of pages and pictures.
        alive: called after each page that took long because it was recognised.

    Raises:
        UnreadableFile: damaged, protected by a password, too many pages, or pictures that nothing here can read.
    """
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        document = PdfDocument(content)
    except PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableFile(name, "is protected by a password: save it without one") from error
        raise UnreadableFile(name, f"is a damaged PDF: {error}") from error
    try:
        if len(document) > limits.pages:
            raise UnreadableFile(name, f"has {len(document):,} pages; at most {limits.pages:,} are read: split it")
        pages = Pages()
        pages.read(document, limits, alive)
        if pages.unread and not any(pages.lines):
            raise UnreadableFile(name, f"is a scan, pictures of pages: {pages.why_unread}")
        assembly = assemble_pages(pages)
        assembly.title = (document.get_metadata_dict().get("Title") or "").strip()
        return assembly
    finally:
        document.close()


def assemble_pages(pages: Pages) -> TextAssembly:
    """Return the paragraphs and tables of pages, without running headers, and a block for each page."""
    assembly = TextAssembly()
    kept, left_out = without_running_lines(pages.lines)
    starts: dict[int, int] = {}
    for paragraph in paragraphs(kept):
        _add(assembly, paragraph, starts)
    blocks = _page_blocks(starts, assembly.text, pages.confidence)
    assembly.blocks = sorted(assembly.blocks + blocks, key=lambda b: (b.start, -b.end))
    assembly.warnings += pages.warnings()
    assembly.warnings += [
        f"left out on {count} pages: {line!r}" for line, count in left_out if any(char.isalpha() for char in line)
    ]
    return assembly


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
        if len({line.page for line in lines}) < needed:
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
    by_height = sorted((line for line in lines if not line.is_row), key=lambda line: -line.bottom)
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


def _page_blocks(starts: dict[int, int], text: str, confidence: dict[int, float]) -> list[Block]:
    ends = [*starts.values(), len(text)]
    return [
        Block(
            kind="page",
            start=start,
            end=start + len(text[start:end].rstrip()),
            page=page,
            confidence=confidence.get(page),
        )
        for page, (start, end) in zip(starts, pairwise(ends), strict=True)
    ]
