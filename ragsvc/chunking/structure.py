"""Any document along its headings: the chunker for texts whose domain has no sharper structure.

Headings come from the blocks that the format states, else from Markdown marks. Paragraphs under one heading are
merged up to a size that suits the language; tables stand alone; a long paragraph is cut at sentence ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ragsvc.chunking.lines import lines_of
from ragsvc.chunking.sentences import split_at_sentences
from ragsvc.records import Block, Chunk, ChunkKind, DocumentFacts, LoadedDocument

PASSAGE_CHARS_ZH = 800
PASSAGE_CHARS_EN = 1600
TITLE_CHARS = 200

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


class StructureChunker:
    """Chunks of about ``limit`` characters that never cross a heading."""

    def describe(self, document: LoadedDocument) -> DocumentFacts:
        """Recognise the title and the language; dates are not looked for."""
        return DocumentFacts(title=title_of(document), language=language_of(document.text))

    def chunk(self, document: LoadedDocument, facts: DocumentFacts) -> list[Chunk]:
        """Return headings, tables and passages that tile the text."""
        limit = PASSAGE_CHARS_EN if facts.language == "en" else PASSAGE_CHARS_ZH
        return list(chunks_of(pieces_of(document), document.text, limit))


def title_of(document: LoadedDocument) -> str:
    """Return the first title or heading block, else a short first line, else the format's title or the name."""
    text = document.text
    for block in document.blocks:
        if block.kind == "title" or (block.kind == "heading" and block.level == 1):
            return clean_title(text[block.start : block.end])
    first = next((line.content for line in lines_of(text) if line.content), "")
    if _MARKDOWN_HEADING.fullmatch(first) or (0 < len(first) <= TITLE_CHARS and first[-1] not in "。.;；,，:："):
        return clean_title(first)
    return document.title.strip() or document.name.rsplit(".", 1)[0]


def clean_title(text: str) -> str:
    """Return ``text`` on one line without Markdown marks."""
    return " ".join(_MARKS.sub("", text.strip()).split())[:TITLE_CHARS]


def pieces_of(document: LoadedDocument) -> list[Piece]:
    """Return the text as headings, tables and paragraphs that tile it."""
    if any(block.kind in ("heading", "title", "table") for block in document.blocks):
        return list(_pieces_from_blocks(document.text, document.blocks))
    return list(plain_pieces(document.text, 0, len(document.text)))


def plain_pieces(text: str, start: int, end: int) -> Iterator[Piece]:
    """Read ``text[start:end]`` as Markdown or plain text; a blank line ends a paragraph."""
    open_kind, open_start, blank = "", start, False
    for line in lines_of(text, start, end):
        if not line.content:
            blank = True
            continue
        heading = _MARKDOWN_HEADING.fullmatch(line.content)
        kind = "heading" if heading else "table" if _TABLE_LINE.fullmatch(line.content) else "paragraph"
        if open_kind and (kind != open_kind or kind == "heading" or (blank and kind == "paragraph")):
            yield _piece(text, open_kind, open_start, line.start)
            open_start = line.start
        open_kind, blank = kind, False
    if open_start < end:
        yield _piece(text, open_kind or "paragraph", open_start, end)


def _piece(text: str, kind: str, start: int, end: int) -> Piece:
    if kind != "heading":
        return Piece(kind, start, end)
    content = text[start:end].strip()
    return Piece(kind, start, end, len(content) - len(content.lstrip("#")), clean_title(content.lstrip("#")))


def _pieces_from_blocks(text: str, blocks: Sequence[Block]) -> Iterator[Piece]:
    """Blocks give the kinds; what lies between them is read as plain text."""
    position = 0
    blocks = [block for block in blocks if block.kind != "page" and block.start < block.end]
    for number, block in enumerate(blocks):
        if block.start < position:
            continue
        if position < block.start:
            yield from plain_pieces(text, position, block.start)
        following = blocks[number + 1].start if number + 1 < len(blocks) else len(text)
        end = block.end if following < block.end or text[block.end : following].strip() else following
        if block.kind in ("heading", "title"):
            level = max(block.level, 1)
            yield Piece("heading", block.start, end, level, clean_title(text[block.start : block.end]))
        else:
            yield Piece("table" if block.kind == "table" else "paragraph", block.start, end)
        position = end
    if position < len(text):
        yield from plain_pieces(text, position, len(text))


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
