"""Any text in, its claims out, each compared with the sources: split -> named places -> like passages -> class.

No model is asked and nothing is guessed: what no source says in nearly the same words stays UNVERIFIED.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Literal

from msgspec import Struct

from ragsvc.citing.claims import squeeze
from ragsvc.citing.differences import (
    FEWEST_WORDS,
    MISQUOTE_COVERAGE,
    MISQUOTE_WORDS,
    Difference,
)
from ragsvc.citing.marks import find_marks
from ragsvc.citing.sentences import split_sentences
from ragsvc.pipelines.verify_sources import Candidate, Claimed, Missing, Named, Places, Sources, merged
from ragsvc.protocols import AddressGrammar, Index
from ragsvc.records import Citation, IndexFilter
from ragsvc.retrieval.addresses import AddressResolver
from ragsvc.retrieval.searcher import HasGrammar
from ragsvc.store.catalogue import Catalogue
from ragsvc.store.rows import Snapshot, StoredChunk

Status = Literal["SUPPORTED", "CONTRADICTED", "WRONG ARTICLE", "SUPERSEDED", "NOT FOUND", "UNVERIFIED"]

QUOTE_WORDS = 8
"""Words of a claim from which a passage that says all of it is its source, though the claim does not name it."""
NAMED_WORDS, NAMED_COVERAGE = 8, 0.6
"""Equal words, and share of equal words, from which a claim misquotes a passage that it names."""
ASIDE = 4
"""Words that a sentence may have besides what it names to be no more than a reference."""


class VerifiedClaim(Struct, frozen=True, kw_only=True):
    """A sentence of the text, ``text[start:end]``, and what the sources say of it."""

    text: str
    start: int
    end: int
    status: Status
    citation: Citation | None = None
    """What it was compared with, if anything; its marker is empty, its score is the share of equal words."""
    quote: str = ""
    """``citation.quote``."""
    note: str = ""
    """Why, in words: what is missing, what differs, where the words really are."""
    differences: tuple[Difference, ...] = ()


class Verification(Struct, frozen=True, kw_only=True):
    """All claims of a text, in order."""

    claims: tuple[VerifiedClaim, ...]
    as_of: date
    index_generation: str


class Verifier:
    """Compares texts with one home; safe to share between threads.

    Args:
        catalogue: snapshots, addresses and texts.
        open_generation: id -> open index.
        find_pack: domain name -> its pack.
    """

    def __init__(
        self, catalogue: Catalogue, open_generation: Callable[[str], Index], find_pack: Callable[[str], HasGrammar]
    ) -> None:
        self._catalogue = catalogue
        self._open_generation = open_generation
        self._find_pack = find_pack
        self._resolvers: dict[str, AddressResolver] = {}

    def verify(self, text: str, collections: Sequence[str] = (), as_of: date | None = None) -> Verification:
        """Class every sentence of ``text``.

        Args:
            text: in Chinese or English; citation marks in it are ignored.
            collections: names; empty = all.
            as_of: the day whose sources count; None = today.

        Raises:
            NotFound: a collection is unknown.
            IndexDamaged: a file of the index is damaged.
        """
        day = as_of or datetime.now(UTC).date()
        with self._catalogue.one_state():
            snapshot = self._catalogue.snapshot(collections, as_of)
            index = self._open_generation(snapshot.generation_id) if snapshot.generation_id else None
            judge = _Judge(text, Sources(self._catalogue, index, snapshot, day))
            places = [Places(text, *domain) for domain in self._by_domain(collections, snapshot)]
            for start, end in split_sentences(text):
                judge.take(start, end, merged([one.named(start, end, day, self._catalogue) for one in places]))
        return Verification(claims=tuple(judge.claims), as_of=day, index_generation=snapshot.generation_id)

    def _by_domain(
        self, collections: Sequence[str], snapshot: Snapshot
    ) -> Iterator[tuple[AddressGrammar, AddressResolver, Snapshot]]:
        """Each grammar with the snapshot of its own collections."""
        found = self._catalogue.find_collections(collections)
        for domain in dict.fromkeys(collection.domain for collection in found):
            grammar = self._find_pack(domain).grammar
            if grammar is None:
                continue
            resolver = self._resolvers.setdefault(domain, AddressResolver(self._catalogue, grammar))
            ordinals = frozenset(collection.ordinal for collection in found if collection.domain == domain)
            where = IndexFilter(ordinals, snapshot.where.excluded_versions)
            yield (
                grammar,
                resolver,
                Snapshot(generation_id=snapshot.generation_id, change_number=snapshot.change_number, where=where),
            )


class _Claim(Claimed, frozen=True, kw_only=True):
    """A sentence, as ``_Judge`` looks at it."""

    start: int
    named: Named
    is_carried: bool
    """Whether it names nothing itself and goes on after a sentence that did."""


class _Judge:
    """Classes the sentences of one text, in order: what a sentence names holds for the next one if it announces it."""

    def __init__(self, text: str, sources: Sources) -> None:
        self.claims: list[VerifiedClaim] = []
        self._text = text
        self._sources = sources
        self._last = Named()
        self._announced = False

    def take(self, start: int, end: int, named: Named) -> None:
        """Class ``text[start:end]``, which names ``named``."""
        text = self._text[start:end]
        marks = [(mark.start, mark.end) for mark in find_marks(text)]
        mentions = [(max(a - start, 0), b - start) for a, b in named.mentions]
        is_carried = named.is_empty and self._announced
        claim = _Claim(
            text=text,
            start=start,
            named=self._last if is_carried else named,
            is_carried=is_carried,
            names=tuple(mentions),
            marks=tuple(marks),
        )
        self.claims.append(self._class(claim))
        if not named.is_empty:
            self._last = named
        is_open = text.rstrip("“\"'‘「 ")[-1:] in ("：", ":", "；", ";")
        self._announced = is_open and (is_carried or not named.is_empty)

    def _class(self, claim: _Claim) -> VerifiedClaim:
        named = claim.named
        if named.is_empty:
            return self._class_unnamed(claim)
        beside = self._sources.compared(claim, [hit.chunk for hit in named.hits])
        like = self._sources.like(claim) if len(claim.own) >= FEWEST_WORDS else []
        if (missing := self._truly_missing(claim, [*beside, *like])) and not claim.is_carried:
            return self._missing(claim, missing, like)
        if len(claim.own) < ASIDE:
            return self._reference(claim)
        earlier = next((one for one in self._earlier(claim) if one.comparison.is_supported), None)
        if beside and beside[0].comparison.is_supported:
            is_nearer = earlier and _nearness(earlier) > _nearness(beside[0])
            return self._superseded(claim, earlier) if earlier and is_nearer else self._in_place(claim, beside[0])
        if verbatim := self._verbatim(claim, like):
            return self._says(claim, "SUPPORTED", verbatim)
        if earlier:
            return self._superseded(claim, earlier)
        misquoted = next((one for one in beside if one.comparison.is_misquoted(NAMED_WORDS, NAMED_COVERAGE)), None)
        if misquoted and not claim.is_carried:
            return self._says(claim, "CONTRADICTED", misquoted)
        elsewhere = next((one for one in like if one.comparison.is_supported), None)
        if elsewhere and elsewhere.comparison.n_words >= QUOTE_WORDS and not claim.is_carried:
            return self._wrong_article(claim, elsewhere)
        misquoted = misquoted or next((one for one in like if _is_nearly_said(one)), None)
        if misquoted and not claim.is_carried:
            return self._says(claim, "CONTRADICTED", misquoted)
        if claim.is_carried:
            unnamed = self._class_unnamed(claim)
            return self._says(claim, "CONTRADICTED", misquoted) if misquoted and _is_silent(unnamed) else unnamed
        return self._unverified(claim, beside)

    def _class_unnamed(self, claim: _Claim) -> VerifiedClaim:
        if len(claim.own) < FEWEST_WORDS:
            return self._says(claim, "UNVERIFIED", None)
        like = self._sources.like(claim)
        if like and like[0].comparison.is_supported and like[0].comparison.n_words >= QUOTE_WORDS:
            return self._says(claim, "SUPPORTED", like[0])
        misquoted = next((one for one in like if _is_nearly_said(one)), None)
        anywhere = self._sources.like(claim, in_force=False)
        earlier = next((one for one in anywhere if self._sources.was_in_force(one.chunk)), None)
        if earlier and earlier.comparison.is_supported and earlier.comparison.n_words >= QUOTE_WORDS:
            return self._superseded(claim, earlier)
        return self._says(claim, "CONTRADICTED", misquoted) if misquoted else self._says(claim, "UNVERIFIED", None)

    def _earlier(self, claim: _Claim) -> list[Candidate]:
        """Compare with the named articles as they were."""
        were = [chunk for chunk in claim.named.others if self._sources.was_in_force(chunk)]
        return self._sources.compared(claim, were)

    # --- classes ---

    def _truly_missing(self, claim: _Claim, candidates: Sequence[Candidate]) -> list[Missing]:
        """Leave out what is named by words of a source that the claim repeats: statutes refer to one another."""
        repeated = [squeeze(one.chunk.text) for one in candidates if one.comparison.coverage >= MISQUOTE_COVERAGE]
        return [one for one in claim.named.missing if not any(squeeze(one.mention) in text for text in repeated)]

    def _missing(self, claim: _Claim, missing: Sequence[Missing], like: Sequence[Candidate]) -> VerifiedClaim:
        note = "; ".join(one.note for one in missing)
        earlier = self._earlier(claim)
        if earlier and all(one.was_in_force for one in missing):
            return self._says(claim, "SUPERSEDED", earlier[0], note)
        elsewhere = next((one for one in like if one.comparison.is_supported), None)
        if elsewhere:
            note += f"; these words are in {_name(elsewhere.chunk)}"
        is_repealed = all(one.was_in_force or one.is_repealed for one in missing)
        return self._says(claim, "SUPERSEDED" if is_repealed else "NOT FOUND", elsewhere, note)

    def _reference(self, claim: _Claim) -> VerifiedClaim:
        """A sentence that only names places, all of which are there."""
        if not claim.named.hits:
            return self._says(claim, "UNVERIFIED", None)
        hit = claim.named.hits[0]
        text = hit.chunk.text[hit.start - hit.chunk.start : hit.end - hit.chunk.start]
        citation = _citation(hit.chunk, hit.start, text, 1.0, hit.locator)
        return self._claim(claim, "SUPPORTED", citation, "it only names a place, which is there")

    def _in_place(self, claim: _Claim, found: Candidate) -> VerifiedClaim:
        """The named article says it: in the named paragraph?"""
        start, end = (found.chunk.start + place for place in found.comparison.span)
        hits = [hit for hit in claim.named.hits if hit.chunk.ordinal == found.chunk.ordinal]
        if any(hit.start < end and start < hit.end for hit in hits):
            return self._says(claim, "SUPPORTED", found)
        note = f"the words are in {_name(found.chunk)}, but not in {hits[0].locator}"
        return self._says(claim, "WRONG ARTICLE", found, note)

    def _verbatim(self, claim: _Claim, like: Sequence[Candidate]) -> Candidate | None:
        """A passage that has the whole sentence, names and all: what it names is not its source then."""
        again = self._sources.compared(claim, [one.chunk for one in like], whole=True)
        if again and again[0].comparison.is_supported and again[0].comparison.coverage == 1:
            return again[0]
        return None

    def _wrong_article(self, claim: _Claim, elsewhere: Candidate) -> VerifiedClaim:
        named = ", ".join(dict.fromkeys(_name(hit.chunk) for hit in claim.named.hits)) or "what the claim names"
        return self._says(
            claim, "WRONG ARTICLE", elsewhere, f"the words are in {_name(elsewhere.chunk)}, not in {named}"
        )

    def _superseded(self, claim: _Claim, found: Candidate) -> VerifiedClaim:
        version = found.chunk.version
        span = f"{version.effective_from or '…'} to {version.effective_to or '…'}"
        note = f"so it stands in a version in force from {span}"
        now = [hit.chunk for hit in claim.named.hits if hit.chunk.version.document_id == version.document_id]
        if now:
            note += f"; now: {now[0].text.strip()}"
        return self._says(claim, "SUPERSEDED", found, note)

    def _unverified(self, claim: _Claim, beside: Sequence[Candidate]) -> VerifiedClaim:
        note = "the words are not the source's: a paraphrase has to be read" if beside else ""
        return self._says(claim, "UNVERIFIED", beside[0] if beside else None, note)

    def _says(self, claim: _Claim, status: Status, found: Candidate | None, note: str = "") -> VerifiedClaim:
        if found is None:
            return self._claim(claim, status, None, note)
        start, end = found.comparison.span
        citation = _citation(
            found.chunk, found.chunk.start + start, found.chunk.text[start:end], found.comparison.coverage
        )
        differences = found.comparison.differences if status == "CONTRADICTED" else ()
        if differences and not note:
            note = "; ".join(
                f"{d.kind}: {d.claim or '–'} in the claim, {d.source or '–'} in the source" for d in differences
            )
        return self._claim(claim, status, citation, note, differences)

    def _claim(
        self,
        claim: _Claim,
        status: Status,
        citation: Citation | None,
        note: str,
        differences: tuple[Difference, ...] = (),
    ) -> VerifiedClaim:
        return VerifiedClaim(
            text=claim.text,
            start=claim.start,
            end=claim.start + len(claim.text),
            status=status,
            citation=citation,
            quote=citation.quote if citation else "",
            note=note,
            differences=differences,
        )


def _nearness(found: Candidate) -> tuple[float, bool]:
    """How near a source comes to a claim that it says: one that has not a word more is the one that was copied."""
    return found.comparison.coverage, found.comparison.n_left_out == 0


def _is_nearly_said(found: Candidate) -> bool:
    """Whether a passage that the claim does not name is what it misquotes."""
    return found.comparison.is_misquoted(MISQUOTE_WORDS, MISQUOTE_COVERAGE)


def _is_silent(claim: VerifiedClaim) -> bool:
    return claim.status == "UNVERIFIED"


def _name(chunk: StoredChunk) -> str:
    return f"{chunk.version.title} {chunk.locator}".strip()


def _citation(chunk: StoredChunk, start: int, quote: str, score: float, locator: str = "") -> Citation:
    version = chunk.version
    return Citation(
        marker="",
        collection=version.collection,
        work=version.work,
        title=version.title,
        locator=locator or chunk.locator,
        document_id=version.document_id,
        version_id=version.version_id,
        quote=quote,
        start=start,
        end=start + len(quote),
        effective_from=version.effective_from,
        effective_to=version.effective_to,
        validity_source=version.validity_source,
        url=chunk.url,
        score=round(score, 3),
    )
