"""Which kind of legal text a document is, and the chunker for it."""

from __future__ import annotations

from ragsvc.chunking.structure import StructureChunker, language_of
from ragsvc.domains.law.english import chunk_english, describe_english
from ragsvc.domains.law.eu import chunk_eu_act, describe_eu_act
from ragsvc.domains.law.facts import describe_statute
from ragsvc.domains.law.statutes import chunk_statute
from ragsvc.records import Chunk, DocumentFacts, LoadedDocument


class LawChunker:
    """Chinese statutes, European acts and English statutes by article or section; any other text by its headings."""

    def __init__(self) -> None:
        self._general = StructureChunker()

    def describe(self, document: LoadedDocument) -> DocumentFacts:
        """Recognise title, part, kind, issuer, number and dates; what the text does not say stays empty."""
        if language_of(document.text) == "zh":
            return describe_statute(document)
        return describe_eu_act(document) or describe_english(document) or self._general.describe(document)

    def chunk(self, document: LoadedDocument, facts: DocumentFacts) -> list[Chunk]:
        """Return articles with their addresses; a text without any becomes general passages."""
        chunks = chunk_statute(document.text, facts) if facts.language == "zh" else _chunk_english(document, facts)
        return chunks or self._general.chunk(document, facts)


def _chunk_english(document: LoadedDocument, facts: DocumentFacts) -> list[Chunk]:
    """The acts of the Union have articles only, between recitals and annexes; other acts may have anything."""
    if facts.kind == "act":
        return chunk_english(document)
    return chunk_eu_act(document.text)
