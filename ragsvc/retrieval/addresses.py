"""Places that a question names, looked up exactly in the catalogue before any search.

Whatever is not there is said to be missing; nothing that only resembles it is ever served in its stead. How works
and places are named is the grammar's business, not known here.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Literal

from msgspec import Struct

from ragsvc.errors import NotFound
from ragsvc.protocols import AddressGrammar
from ragsvc.records import Address, DocumentFacts, IndexFilter, MissingAddress
from ragsvc.store.catalogue import Catalogue
from ragsvc.store.rows import Snapshot, StoredChunk, Work

MAX_ADDRESSES = 20
"""More places in one question are not looked up: that is a document, not a question."""
MAX_SHARED = 3
"""A name that more works than this share (a number that amended many at once) names none of them."""
MAX_OFFERS = 3
MIN_LIKENESS = 0.4
"""Dice coefficient of the character pairs of two names, weighted by rarity, from which one is offered for the other."""


class AddressHit(Struct, frozen=True, kw_only=True):
    """A place that was found: ``version.text[start:end]`` of ``chunk.version``, the article or a part of it."""

    address: Address
    chunk: StoredChunk
    locator: str
    start: int
    end: int


class Resolution(Struct, frozen=True, kw_only=True):
    """What the addresses of a question came to, in the order of mention."""

    hits: tuple[AddressHit, ...] = ()
    missing: tuple[MissingAddress, ...] = ()
    doubtful: tuple[MissingAddress, ...] = ()
    """What is missing if the words name a place at all: of interest to who looks one up, not to who asks a question."""
    works: tuple[Work, ...] = ()
    """Works that the question names at all, with or without an article."""


class AddressResolver:
    """Resolves the addresses of one domain's grammar; safe to share between threads."""

    def __init__(self, catalogue: Catalogue, grammar: AddressGrammar) -> None:
        self._catalogue = catalogue
        self._grammar = grammar
        self._lock = threading.Lock()
        self._names: tuple[object, _Names] | None = None

    def resolve(
        self,
        question: str,
        snapshot: Snapshot,
        works_only: Sequence[int] = (),
        day: date | None = None,
        addresses: Sequence[Address] | None = None,
    ) -> Resolution:
        """Look up every place that ``question`` names.

        Args:
            question: any text.
            snapshot: what may be returned; its collections are searched.
            works_only: ordinals of the only works that may be meant; empty = all.
            day: for which the snapshot was taken; None = today.
            addresses: the only ones of ``question`` to look up; None = all that the grammar finds.
        """
        addresses = self._grammar.find(question) if addresses is None else addresses
        if not addresses:
            return Resolution()
        names = self._names_of(snapshot)
        look_up = _LookUp(self._catalogue, snapshot.where, day or datetime.now(UTC).date())
        result = _Collected()
        for address in addresses:
            works = self._works(address, names, works_only)
            result.works.update((work.ordinal, work) for work in works)
            if not address.article or not result.is_new(address, works):
                continue
            mention = question[address.start : address.end]
            if works:
                self._look_up_article(address, mention, works, look_up, result)
            elif address.work:
                offers = names.nearest(address.work, self._grammar)
                result.miss(MissingAddress(mention=mention, reason="no such work", nearest=offers), address)
            if len(result.seen) >= MAX_ADDRESSES:
                break
        return Resolution(
            hits=tuple(result.hits),
            missing=tuple(result.missing.values()),
            doubtful=tuple(result.doubtful.values()),
            works=tuple(result.works.values()),
        )

    def find_works(self, names: Sequence[str], snapshot: Snapshot) -> list[Work]:
        """Return the works that are called ``names``.

        Raises:
            NotFound: a name is no work's of these collections; the message offers those that are like it.
        """
        stored = self._names_of(snapshot)
        found: dict[int, Work] = {}
        for name in names:
            works = stored.works(self._grammar.stored_key(Address(work=name), stored.keys), self._grammar)
            if not works:
                offers = ", ".join(stored.nearest(name, self._grammar)) or "none is like it"
                raise NotFound(f"no work is called {name!r} in these collections; nearest: {offers}")
            found.update((work.ordinal, work) for work in works)
        return list(found.values())

    def _works(self, address: Address, names: _Names, works_only: Sequence[int]) -> list[Work]:
        if address.work:
            works = names.works(self._grammar.stored_key(address, names.keys), self._grammar)
            return [work for work in works if not works_only or work.ordinal in works_only]
        candidates = works_only or list(names.titles)
        return [names.titles[candidates[0]]] if len(candidates) == 1 and candidates[0] in names.titles else []

    def _look_up_article(
        self, address: Address, mention: str, works: Sequence[Work], look_up: _LookUp, result: _Collected
    ) -> None:
        ordinals = [work.ordinal for work in works]
        chunks = look_up.in_force(ordinals, address)
        if places := _different_places(chunks):
            nothing = MissingAddress(
                mention=mention, reason=_no_such(address), work=works[0].title, nearest=places[:MAX_OFFERS]
            )
            result.miss(nothing, address)
            return
        if not chunks:
            if missing := look_up.absence(ordinals, address, mention, works[0].title):
                result.miss(missing, address)
            return
        hits = [hit for chunk in chunks if (hit := self._narrowed(address, chunk))]
        result.hits += hits
        if not hits:
            title, nearest = chunks[0].version.work, (chunks[0].locator,)
            result.miss(MissingAddress(mention=mention, reason=_no_such(address), work=title, nearest=nearest), address)

    def _narrowed(self, address: Address, chunk: StoredChunk) -> AddressHit | None:
        span = self._grammar.find_part(chunk.text, address)
        if span is None:
            return None
        locator = self._grammar.part_locator(chunk.locator, address)
        start, end = chunk.start + span[0], chunk.start + span[1]
        return AddressHit(address=address, chunk=chunk, locator=locator, start=start, end=end)

    def _names_of(self, snapshot: Snapshot) -> _Names:
        key = (snapshot.change_number, snapshot.where.collections)
        with self._lock:
            if self._names and self._names[0] == key:
                return self._names[1]
        names = _Names(self._catalogue, snapshot.where, self._grammar)
        with self._lock:
            self._names = (key, names)
        return names


class _Names:
    """The names of the works that some collections hold at one change number."""

    def __init__(self, catalogue: Catalogue, where: IndexFilter, grammar: AddressGrammar) -> None:
        self.titles = {work.ordinal: work for work in catalogue.work_titles(where)}
        self.keys: dict[str, list[int]] = {}
        for key, ordinals in catalogue.work_name_keys(where).items():
            present = [ordinal for ordinal in ordinals if ordinal in self.titles]
            if present:
                self.keys[key] = present
        pairs = {
            work.title: _pairs(grammar.name_keys(DocumentFacts(title=work.title))[0]) for work in self.titles.values()
        }
        self._titles_with: dict[str, list[str]] = defaultdict(list)
        for title, of_title in pairs.items():
            for pair in of_title:
                self._titles_with[pair].append(title)
        # Rare pairs say more: half the titles of a collection may end in the same word.
        self._weights = {pair: math.log(1 + len(pairs) / len(titles)) for pair, titles in self._titles_with.items()}
        self._unknown_weight = math.log(1 + len(pairs))
        self._totals = {title: sum(self._weights[pair] for pair in of_title) for title, of_title in pairs.items()}

    def works(self, key: str | None, grammar: AddressGrammar) -> list[Work]:
        """Return the works stored under ``key``; where it is the title of some of them, only those."""
        works = [self.titles[ordinal] for ordinal in self.keys.get(key or "", ())]
        titled = [work for work in works if key in grammar.work_keys(work.title)]
        works = titled or works
        return works if len({work.title for work in works}) <= MAX_SHARED else []

    def nearest(self, name: str, grammar: AddressGrammar) -> tuple[str, ...]:
        """Return titles to offer for a name that is not here: its successor, then those that resemble it."""
        offers = [work.title for key in grammar.successor_keys(name) for work in self.works(key, grammar)]
        wanted = _pairs(grammar.name_keys(DocumentFacts(title=name))[0])
        total = sum(self._weights.get(pair, self._unknown_weight) for pair in wanted)
        shared: dict[str, float] = defaultdict(float)
        for pair in wanted:
            for title in self._titles_with.get(pair, ()):
                shared[title] += self._weights[pair]
        likeness = {title: 2 * weight / (total + self._totals[title]) for title, weight in shared.items()}
        best = sorted(likeness, key=lambda title: (-likeness[title], title))
        offers += [title for title in best[:MAX_OFFERS] if likeness[title] >= MIN_LIKENESS]
        return tuple(dict.fromkeys(offers))[:MAX_OFFERS]


def _pairs(key: str) -> frozenset[str]:
    return frozenset(key[i : i + 2] for i in range(len(key) - 1))


class _LookUp:
    """Reads articles as they are in force on a day."""

    def __init__(self, catalogue: Catalogue, where: IndexFilter, day: date) -> None:
        self._catalogue = catalogue
        self._where = where
        self._day = day

    def in_force(self, works: Sequence[int], address: Address) -> list[StoredChunk]:
        """Return the article in the versions that may be shown, of the edition asked for if there is one."""
        chunks = self._catalogue.chunks_at(works, address.article, self._where)
        for other in address.others if not chunks else ():
            chunks += self._catalogue.chunks_at(works, other, self._where)
        return [chunk for chunk in chunks if not address.edition or _is_of_edition(chunk, address.edition)]

    def absence(self, works: Sequence[int], address: Address, mention: str, title: str) -> MissingAddress | None:
        """Say why the article is not to be had; None where the work has no articles that could be looked up."""
        everything = IndexFilter(self._where.collections, frozenset())
        others = self._catalogue.chunks_at(works, address.article, everything)
        if address.edition:
            is_here = any(_is_of_edition(chunk, address.edition) for chunk in others)
            reason: Literal["not in force", "no such work"] = "not in force" if is_here else "no such work"
            return MissingAddress(mention=mention, reason=reason, work=title, nearest=(title,))
        if any(not _holds(chunk, self._day) for chunk in others):
            return MissingAddress(mention=mention, reason="not in force", work=title)
        if address.unit == "article" and not self._catalogue.last_address(works, everything):
            return None
        last = self._catalogue.last_address(works, self._where)
        return MissingAddress(mention=mention, reason=_no_such(address), work=title, nearest=(last,) if last else ())


def _no_such(address: Address) -> Literal["no such article", "no such section"]:
    return "no such section" if address.unit == "section" else "no such article"


def _different_places(chunks: Sequence[StoredChunk]) -> tuple[str, ...]:
    """Locators, when chunks of one version have different addresses: the mention is of one of them, unknown which."""
    versions: dict[int, dict[str, str]] = {}
    for chunk in chunks:
        versions.setdefault(chunk.version.ordinal, {})[chunk.address] = chunk.locator
    return next((tuple(places.values()) for places in versions.values() if len(places) > 1), ())


def _is_of_edition(chunk: StoredChunk, year: str) -> bool:
    version = chunk.version
    return any(day is not None and str(day.year) == year for day in (version.promulgated, version.effective_from))


def _holds(chunk: StoredChunk, day: date) -> bool:
    version = chunk.version
    begun = version.effective_from is None or version.effective_from <= day
    return begun and (version.effective_to is None or version.effective_to > day)


class _Collected:
    """Results in the order of mention, each once."""

    def __init__(self) -> None:
        self.hits: list[AddressHit] = []
        self.missing: dict[tuple[str, ...], MissingAddress] = {}
        self.doubtful: dict[tuple[str, ...], MissingAddress] = {}
        self.works: dict[int, Work] = {}
        self.seen: set[tuple[object, ...]] = set()

    def is_new(self, address: Address, works: Sequence[Work]) -> bool:
        named = tuple(work.ordinal for work in works) or address.work
        place = (named, address.edition, address.article, address.paragraph, address.item)
        is_new = place not in self.seen
        self.seen.add(place)
        return is_new

    def miss(self, missing: MissingAddress, address: Address) -> None:
        kept = self.missing if address.is_certain else self.doubtful
        kept.setdefault((missing.mention, missing.reason), missing)
