"""Any document along its headings: the chunker for texts whose domain has no sharper structure.

Headings come from the blocks that the format states, else from Markdown marks. Paragraphs under one heading are
merged up to a size that suits the language; tables stand alone; a long paragraph is cut at sentence ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ragsvc.chunking.headings import numbered_heading
from ragsvc.chunking.lines import Line, lines_of
from ragsvc.chunking.sentences import split_at_sentences
from ragsvc.records import Block, Chunk, ChunkKind, DocumentFacts, LoadedDocument

PASSAGE_CHARS_ZH = 800
PASSAGE_CHARS_EN = 1600
TITLE_CHARS = 200

_BELOW_MARKED = 6
"""Levels that the format states end here; numbered headings are nested below them."""

_COVER_LINES = frozenset(("table of contents", "contents", "united states", "目录"))
"""First lines of filings and books that are no title."""
_MARKDOWN_HEADING = re.compile(r"(#{1,6})(?:[ \t\u3000]+(.*?))?[ \t]*#*$")
_TABLE_LINE = re.compile(r"\|.*\|$")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_MARKS = re.compile(r"^#{1,6}\s+|\*\*|__|`")


class Piece(NamedTuple):
    """A stretch of text that is not divided further unless it is too long; pieces tile what they were made from."""

    kind: str
    start: int
    end: int
    level: int = 0
    title: str = ""


def language_of(text: str) -> str:
    """Return "zh" or "en", whichever most of the first 4,000 characters are written in; "" for neither."""
    sample = text[:4000]
    han, latin = len(_HAN.findall(sample)), len(_LATIN_WORD.findall(sample))
    if not han and not latin:
        return ""
    return "zh" if han >= latin else "en"


def passage_chars(language: str) -> int:
    """Return how long a passage may be: Chinese says as much in half the characters."""
    return PASSAGE_CHARS_ZH if language in ("zh", "") else PASSAGE_CHARS_EN


class StructureChunker:
    """Chunks of about ``limit`` characters that never cross a heading."""

    def describe(self, document: LoadedDocument) -> DocumentFacts:
        """Recognise the title and the language; dates are not looked for."""
        return DocumentFacts(title=title_of(document), language=document.language or language_of(document.text))

    def chunk(self, document: LoadedDocument, facts: DocumentFacts) -> list[Chunk]:
        """Return headings, tables and passages that tile the text."""
        limit = passage_chars(facts.language)
        return list(chunks_of(pieces_of(document), document.text, limit))


def title_of(document: LoadedDocument) -> str:
    """Return the first title or heading block, else a short first line, else the format's title or the name."""
    text = document.text
    for block in document.blocks:
        if block.kind == "title" or (block.kind == "heading" and block.level == 1):
            return clean_title(text[block.start : block.end])
    first = next((line.content for line in lines_of(text) if line.content), "")
    is_title = 0 < len(first) <= TITLE_CHARS and first[-1] not in "。.;；,，:：" and first.lower() not in _COVER_LINES
    if is_title or _MARKDOWN_HEADING.fullmatch(first):
        return clean_title(first)
    return document.title.strip() or document.name.rsplit(".", 1)[0]


def clean_title(text: str) -> str:
    """Return ``text`` on one line without Markdown marks."""
    return " ".join(_MARKS.sub("", text.strip()).split())[:TITLE_CHARS]


def pieces_of(document: LoadedDocument) -> list[Piece]:
    """Return the text as headings, tables and paragraphs that tile it."""
    if any(block.kind in ("heading", "title", "table") for block in document.blocks):
        return _pieces_from_blocks(document.text, document.blocks)
    return plain_pieces(document.text, 0, len(document.text))


def plain_pieces(text: str, start: int, end: int) -> list[Piece]:
    """Read ``text[start:end]`` as Markdown or plain text; a blank line ends a paragraph."""
    return _without_list_items(list(_read_lines(text, start, end)))


def _read_lines(text: str, start: int, end: int) -> Iterator[Piece]:
    open_piece, blank = Piece("", start, start), False
    for line in lines_of(text, start, end):
        if not line.content:
            blank = True
            continue
        piece = _piece_of(line)
        starts_new = piece.kind != open_piece.kind or piece.level or (blank and piece.kind == "paragraph")
        if open_piece.kind and starts_new:
            yield open_piece._replace(end=line.start)
            open_piece = piece
        elif not open_piece.kind:
            open_piece = piece._replace(start=open_piece.start)
        blank = False
    if open_piece.start < end:
        yield open_piece._replace(kind=open_piece.kind or "paragraph", end=end)


def _piece_of(line: Line) -> Piece:
    """What a line says by itself."""
    marked = _MARKDOWN_HEADING.fullmatch(line.content)
    if marked:
        return Piece("heading", line.start, line.end, len(marked[1]), clean_title(marked[2] or ""))
    if _TABLE_LINE.fullmatch(line.content):
        return Piece("table", line.start, line.end)
    numbered = numbered_heading(line.content)
    if numbered:
        return Piece("heading", line.start, line.end, _BELOW_MARKED + numbered.level, numbered.title)
    return Piece("paragraph", line.start, line.end)


def _without_list_items(pieces: list[Piece]) -> list[Piece]:
    """Numbered lines without text of their own below are list items, not headings: as text they stay searchable."""
    levels = [piece.level for piece in pieces]
    kept: list[Piece] = []
    for piece, before, after in zip(pieces, [0, *levels], [*levels[1:], 1], strict=False):
        is_item = piece.level > _BELOW_MARKED and (0 < after <= piece.level or before == piece.level)
        kept.append(Piece("paragraph", piece.start, piece.end) if is_item else piece)
    return kept


def _pieces_from_blocks(text: str, blocks: Sequence[Block]) -> list[Piece]:
    """Blocks give headings and tables; all other text is read as plain text."""
    pieces: list[Piece] = []
    position = 0
    for block in blocks:
        if block.kind not in ("heading", "title", "table") or block.start < position or block.start == block.end:
            continue
        if position < block.start:
            pieces += _read_lines(text, position, block.start)
        position = _after_blanks(text, block.end)
        if block.kind == "table":
            pieces.append(Piece("table", block.start, position))
        else:
            level = min(max(block.level, 1), _BELOW_MARKED)
            pieces.append(Piece("heading", block.start, position, level, clean_title(text[block.start : block.end])))
    if position < len(text):
        pieces += _read_lines(text, position, len(text))
    return _without_list_items(pieces)


def _after_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def chunks_of(
    pieces: Sequence[Piece], text: str, limit: int, path: tuple[str, ...] = (), kind: ChunkKind = "passage"
) -> Iterator[Chunk]:
    """Merge ``pieces`` into chunks; ``path`` goes before every heading path and ``kind`` names the passages."""
    headings: list[tuple[int, str]] = []
    waiting: list[Piece] = []

    def here() -> tuple[str, ...]:
        return (*path, *(title for _, title in headings if title))

    def flush() -> Iterator[Chunk]:
        if waiting:
            for start, end in split_at_sentences(text, waiting[0].start, waiting[-1].end, limit):
                yield Chunk(kind=kind, start=start, end=end, heading_path=here(), locator=" › ".join(here()[-1:]))
            waiting.clear()

    for piece in pieces:
        if piece.kind == "paragraph":
            if waiting and piece.end - waiting[0].start > limit:
                yield from flush()
            waiting.append(piece)
            continue
        yield from flush()
        if piece.kind == "heading":
            while headings and headings[-1][0] >= piece.level:
                headings.pop()
            yield Chunk(kind="heading", start=piece.start, end=piece.end, heading_path=here(), locator=piece.title)
            headings.append((piece.level, piece.title))
        else:
            yield Chunk(
                kind="table", start=piece.start, end=piece.end, heading_path=here(), locator=" › ".join(here()[-1:])
            )
    yield from flush()
