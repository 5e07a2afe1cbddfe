"""The seams: everything that can be swapped, and nothing else. Read this and ``records.py`` to know the shape."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Container, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ragsvc.records import (
    Address,
    Chunk,
    DocumentFacts,
    IndexFilter,
    LoadedDocument,
    Message,
    ScoredChunk,
    TextPiece,
)

FloatArray = NDArray[np.float32]


class Chunker(Protocol):
    """Cuts one document along the structure of its domain."""

    def describe(self, document: LoadedDocument) -> DocumentFacts:
        """Recognise title, kind, number, issuer and dates. Never raises for odd text: what is not found stays empty."""
        ...

    def chunk(self, document: LoadedDocument, facts: DocumentFacts) -> list[Chunk]:
        """Return chunks in text order whose leaves tile ``document.text`` exactly."""
        ...


class AddressGrammar(Protocol):
    """Finds the places in works that a question names, and knows how works are called."""

    def find(self, text: str) -> list[Address]:
        """Return every address in ``text``, in order, without overlaps (places of one list may share a span)."""
        ...

    def name_keys(self, facts: DocumentFacts) -> list[str]:
        """Return the keys under which to store a work: first the one that is its identity, then its other names."""
        ...

    def work_keys(self, name: str) -> list[str]:
        """Return the keys under which a work that someone calls ``name`` may be stored, the surest first."""
        ...

    def stored_key(self, address: Address, stored: Container[str]) -> str | None:
        """Return the key among ``stored`` of the work that ``address`` names; None when none of them is meant."""
        ...

    def successor_keys(self, name: str) -> list[str]:
        """Return the keys of works to offer, never to serve, to who asks for one that is no longer in force."""
        ...

    def find_part(self, article: str, address: Address) -> tuple[int, int] | None:
        """Return the range of an article's text that ``address`` names (all, a paragraph, an item); None if absent."""
        ...

    def part_locator(self, article: str, address: Address) -> str:
        """Return the locator of that part, from its article's: 第五百七十七条第一款, Article 17(1)(b)."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors of unit length."""

    @property
    def embedder_id(self) -> str:
        """Name and hash of the weights: two embedders with one id give the same vectors."""
        ...

    @property
    def dim(self) -> int: ...

    def windows(self, text: str, context: str = "") -> list[str]:
        """Cut ``text`` into pieces that the model reads whole; usually one. A chunk scores as its best piece.

        Args:
            text: of a chunk.
            context: title and headings; each piece begins with them and a line break, unless they are too long.
        """
        ...

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Return an array of shape (len(texts), dim), L2-normalised; a text without known tokens is a zero row."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """As ``embed_passages``, with the model's query prefix where it has one."""
        ...


class Index(Protocol):
    """One immutable generation of the index, open for reading. Safe to use from several threads."""

    @property
    def generation_id(self) -> str: ...

    def search_lexical(self, query: str, k: int, where: IndexFilter) -> list[ScoredChunk]:
        """Return the k best chunks by BM25, best first."""
        ...

    def count(self, where: IndexFilter) -> int:
        """Return how many chunks a search may return."""
        ...

    def search_dense(self, query: FloatArray, k: int, where: IndexFilter) -> list[ScoredChunk]:
        """Return the k best chunks by cosine with ``query`` of shape (dim,), best first."""
        ...

    def score_dense(self, query: FloatArray, chunks: Sequence[int]) -> list[float]:
        """Return the cosine of each of these chunks, which the index holds, with ``query`` of shape (dim,)."""
        ...


class Reranker(Protocol):
    """Reads a question and a passage together, which is slower than comparing vectors and sees more."""

    @property
    def reranker_id(self) -> str:
        """Name and hash of the weights: two rerankers with one id give the same scores."""
        ...

    def score(self, question: str, passages: Sequence[str]) -> FloatArray:
        """Return an array of shape (len(passages),); more is better. A long passage scores as its best window."""
        ...


class ChatModel(Protocol):
    """Writes text for messages."""

    @property
    def name(self) -> str: ...

    @property
    def prompt_tokens(self) -> int | None:
        """Most tokens of a prompt that leaves room for the answer in the window; None when the window is unknown."""
        ...

    @property
    def takes_images(self) -> bool:
        """Whether a message may hold pictures."""
        ...

    @property
    def template(self) -> str:
        """Name of the literal template that its conversations are written in; empty = chat messages."""
        ...

    def stream(self, messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        """Yield the text as it is written. Closing the generator cancels the request.

        Raises:
            UpstreamFailed: the server refused, broke or cut the stream.
            UpstreamTimeout: nothing came in time.
        """
        ...
