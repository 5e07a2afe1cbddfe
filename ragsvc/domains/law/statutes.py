"""Chinese statutes, regulations, judicial interpretations and decisions: one chunk per article."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from ragsvc.chunking.lines import has_content
from ragsvc.chunking.structure import PASSAGE_CHARS_ZH, chunks_of, plain_pieces
from ragsvc.domains.law.numerals import numeral
from ragsvc.domains.law.outline import Mark, outline
from ragsvc.domains.law.paragraphs import paragraphs_of
from ragsvc.records import Chunk, ChunkKind, DocumentFacts

LONG_ARTICLE_CHARS = 600
"""A longer article is divided into its paragraphs (款), with the article as their parent."""


def chunk_statute(text: str, facts: DocumentFacts) -> list[Chunk]:
    """Return front matter, headings, articles and annexes that tile ``text``; empty when it has no article."""
    marks = outline(text, is_amendment="修正案" in facts.title, is_act=bool(facts.kind))
    if not marks:
        return []
    marks = _from_the_start(text, marks)
    return _Builder(text, facts).build(marks)


def _from_the_start(text: str, marks: list[Mark]) -> list[Mark]:
    """White space before the first mark joins it; real text there is front matter."""
    if has_content(text, 0, marks[0].start):
        return [Mark(0, "front"), *marks]
    return [marks[0]._replace(start=0), *marks[1:]]


class _Builder:
    """Turns marks into chunks while following the headings."""

    def __init__(self, text: str, facts: DocumentFacts) -> None:
        self._text = text
        self._path = (facts.part,) if facts.part else ()
        self._headings: list[tuple[int, str]] = []
        self._chunks: list[Chunk] = []

    def build(self, marks: Sequence[Mark]) -> list[Chunk]:
        ends = [mark.start for mark in marks[1:]] + [len(self._text)]
        for mark, end in zip(marks, ends, strict=True):
            if mark.kind == "heading":
                self._heading(mark, end)
            elif mark.kind == "article":
                self._article(mark, end)
            elif mark.kind == "annex":
                self._annex(mark, end)
            elif mark.kind == "contents":
                self._chunks.append(Chunk(kind="contents", start=mark.start, end=end, locator=mark.label))
            else:
                self._chunks.append(Chunk(kind="front", start=mark.start, end=end))
        return self._chunks

    def _here(self) -> tuple[str, ...]:
        return (*self._path, *(title for _, title in self._headings if title))

    def _heading(self, mark: Mark, end: int) -> None:
        """The heading is one leaf; text under it that no article holds (a preamble) is cut into sections."""
        line_end = self._own_end(mark, end)
        while self._headings and self._headings[-1][0] >= mark.level:
            self._headings.pop()
        self._chunks.append(
            Chunk(kind="heading", start=mark.start, end=line_end, locator=mark.label, heading_path=self._here())
        )
        self._headings.append((mark.level, mark.label))
        if line_end < end:
            self._passages(line_end, end, "section")

    def _article(self, mark: Mark, end: int) -> None:
        article = Chunk(
            kind="article",
            start=mark.start,
            end=end,
            locator=mark.label,
            address=mark.address,
            heading_path=self._here(),
        )
        spans = paragraphs_of(self._text[mark.start : end]) if end - mark.start > LONG_ARTICLE_CHARS else []
        if len(spans) < 2:
            self._chunks.append(article)
            return
        parent = len(self._chunks)
        self._chunks.append(replace(article, is_leaf=False))
        for n, span in enumerate(spans, start=1):
            self._chunks.append(
                Chunk(
                    kind="paragraph",
                    start=mark.start + span.start,
                    end=mark.start + span.end,
                    locator=f"{mark.label}第{numeral(n)}款",
                    address=f"{mark.address}.{n}" if mark.address else "",
                    heading_path=article.heading_path,
                    parent=parent,
                )
            )

    def _annex(self, mark: Mark, end: int) -> None:
        line_end = self._own_end(mark, end)
        self._headings.clear()
        if line_end < end:
            self._chunks.append(
                Chunk(kind="heading", start=mark.start, end=line_end, locator=mark.label, heading_path=self._path)
            )
        self._headings.append((0, mark.label))
        self._passages(line_end if line_end < end else mark.start, end, "annex")

    def _own_end(self, mark: Mark, end: int) -> int:
        """Where the lines of a heading end; ``end`` when only blanks follow them."""
        stop = min(mark.stop, end)
        return stop if has_content(self._text, stop, end) else end

    def _passages(self, start: int, end: int, kind: ChunkKind) -> None:
        pieces = plain_pieces(self._text, start, end)
        self._chunks.extend(chunks_of(pieces, self._text, PASSAGE_CHARS_ZH, self._here(), kind))
