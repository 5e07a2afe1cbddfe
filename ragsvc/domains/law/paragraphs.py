"""Places inside an article: 第二款, 第（三）项, (1)(b)."""

from __future__ import annotations

import re
from typing import NamedTuple

from ragsvc.chunking.lines import lines_of
from ragsvc.domains.law.numerals import NUMERAL, number

# A line that continues the paragraph before it: a numbered item, or text quoted by an amendment.
_ITEM = re.compile(
    rf"[“\"]?(?:[（(]\s*({NUMERAL}+)\s*[）)]|(\d{{1,2}})\s*[.．、](?!\d)|([一二三四五六七八九十]+)、|[①-⑳]|[“\"])"
)


class Span(NamedTuple):
    """A range of the article's text."""

    start: int
    end: int


def paragraphs_of(article: str) -> list[Span]:
    """Return the paragraphs (款) of a Chinese article; they tile ``article``.

    A line is a paragraph, except that numbered items belong to the paragraph that announces them, and so does what
    follows a line that did not end a sentence.
    """
    starts = [0]
    last = ""
    for line in lines_of(article):
        if not line.content:
            continue
        if last and last not in "：；，、:;," and not _ITEM.match(line.content):
            starts.append(line.content_start)
        last = line.content[-1]
    return [Span(start, end) for start, end in zip(starts, [*starts[1:], len(article)], strict=True)]


def find_paragraph(article: str, paragraph: str = "", item: str = "") -> tuple[int, int] | None:
    """Return where a paragraph, or an item in it, stands in the text of an article; None when it is not there.

    ``paragraph`` and ``item`` are numbers from 1, or letters for points of European acts ("1", "b"). An item
    without a paragraph is looked for in the whole article.
    """
    if not paragraph and not item:
        return _trimmed(article, 0, len(article))
    if _EU_HEAD.match(article):
        return _find_in_eu_article(article, paragraph, item)
    spans = paragraphs_of(article)
    if paragraph:
        if not paragraph.isdecimal() or not 0 < int(paragraph) <= len(spans):
            return None
        spans = [spans[int(paragraph) - 1]]
    if not item:
        return _trimmed(article, spans[0].start, spans[0].end)
    for span in spans:
        found = _find_item(article, span, item)
        if found:
            return found
    return None


def _find_item(article: str, span: Span, item: str) -> tuple[int, int] | None:
    """An item reaches to the next item of its own style, or to the end of its paragraph."""
    items: list[tuple[int, str, int | None]] = []
    for line in lines_of(article, span.start, span.end):
        found = _ITEM.match(line.content)
        if found and found.lastindex:
            items.append((line.content_start, str(found.lastindex), number(found[found.lastindex])))
    for at, (start, style, value) in enumerate(items):
        if item.isdecimal() and value == int(item):
            end = next((s for s, other, _ in items[at + 1 :] if other == style), span.end)
            return _trimmed(article, start, end)
    return None


_EU_HEAD = re.compile(r"\s*[#*]*\s*Article\s+\d+")


def _find_in_eu_article(article: str, paragraph: str, item: str) -> tuple[int, int] | None:
    """``1.`` opens a paragraph, ``(a)`` a point; a line may hold only the mark, its text being on the next."""
    start, end = 0, len(article)
    if paragraph:
        numbers = [(m.start(), m[1]) for m in re.finditer(r"^[^\S\n]*(\d{1,2})\.(?=\s)", article, re.M)]
        within = _range_of(numbers, paragraph, end)
        if within is None:
            # Point (b) of an article without numbered paragraphs is cited as 13(b).
            return None if item or not paragraph.isalpha() else _find_in_eu_article(article, "", paragraph)
        start, end = within
    if item:
        points = [
            (m.start(), m[1])
            for m in re.finditer(r"^[^\S\n]*\(([a-z]|[ivx]+)\)(?=\s)", article, re.M)
            if start <= m.start() < end
        ]
        within = _range_of(points, item.lower(), end)
        if within is None:
            return None
        start, end = within
    return _trimmed(article, start, end)


def _range_of(marks: list[tuple[int, str]], name: str, end: int) -> tuple[int, int] | None:
    for at, (start, mark) in enumerate(marks):
        if mark == name:
            return start, marks[at + 1][0] if at + 1 < len(marks) else end
    return None


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
