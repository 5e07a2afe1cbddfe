"""The chunker of works that are cited by their headings."""

from __future__ import annotations

from msgspec.structs import replace

from ragsvc.chunking.structure import StructureChunker
from ragsvc.domains.sections import SectionGrammar, file_aliases, with_sections
from ragsvc.records import Chunk, DocumentFacts, LoadedDocument


class HeadedChunker:
    """Passages along headings, each section an address; the grammar says what its key is."""

    def __init__(self, grammar: SectionGrammar) -> None:
        self._general = StructureChunker()
        self.grammar = grammar

    def describe(self, document: LoadedDocument) -> DocumentFacts:
        """Recognise title and language; the name of the file is another name of the work."""
        facts = self._general.describe(document)
        return replace(facts, aliases=(*facts.aliases, *file_aliases(document)))

    def chunk(self, document: LoadedDocument, facts: DocumentFacts) -> list[Chunk]:
        """Return headings, tables and passages that tile the text, and sections over them."""
        chunks = self._general.chunk(document, facts)
        return with_sections(chunks, len(document.text), lambda heading: self.grammar.key_of(heading.locator))
