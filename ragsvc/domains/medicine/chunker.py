"""Leaflets, labels, guidelines and health pages: sections are addresses, a dose stays with the group it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragsvc.chunking.structure import Piece, chunks_of, passage_chars, pieces_of
from ragsvc.domains.headed import HeadedChunker
from ragsvc.domains.sections import with_sections
from ragsvc.records import Chunk, DocumentFacts, LoadedDocument

_BRACKETED = re.compile(r"^[ \t\u3000]*【(?P<title>[^【】\n]{2,24})】[ \t\u3000]*\n?", re.MULTILINE)
_BELOW = 7
"""Headings in 【】 stand below those that the format states."""


class MedicineChunker(HeadedChunker):
    """As its base, with the headings of Chinese leaflets, which stand in 【】 at the beginning of a line."""

    def chunk(self, document: LoadedDocument, facts: DocumentFacts) -> list[Chunk]:
        """Return headings, tables and passages that tile the text, and sections over them."""
        text = document.text
        pieces = [part for piece in pieces_of(document) for part in _divided(piece, text)]
        chunks = list(chunks_of(pieces, text, passage_chars(facts.language)))
        return with_sections(chunks, len(text), lambda heading: self.grammar.key_of(heading.locator))


def _divided(piece: Piece, text: str) -> Iterator[Piece]:
    """Cut a paragraph before and after each heading in 【】 that begins a line."""
    position = piece.start
    for found in _BRACKETED.finditer(text, piece.start, piece.end) if piece.kind == "paragraph" else ():
        if position < found.start():
            yield piece._replace(start=position, end=found.start())
        yield Piece("heading", found.start(), found.end(), _BELOW, found["title"].strip())
        position = found.end()
    if position < piece.end:
        yield piece._replace(start=position)
