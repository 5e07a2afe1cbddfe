"""The text of a chunk as models and the keyword index read it."""

from __future__ import annotations

from ragsvc.protocols import Embedder
from ragsvc.records import Chunk, DocumentFacts


def context_of(facts: DocumentFacts, chunk: Chunk) -> str:
    """Return title, part and heading path, one line; never a date, version or file name.

    A part that opens the heading path as well ("合同编") is written once.
    """
    names = [facts.title, facts.part, *chunk.heading_path]
    kept: list[str] = []
    for name in names:
        if name and name not in kept:
            kept.append(name)
    return " ".join(kept)


def embedded_texts(facts: DocumentFacts, chunk: Chunk, text: str, embedder: Embedder) -> list[str]:
    """Return what is embedded for ``chunk``: its text without outer blanks, in pieces that have its context on top.

    ``text`` is the text of the chunk, not of the document. The same wording under the same headings
    gives the same strings, so that an unchanged article is never embedded twice.
    """
    return embedder.windows(text.strip(), context_of(facts, chunk))
