"""The keyword arm: BM25 over tantivy segments."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ragsvc.indexing.question_words import bound_weight
from ragsvc.indexing.tokens import is_word, tokenize
from ragsvc.records import ScoredChunk

if TYPE_CHECKING:
    import tantivy

    from ragsvc.store.index_contents import IndexedText

# Measured by nDCG@10: English questions repeat the title's words (privacy policies .22 -> .27, filings .15 -> .17,
# health pages .62 -> .68, papers .66 -> .65). In Chinese statutes any weight costs .01, so Han terms have none.
TITLE_WEIGHT = 0.4
# A longer question is searched by its rarest terms. Stories of 200 characters lose .04 nDCG@10 at 32 terms, none here.
MAX_TERMS = 128
# 的, 人, 法: a single character in more texts than this says nothing and costs most of the time.
MAX_SHARE_OF_CHARACTER = 0.3
MAX_FETCHED = 10_000
# BM25 adds up its terms in an order that depends on the segment: rounded, the same text has the same score.
SCORE_DECIMALS = 4
TIE = 10.0**-SCORE_DECIMALS
WRITER_BYTES = 128_000_000
LOCK_FILES = (".tantivy-meta.lock", ".tantivy-writer.lock")
# tantivy replaces these by rename; a copy keeps the older generation safe even if it would not.
REWRITTEN_FILES = ("meta.json", ".managed.json")

_FIELDS = ("text", "title")


def _schema() -> tantivy.Schema:
    import tantivy

    builder = tantivy.SchemaBuilder()
    for name in _FIELDS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    builder.add_unsigned_field("chunk", fast=True)
    builder.add_unsigned_field("version", indexed=True)
    builder.add_unsigned_field("collection", indexed=True)
    return builder.build()


@lru_cache(maxsize=256)  # the chunks of a chapter come one after another
def _title_fields(title: str) -> tuple[str, str]:
    """What a title and heading path add to the two fields: all tokens, and the words alone."""
    tokens = tokenize(title)
    return " ".join(tokens), " ".join(filter(is_word, tokens))


def _document(text: IndexedText, schema: tantivy.Schema) -> tantivy.Document:
    import tantivy

    title, words_of_title = _title_fields(f"{text.title} {text.heading}")
    fields = {
        "text": f"{title} {' '.join(tokenize(text.text))}",
        "title": words_of_title,
        "chunk": text.chunk,
        "version": text.version,
        "collection": text.collection,
    }
    # Keyword arguments would make signed integers, which kill the writer's thread on an unsigned field.
    return tantivy.Document.from_dict(fields, schema)


def write_segments(directory: Path, added: Iterable[IndexedText], removed_versions: Iterable[int]) -> None:
    """Write a keyword index into ``directory``, on top of the segments that ``link_segments`` put there, if any."""
    import tantivy

    schema = _schema()
    writer = tantivy.Index(schema, str(directory)).writer(heap_size=WRITER_BYTES, num_threads=1)
    # By query: deleting by term finds nothing in an unsigned field.
    writer.delete_documents_by_query(tantivy.Query.term_set_query(schema, "version", list(removed_versions)))
    for text in added:
        writer.add_document(_document(text, schema))
    writer.commit()
    writer.wait_merging_threads()
    for name in LOCK_FILES:
        (directory / name).unlink(missing_ok=True)


def link_segments(source: Path, target: Path, names: Iterable[str]) -> None:
    """Give ``target`` the segment files of another generation: as hard links, or copies where links fail."""
    for name in names:
        if name not in REWRITTEN_FILES:
            try:
                os.link(source / name, target / name)
                continue
            except OSError:
                pass  # another file system, or one without links
        shutil.copyfile(source / name, target / name)


def share_of_deleted(directory: Path) -> float:
    """Return which part of the segments' documents is deleted: they still take space and count in BM25's statistics."""
    segments = msgspec.json.decode((directory / "meta.json").read_bytes())["segments"]
    deleted = sum(segment["deletes"]["num_deleted_docs"] for segment in segments if segment["deletes"])
    total = sum(segment["max_doc"] for segment in segments)
    return deleted / total if total else 0.0


class LexicalFilter(Struct, frozen=True, kw_only=True):
    """Which documents may be found; None = no restriction of that kind. All given ones must hold."""

    collections: tuple[int, ...] | None = None
    only_versions: tuple[int, ...] | None = None
    without_versions: tuple[int, ...] | None = None
    sieve: Callable[[Sequence[int]], NDArray[np.bool_]] | None = None
    """Says the same of chunk ordinals; given where most of the index is allowed."""


class LexicalSearcher:
    """A keyword index, open for reading."""

    def __init__(self, directory: Path) -> None:
        import tantivy

        self._schema = _schema()
        self._index = tantivy.Index.open(str(directory))
        self._searcher = self._index.searcher()

    @property
    def n_documents(self) -> int:
        return int(self._searcher.num_docs)

    def terms(self, query: str) -> list[str]:
        """Return the terms of ``query`` that a search uses, rarest first."""
        frequency = {term: self._searcher.doc_freq("text", term) for term in dict.fromkeys(tokenize(query))}
        known = sorted((term for term, count in frequency.items() if count), key=frequency.__getitem__)
        limit = MAX_SHARE_OF_CHARACTER * self.n_documents
        telling = [term for term in known if len(term) > 1 or is_word(term) or frequency[term] <= limit]
        return (telling or known)[:MAX_TERMS]

    def search(self, query: str, k: int, where: LexicalFilter) -> list[ScoredChunk]:
        """Return the k best chunks by BM25 (k1 = 1.2, b = 0.75), best first."""
        import tantivy

        terms = self.terms(query)
        if not terms or k < 1:
            return []
        asked = tantivy.Query.boolean_query(
            [(tantivy.Occur.Should, clause) for term in terms for clause in self._clauses(term)]
        )
        found = None
        if where.sieve:
            # A pure union skips what cannot reach the top, a restricted one reads every posting: three to six times
            # slower. The best of all, sieved, are the best of those allowed, as long as k of them come through.
            found = self._best(asked, k, where.sieve)
        if found is None:
            restricted = list(self._restrictions(where))
            if restricted:
                asked = tantivy.Query.boolean_query([(tantivy.Occur.Must, asked), *restricted])
            found = self._best(asked, k, None) or []
        return found

    def _best(
        self, asked: tantivy.Query, k: int, sieve: Callable[[Sequence[int]], NDArray[np.bool_]] | None
    ) -> list[ScoredChunk] | None:
        """Return the k best that come through the sieve; None when ``MAX_FETCHED`` hits were not enough for it."""
        fetched = min(2 * k, MAX_FETCHED)
        while True:
            hits = self._searcher.search(asked, fetched, count=False).hits
            chunks: list[Any] = self._searcher.fast_field_values("chunk", [address for _, address in hits])
            kept: Iterable[bool] = sieve(chunks).tolist() if sieve else repeat(True)
            found = [
                ScoredChunk(chunk, round(score, SCORE_DECIMALS))
                for (score, _), chunk, keep in zip(hits, chunks, kept, strict=False)
                if keep
            ]
            # All that tie with the k-th must be there: which of them come back must not depend on how the texts are
            # spread over segments.
            is_complete = len(hits) < fetched or (len(found) >= k and hits[-1][0] < found[k - 1].score - TIE)
            if is_complete or fetched == MAX_FETCHED:
                break
            fetched = min(4 * fetched, MAX_FETCHED)
        if sieve and not is_complete:
            return None
        return sorted(found, key=lambda hit: (-hit.score, hit.chunk))[:k]

    def _clauses(self, term: str) -> Iterator[tantivy.Query]:
        import tantivy

        weights = {"text": 1.0, "title": TITLE_WEIGHT} if is_word(term) else {"text": 1.0}
        for field, weight in weights.items():
            count = self._searcher.doc_freq(field, term)
            if count:
                query = tantivy.Query.term_query(self._schema, field, term, index_option="freq")
                yield tantivy.Query.boost_query(query, weight * bound_weight(term, self.n_documents, count))

    def _restrictions(self, where: LexicalFilter) -> Iterator[tuple[Any, tantivy.Query]]:
        import tantivy

        def among(field: str, values: Collection[int]) -> tantivy.Query:
            # Constant zero: a filter must not add to the score.
            found = tantivy.Query.term_set_query(self._schema, field, list(values))
            return tantivy.Query.const_score_query(found, 0.0)

        if where.collections is not None:
            yield tantivy.Occur.Must, among("collection", where.collections)
        if where.only_versions is not None:
            yield tantivy.Occur.Must, among("version", where.only_versions)
        if where.without_versions is not None:
            yield tantivy.Occur.MustNot, among("version", where.without_versions)
