"""What a claim can be compared with: the places that it names, in every version, and passages that read like it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property

from msgspec import Struct

from ragsvc.citing.alignment import Word, words_of
from ragsvc.citing.claims import squeeze
from ragsvc.citing.differences import Comparison, claim_words, compare
from ragsvc.errors import NotFound
from ragsvc.protocols import AddressGrammar, Index
from ragsvc.records import Address, IndexFilter
from ragsvc.retrieval.addresses import AddressHit, AddressResolver
from ragsvc.store.catalogue import Catalogue
from ragsvc.store.rows import Snapshot, StoredChunk

CANDIDATES = 8
"""Passages like a claim that are compared with it."""
LEAST_SHARED = 0.5
"""Share of a claim's words that a passage must have, in any order, to be compared."""

_BOOK = re.compile(
    r"[^。！？\n]{0,24}(?:[（(]第[一二三四五六七八九十\d]{1,3}版[）)]|出版社|编著|理解与适用)|理解与适用"
)
"""After the name of a work: it is a book's, or part of one."""
_BRACKETS = tuple('《〈<“"')


class Missing(Struct, frozen=True, kw_only=True):
    """A work or place that the claim names and that no version in force has."""

    mention: str
    was_in_force: bool
    """Whether another version has it."""
    note: str
    is_repealed: bool = False
    """Whether another work that is here took the place of the one named."""


class Named(Struct, frozen=True, kw_only=True):
    """What a sentence names. ``others`` are the named articles in versions that are not in force."""

    hits: tuple[AddressHit, ...] = ()
    others: tuple[StoredChunk, ...] = ()
    missing: tuple[Missing, ...] = ()
    mentions: tuple[tuple[int, int], ...] = ()
    """Ranges of the text."""

    @property
    def is_empty(self) -> bool:
        return not (self.hits or self.others or self.missing)


class Claimed(Struct, frozen=True, kw_only=True, dict=True):
    """The words of a sentence, as they are compared."""

    text: str
    names: tuple[tuple[int, int], ...] = ()
    """Ranges of the places that it names."""
    marks: tuple[tuple[int, int], ...] = ()

    @cached_property
    def whole(self) -> tuple[Word, ...]:
        """All its words."""
        return words_of(self.text, self.marks)

    @cached_property
    def own(self) -> tuple[Word, ...]:
        """Those beside the names of places and the phrases that introduce them."""
        return claim_words(self.text, [*self.names, *self.marks])

    def beside(self, source: str) -> tuple[Word, ...]:
        """Its own words, with the names that the source has as well: statutes refer to one another."""
        if not self.names:
            return self.own
        squeezed = squeeze(source)
        other = [name for name in self.names if squeeze(self.text[slice(*name)]) not in squeezed]
        return self.own if len(other) == len(self.names) else claim_words(self.text, [*other, *self.marks])


class Candidate(Struct, frozen=True, kw_only=True):
    """A passage that was compared with a claim."""

    chunk: StoredChunk
    comparison: Comparison


class Places:
    """The places that one text names, by the grammar of one domain."""

    def __init__(self, text: str, grammar: AddressGrammar, resolver: AddressResolver, snapshot: Snapshot) -> None:
        self._text = text
        self._grammar = grammar
        self._resolver = resolver
        self._snapshot = snapshot
        # The words of any sentence may be those of a heading: only what surely names a place is one here.
        self._addresses = [address for address in grammar.find(text) if address.is_certain]
        self._starts = [address.start for address in self._addresses]

    def named(self, start: int, end: int, day: date, catalogue: Catalogue) -> Named:
        """Look up what ``text[start:end]`` names."""
        within = self._addresses[bisect_left(self._starts, start) : bisect_left(self._starts, end)]
        addresses = [address for address in within if not _BOOK.match(self._text, address.end)]
        if not addresses:
            return Named()
        resolution = self._resolver.resolve(self._text, self._snapshot, day=day, addresses=addresses)
        missing = [
            Missing(
                mention=one.mention,
                was_in_force=one.reason == "not in force",
                is_repealed=one.reason == "no such work" and self._is_repealed(one.mention, addresses),
                note=f"{one.mention}: {one.reason}" + (f"; there is {', '.join(one.nearest)}" if one.nearest else ""),
            )
            for one in resolution.missing
        ]
        missing += [lost for address in addresses if (lost := self._missing_work(address))]
        works = [work.ordinal for work in resolution.works]
        everything = IndexFilter(self._snapshot.where.collections, frozenset())
        shown = {hit.chunk.ordinal for hit in resolution.hits}
        others = [
            chunk
            for article in dict.fromkeys(address.article for address in addresses if address.article)
            for chunk in catalogue.chunks_at(works, article, everything)
            if chunk.ordinal not in shown and chunk.version.ordinal in self._snapshot.where.excluded_versions
        ]
        return Named(
            hits=resolution.hits,
            others=tuple(others),
            missing=tuple(missing),
            mentions=tuple(dict.fromkeys((address.start, address.end) for address in addresses)),
        )

    def _missing_work(self, address: Address) -> Missing | None:
        """Say that a work which is named without an article is not here; without brackets it may be a field of law."""
        if address.article or not address.work or self._text[address.start : address.start + 1] not in _BRACKETS:
            return None
        try:
            self._resolver.find_works([address.work], self._snapshot)
        except NotFound as error:
            mention = self._text[address.start : address.end]
            is_repealed = self._is_repealed(mention, [address])
            return Missing(mention=mention, was_in_force=False, note=str(error), is_repealed=is_repealed)
        return None

    def _is_repealed(self, mention: str, addresses: Sequence[Address]) -> bool:
        works = {address.work for address in addresses if self._text[address.start : address.end] == mention}
        for key in (key for work in works for key in self._grammar.successor_keys(work)):
            try:
                return bool(self._resolver.find_works([key], self._snapshot))
            except NotFound:
                continue
        return False


def merged(found: Sequence[Named]) -> Named:
    """What several domains found; a place is missing only where none of them has it."""
    known = {mention for one in found for mention in one.mentions if one.hits or one.others}
    return Named(
        hits=tuple(hit for one in found for hit in one.hits),
        others=tuple(chunk for one in found for chunk in one.others),
        missing=tuple(lost for one in found for lost in one.missing if one.hits or not known.issuperset(one.mentions)),
        mentions=tuple(dict.fromkeys(mention for one in found for mention in one.mentions)),
    )


class Sources:
    """Finds and compares passages, in one state of a home."""

    def __init__(self, catalogue: Catalogue, index: Index | None, snapshot: Snapshot, day: date) -> None:
        self._catalogue = catalogue
        self._index = index
        self._where = snapshot.where
        self._day = day
        self._everything = IndexFilter(snapshot.where.collections, frozenset())
        self._words: dict[int, tuple[Word, ...]] = {}

    def like(self, claim: Claimed, *, in_force: bool = True) -> list[Candidate]:
        """Return passages that read like a claim, the likest first; also of versions not in force, if asked for."""
        if self._index is None:
            return []
        where = self._where if in_force else self._everything
        found = self._index.search_lexical(claim.text, CANDIDATES, where)
        chunks = self._catalogue.read_chunks([hit.chunk for hit in found])
        wanted = {word.key for word in claim.own}
        return self.compared(
            claim,
            (c for c in chunks if len(wanted & {w.key for w in self._words_of(c)}) >= LEAST_SHARED * len(wanted)),
        )

    def compared(self, claim: Claimed, chunks: Iterable[StoredChunk], *, whole: bool = False) -> list[Candidate]:
        """Compare a claim with these passages; those that say it first, then by what they share with it.

        ``whole``: with all that it names and introduces.
        """
        found = [
            Candidate(chunk=chunk, comparison=comparison)
            for chunk in chunks
            if (words := claim.whole if whole else claim.beside(chunk.text))
            and (comparison := compare(claim.text, words, chunk.text, self._words_of(chunk)))
        ]
        return sorted(found, key=lambda c: (not c.comparison.is_supported, -c.comparison.coverage))

    def was_in_force(self, chunk: StoredChunk) -> bool:
        """Whether the passage's version was in force before the day, and no more."""
        begun = chunk.version.effective_from
        is_excluded = chunk.version.ordinal in self._where.excluded_versions
        return is_excluded and (begun is None or begun <= self._day)

    def _words_of(self, chunk: StoredChunk) -> tuple[Word, ...]:
        if chunk.ordinal not in self._words:
            self._words[chunk.ordinal] = words_of(chunk.text)
        return self._words[chunk.ordinal]
