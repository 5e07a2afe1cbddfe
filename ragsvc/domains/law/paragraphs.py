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
_EU_PARAGRAPH = re.compile(r"(\d{1,2})\.(?=\s|$)")
_EU_POINT = re.compile(r"\(([a-z]{1,5}|\d{1,2})\)(?=\s|$)")
_ROMAN = re.compile(r"[ivx]+")


class Numbered(NamedTuple):
    """A paragraph or point of a European article: its mark ("1", "b") and its range in the article's text."""

    mark: str
    start: int
    end: int


def eu_paragraphs_of(article: str) -> list[Numbered]:
    """Return the paragraphs of a European article, each up to the next; empty when it has none.

    An article of definitions has points instead: "(1) ‘personal data’ means …".
    """
    marks = _eu_marks(article, _EU_PARAGRAPH, 0, len(article))
    marks = marks or [m for m in _eu_marks(article, _EU_POINT, 0, len(article)) if m[0].isdecimal()]
    ends = [start for _, start in marks[1:]] + [len(article)]
    return [Numbered(mark, start, end) for (mark, start), end in zip(marks, ends, strict=False)]


def _eu_marks(article: str, form: re.Pattern[str], start: int, end: int) -> list[tuple[str, int]]:
    """Marks at line starts that count up from 1 or a: what breaks the sequence is no mark."""
    marks: list[tuple[str, int]] = []
    for line in lines_of(article, start, end):
        found = form.match(line.content)
        if found and found[1] in _follows(marks[-1][0] if marks else ""):
            marks.append((found[1], line.content_start))
    return marks


def _follows(mark: str) -> tuple[str, ...]:
    if not mark:
        return ("1", "a")
    return (
        (str(int(mark) + 1),) if mark.isdecimal() else (chr(ord(mark[0]) + 1) * len(mark), "aa" if mark == "z" else "")
    )


def _find_in_eu_article(article: str, paragraph: str, item: str) -> tuple[int, int] | None:
    start, end = 0, len(article)
    if paragraph:
        within = next((n for n in eu_paragraphs_of(article) if n.mark == paragraph), None)
        if within is None:
            # Point (b) of an article without numbered paragraphs is cited as 13(b).
            return None if item or not paragraph.isalpha() else _find_in_eu_article(article, "", paragraph)
        start, end = within.start, within.end
    if item:
        marks = _eu_marks(article, _EU_POINT, start, end)
        begin = next((at for mark, at in marks if mark == item.lower()), None)
        if begin is None:
            return None
        start, end = begin, _point_end(article, begin, min((at for _, at in marks if at > begin), default=end))
    return _trimmed(article, start, end)


def _point_end(article: str, start: int, end: int) -> int:
    """A point is its line and its sub-points (i), (ii); the subparagraph after the last point is not part of it."""
    stop = start
    for line in lines_of(article, start, end):
        found = _EU_POINT.match(line.content)
        is_alone = stop == start or _EU_POINT.fullmatch(article[start:stop].strip())
        if line.content and not is_alone and not (found and _ROMAN.fullmatch(found[1])):
            break
        stop = line.end
    return stop


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
