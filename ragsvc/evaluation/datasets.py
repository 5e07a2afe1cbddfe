"""Labelled sets in BEIR layout, and how their documents become chunks: one document, one unit.

``corpus.jsonl[.gz]`` ``{_id, title, text}``, ``queries.jsonl`` ``{_id, text, metadata}``, ``qrels.tsv`` with a
header line. Format: https://github.com/beir-cellar/beir/wiki/Load-your-custom-dataset

Of ``metadata`` two keys are read: ``split`` (a query of ``train`` is left out unless it is asked for) and ``history``,
the user's earlier turns of a conversation whose last turn is ``text``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ragsvc.chunking.structure import language_of
from ragsvc.domains.pack import DomainPack
from ragsvc.errors import InvalidInput
from ragsvc.loading import read_beir_corpus
from ragsvc.protocols import AddressGrammar
from ragsvc.records import Address, Chunk, DocumentFacts, LoadedDocument


class Query(msgspec.Struct, frozen=True):
    """A question of a labelled set."""

    id: str = msgspec.field(name="_id")
    text: str
    metadata: dict[str, Any] = {}

    @property
    def split(self) -> str:
        """Part of the set that the question belongs to; empty when the set does not say."""
        return str(self.metadata.get("split", ""))

    @property
    def history(self) -> tuple[str, ...]:
        """The user's earlier turns, oldest first; empty for a single question.

        Raises:
            InvalidInput: ``metadata.history`` is no list of texts.
        """
        turns = self.metadata.get("history") or []
        if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
            raise InvalidInput(f"query {self.id}: metadata.history is {turns!r}, expected the list of earlier turns")
        return tuple(turns)

    def question(self, *, with_history: bool = True) -> str:
        """Return what to search for: all turns joined by a space, as Lawyer LLaMA's retriever reads them."""
        return " ".join([*self.history, self.text]) if with_history else self.text


def read_queries(path: Path) -> list[Query]:
    """Read a ``queries.jsonl``.

    Raises:
        InvalidInput: it is missing or malformed.
    """
    try:
        return msgspec.json.Decoder(Query).decode_lines(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise InvalidInput(f"{path}: {error}") from error


class LabelledSet:
    """A folder in BEIR layout.

    Raises:
        InvalidInput: a file is missing or malformed; the message names it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = ("corpus.jsonl.gz", "corpus.jsonl")
        corpus = next((folder / name for name in names if (folder / name).exists()), None)
        if corpus is None or not (folder / "queries.jsonl").exists() or not (folder / "qrels.tsv").exists():
            raise InvalidInput(f"{folder} is not in BEIR layout: corpus.jsonl[.gz], queries.jsonl and qrels.tsv")
        self._corpus = corpus
        self.queries = read_queries(folder / "queries.jsonl")
        self.relevance = self._read_relevance()

    def documents(self) -> Iterator[LoadedDocument]:
        """Yield the documents of the corpus; ``name`` is the id."""
        return read_beir_corpus(self._corpus)

    def select(self, split: str | None) -> list[Query]:
        """Return the judged queries of a split, or, without one, all that are not ``train``."""
        chosen = [q for q in self.queries if (q.split == split if split else q.split != "train")]
        return [query for query in chosen if query.id in self.relevance]

    def _read_relevance(self) -> dict[str, dict[str, int]]:
        path = self.folder / "qrels.tsv"
        found: dict[str, dict[str, int]] = {}
        try:
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file, delimiter="\t"):
                    found.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
        except (KeyError, ValueError) as error:
            raise InvalidInput(f"{path}: expected columns query-id, corpus-id, score ({error})") from error
        return found


class WholeDocumentChunker:
    """One document is one chunk; with a grammar, a title that is an address is indexed as one."""

    def __init__(self, grammar: AddressGrammar | None) -> None:
        self._grammar = grammar

    def describe(self, document: LoadedDocument) -> DocumentFacts:
        """The title is the work's; of "刑法第一条" it is 刑法."""
        address = self._address(document.title)
        title = address.work if address else document.title
        return DocumentFacts(title=title, language=language_of(document.text))

    def chunk(self, document: LoadedDocument, facts: DocumentFacts) -> list[Chunk]:
        """Return the whole text as one chunk."""
        end = len(document.text)
        if address := self._address(document.title):
            locator = document.title.removeprefix("《").removeprefix(address.work).removeprefix("》")
            return [Chunk(kind="article", start=0, end=end, locator=locator, address=address.article)]
        return [Chunk(kind="passage", start=0, end=end)]

    def _address(self, title: str) -> Address | None:
        """Return the address that the whole title is, with the work's full name; None where it is none."""
        found = self._grammar.find(title) if self._grammar else []
        if len(found) != 1 or not found[0].article or found[0].end != len(title):
            return None
        name = found[0].left or found[0].work  # where nothing marks its beginning, all that stands before is the name
        begins = found[0].start + len(found[0].work) - len(name)
        return msgspec.structs.replace(found[0], work=name) if begins == 0 else None


def whole_document_pack(pack: DomainPack) -> DomainPack:
    """Return ``pack`` with documents left whole, as labelled sets are judged."""
    chunker = WholeDocumentChunker(pack.grammar)
    return msgspec.structs.replace(pack, chunker=chunker, identity="name")
