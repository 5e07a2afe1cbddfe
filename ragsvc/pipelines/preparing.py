"""A file on its way in, up to what can be done without writing: load -> describe -> chunk -> the texts to embed."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from ragsvc.chunking.passages import embedded_texts
from ragsvc.domains.pack import DomainPack
from ragsvc.errors import UnreadableFile
from ragsvc.pipelines.sources import Source
from ragsvc.protocols import Embedder
from ragsvc.store.staging import StagedDocument


def chunked_by(pack: DomainPack) -> str:
    """Return the name of how this pack cuts texts; texts that were cut otherwise are read again."""
    return f"{pack.name}-{pack.revision}"


def prepare(source: Source, pack: DomainPack, embedder: Embedder, effective_from: date | None) -> StagedDocument:
    """Read a source as a document of its work.

    Args:
        source: what to read.
        pack: of the collection's domain.
        embedder: whose windows the texts are cut into; nothing is embedded.
        effective_from: first day in force, whatever the text states.

    Raises:
        UnreadableFile: it cannot be read, or holds nothing that could be searched.
    """
    document = source.load()
    facts = pack.chunker.describe(document)
    if effective_from:
        facts = replace(facts, effective_from=effective_from, validity_source="given")
    chunks = tuple(pack.chunker.chunk(document, facts))
    windows = tuple(
        tuple(embedded_texts(facts, chunk, document.text[chunk.start : chunk.end], embedder))
        if chunk.is_searchable
        else ()
        for chunk in chunks
    )
    if not any(windows):
        raise UnreadableFile(document.name, "holds no text that could be searched")
    name_keys = pack.name_keys(facts)
    return StagedDocument(
        document=document,
        facts=facts,
        chunks=chunks,
        windows=windows,
        work_key=name_keys[0],
        name_keys=tuple(name_keys),
        document_key=facts.part if pack.identity == "title" else document.name,
        chunked_by=chunked_by(pack),
        url=source.url,
    )
