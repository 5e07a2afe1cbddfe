"""The pages of a PDF as lines: from its text, or by text recognition where a page is a picture."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ragsvc.loading.limits import LoadingLimits
from ragsvc.loading.pdf_lines import Line, visual_lines
from ragsvc.loading.pdf_tables import ruled_tables
from ragsvc.loading.recognition import DPI, Recognised, recognise, why_unavailable

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

_FEW_CHARS = 30
"""A page with fewer characters than this may be a scan that something stamped."""
_PICTURE_SHARE = 0.5
_OUTLINES = 50
"""A page without text but with so many drawn paths may be text turned into outlines."""
_MAX_RENDERED_PIXELS = 25_000_000
_FORM_DEPTH = 3
_LOW_CONFIDENCE = 0.6


class Pages:
    """What was read page by page.

    ``lines`` are those of each page, ``confidence`` is by page number for pages that were recognised, ``unread`` are
    the pages that are pictures and could not be.
    """

    def __init__(self) -> None:
        self.lines: list[list[Line]] = []
        self.confidence: dict[int, float] = {}
        self.unread: list[int] = []
        self.why_unread = ""

    def read(self, document: PdfDocument, limits: LoadingLimits, alive: Callable[[], object]) -> None:
        """Read all pages of a document; ``alive`` is called after each one that was recognised."""
        for number in range(1, len(document) + 1):
            page = document[number - 1]
            try:
                lines = _text_lines(page, number)
                if _may_be_picture(page, lines):
                    self._recognise(page, number, limits)
                    alive()
                if number not in self.confidence:
                    self.lines.append(lines)
            finally:
                page.close()

    def add_recognised(self, number: int, found: Recognised) -> None:
        """Take what was recognised on a page."""
        if found.lines:
            self.confidence[number] = found.confidence
        self.lines.append(found.lines)

    def warnings(self) -> list[str]:
        """What a librarian should know of the pages."""
        found = []
        if self.unread:
            found.append(f"pages that are pictures and were not read: {_ranges(self.unread)} ({self.why_unread})")
        if self.confidence:
            mean = sum(self.confidence.values()) / len(self.confidence)
            found.append(f"pages read by text recognition: {_ranges(self.confidence)} (confidence {mean:.2f})")
        low = [page for page, confidence in self.confidence.items() if confidence < _LOW_CONFIDENCE]
        if low:
            found.append(f"pages whose recognised text is doubtful: {_ranges(low)}")
        empty = [n for n, lines in enumerate(self.lines, 1) if not lines and n not in self.unread]
        if empty:
            found.append(f"pages without text: {_ranges(empty)}")
        return found

    def _recognise(self, page: PdfPage, number: int, limits: LoadingLimits) -> None:
        problem = _too_large(page, limits) or why_unavailable()
        if not problem:
            width, height = page.get_size()
            scale = min(DPI / 72, math.sqrt(_MAX_RENDERED_PIXELS / max(1.0, width * height)))
            bitmap = page.render(scale=scale, grayscale=True)
            try:
                found = recognise(bitmap.to_pil(), number, 1 / scale)
            except subprocess.SubprocessError as error:
                problem = f"text recognition failed: {type(error).__name__}"
            else:
                if found.lines:
                    self.add_recognised(number, found)
                return
            finally:
                bitmap.close()
        self.unread.append(number)
        self.why_unread = problem


def _too_large(page: PdfPage, limits: LoadingLimits) -> str:
    for picture in _pictures(page):
        width, height = picture.get_px_size()
        if width * height > limits.picture_pixels:
            return f"a picture has {width:,} x {height:,} pixels; at most {limits.picture_pixels:,} are read"
    return ""


def _text_lines(page: PdfPage, number: int) -> list[Line]:
    textpage = page.get_textpage()
    try:
        return visual_lines(textpage, number, ruled_tables(page))
    finally:
        textpage.close()


def _may_be_picture(page: PdfPage, lines: list[Line]) -> bool:
    if sum(len(line.text) for line in lines) >= _FEW_CHARS:
        return False
    width, height = page.get_size()
    for picture in _pictures(page):
        left, bottom, right, top = picture.get_bounds()
        if (right - left) * (top - bottom) >= _PICTURE_SHARE * width * height:
            return True
    from pypdfium2 import raw

    paths = page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=_FORM_DEPTH)
    return not lines and sum(1 for _ in paths) >= _OUTLINES


def _pictures(page: PdfPage) -> list[Any]:
    from pypdfium2 import raw

    return list(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=_FORM_DEPTH))


def _ranges(numbers: Iterable[int]) -> str:
    """Return 1, 2, 3, 7 as "1-3, 7"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
