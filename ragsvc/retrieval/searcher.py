"""A question becomes passages: addresses first, then keywords and vectors, fused.

One request sees one state: the generation and what of it may be returned are read once, at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from ragsvc.errors import InvalidInput, NotFound
from ragsvc.protocols import AddressGrammar, Embedder, Index
from ragsvc.records import IndexFilter, MissingAddress, Passage, ScoredChunk, Scores, SearchRequest, SearchResult
from ragsvc.retrieval.addresses import AddressHit, AddressResolver
from ragsvc.retrieval.arms import Arms, Stopwatch
from ragsvc.retrieval.fusion import fuse, learned_model
from ragsvc.retrieval.interaction import FIRST, InteractionReranker
from ragsvc.store.catalogue import Catalogue
from ragsvc.store.rows import Collection, Snapshot, StoredChunk

CANDIDATES = 200
"""Chunks that each arm contributes, at least. From 100 to 200, Recall@100 of lay questions on statutes rose from .825
to .833 with the encoder before the one that ships, with which it is .819 either way; a search takes some 2 ms more."""


class HasGrammar(Protocol):
    """What the searcher needs of a domain pack."""

    @property
    def grammar(self) -> AddressGrammar | None: ...


class Searcher:
    """Searches one home; safe to share between threads.

    Args:
        catalogue: snapshots, addresses and texts.
        open_generation: id -> open index; raises NotFound when a sweep took it.
        embedder: of the same kind as the index's.
        find_pack: domain name -> its pack.
        reranker: puts the first hits into a better order when both arms were asked; None = their fused order.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        open_generation: Callable[[str], Index],
        embedder: Embedder,
        find_pack: Callable[[str], HasGrammar],
        reranker: InteractionReranker | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._open_generation = open_generation
        self._embedder = embedder
        self._find_pack = find_pack
        self._reranker = reranker
        self._resolvers: dict[str, AddressResolver | None] = {}
        self._lock = Lock()

    @property
    def reranker_id(self) -> str:
        """Name and hash of the reranker's weights; empty when there is none."""
        return self._reranker.reranker_id if self._reranker else ""

    def search(self, request: SearchRequest) -> SearchResult:
        """Return at most k passages, those whose address the question names first.

        Raises:
            NotFound: a collection or a work of the filter is unknown.
            InvalidInput: ``k`` or ``arms`` is out of range.
            IndexDamaged: a file of the index is damaged.
        """
        if request.k < 1 or not request.arms:
            raise InvalidInput(f"k={request.k} and arms={request.arms} were asked for; both need at least one")
        try:
            with self._catalogue.one_state():
                return self._search(request)
        except NotFound:
            # A sweep may have come between reading which generation is current and opening it: then there is a newer.
            with self._catalogue.one_state():
                return self._search(request)

    def _search(self, request: SearchRequest) -> SearchResult:
        watch = Stopwatch()
        with watch.stage("snapshot"):
            state = self._read_state(request)
        addressed: list[Passage] = []
        missing: list[MissingAddress] = []
        if "address" in request.arms:
            with watch.stage("address"):
                addressed, missing = self._resolve(request, state)
        found = _Found()
        if state.index and set(request.arms) - {"address"}:
            found = self._candidates(request, state, state.index, watch)
        if self._reranker and found.lexical and found.dense:
            with watch.stage("rerank"):
                found = replace(found, ranking=self._rerank(request.question, found, self._reranker))
        with watch.stage("read"):
            passages = addressed[: request.k]
            passages += self._read(found, request.k - len(passages), passages)
        return SearchResult(
            passages=tuple(passages),
            missing=tuple(missing),
            addressed=min(len(addressed), request.k),
            top_cosine=found.top_cosine,
            n_searched=found.n_searched,
            index_generation=state.snapshot.generation_id,
            timings_ms=watch.finish(),
        )

    # --- the state that this request sees ---

    def _read_state(self, request: SearchRequest) -> _State:
        collections = self._catalogue.find_collections(request.collections)
        works: tuple[int, ...] = ()
        if request.filters.works:
            works = self._find_works(request, collections)
        snapshot = self._catalogue.snapshot(request.collections, request.as_of, request.filters, works)
        index = self._open_generation(snapshot.generation_id) if snapshot.generation_id else None
        return _State(snapshot, collections, works, index)

    def _find_works(self, request: SearchRequest, collections: Sequence[Collection]) -> tuple[int, ...]:
        """Resolve the names in ``filters.works``: by the domain's grammar, or as an exact title where it has none."""
        snapshot = self._catalogue.snapshot(request.collections, request.as_of)
        found: set[int] = set()
        for name in request.filters.works:
            refusal = f"no work is called {name!r} in these collections"
            works: set[int] = set()
            for domain, part in _by_domain(snapshot, collections):
                resolver = self._resolver(domain)
                if resolver is None:
                    titles = self._catalogue.work_titles(part.where)
                    works |= {work.ordinal for work in titles if work.title.casefold() == name.strip().casefold()}
                    continue
                try:
                    works |= {work.ordinal for work in resolver.find_works([name], part)}
                except NotFound as error:
                    refusal = str(error)
            if not works:
                raise NotFound(refusal)
            found |= works
        return tuple(sorted(found))

    # --- addresses ---

    def _resolver(self, domain: str) -> AddressResolver | None:
        with self._lock:
            if domain not in self._resolvers:
                grammar = self._find_pack(domain).grammar
                self._resolvers[domain] = AddressResolver(self._catalogue, grammar) if grammar else None
            return self._resolvers[domain]

    def _resolve(self, request: SearchRequest, state: _State) -> tuple[list[Passage], list[MissingAddress]]:
        passages: list[Passage] = []
        missing: list[MissingAddress] = []
        doubtful: list[MissingAddress] = []
        for domain, snapshot in _by_domain(state.snapshot, state.collections):
            if resolver := self._resolver(domain):
                resolution = resolver.resolve(request.question, snapshot, state.works, request.as_of)
                passages += [_addressed_passage(hit) for hit in resolution.hits]
                missing += resolution.missing
                doubtful += resolution.doubtful
        is_look_up = request.arms == ("address",)  # then all that is said is meant as an address
        return passages, missing if passages or missing or not is_look_up else doubtful

    # --- keywords and vectors ---

    def _candidates(self, request: SearchRequest, state: _State, index: Index, watch: Stopwatch) -> _Found:
        where = state.snapshot.where
        scores = Arms(index, self._embedder).ask(
            request.question, max(CANDIDATES, request.k), where, request.arms, watch
        )
        with watch.stage("fuse"):
            domains = {collection.domain for collection in state.collections}
            domain = domains.pop() if len(domains) == 1 else "general"
            ranking = fuse(scores, learned_model().lexical_weight(request.question, domain, scores))
        return _Found(
            ranking=ranking,
            lexical={hit.chunk: hit.score for hit in scores.lexical},
            dense={hit.chunk: hit.score for hit in scores.dense},
            top_cosine=scores.top_cosine,
            n_searched=index.count(where),
        )

    def _rerank(self, question: str, found: _Found, reranker: InteractionReranker) -> list[ScoredChunk]:
        """Order the first hits anew. A place keeps its score, so that scores fall from hit to hit as without."""
        scores = {hit.chunk: hit.score for hit in found.ranking[:FIRST]}
        chunks = self._catalogue.read_chunks(list(scores))
        hits = [_found_passage(chunk, scores[chunk.ordinal], found) for chunk in chunks]
        order = reranker.order(question, hits)
        first = [ScoredChunk(chunks[at].ordinal, score) for at, score in zip(order, scores.values(), strict=False)]
        return first + found.ranking[FIRST:]

    def _read(self, found: _Found, wanted: int, addressed: Sequence[Passage]) -> list[Passage]:
        """Read the best chunks; those removed since the snapshot or shown already by address make room for others."""
        passages: list[Passage] = []
        at = 0
        while len(passages) < wanted and at < len(found.ranking):
            batch = found.ranking[at : at + wanted - len(passages)]
            at += len(batch)
            scores = {hit.chunk: hit.score for hit in batch}
            for chunk in self._catalogue.read_chunks(list(scores)):
                if not any(_covers(passage, chunk) for passage in addressed):
                    passages.append(_found_passage(chunk, scores[chunk.ordinal], found))
        return passages


class _State(Struct, frozen=True):
    """What one request sees."""

    snapshot: Snapshot
    collections: list[Collection]
    works: tuple[int, ...]
    index: Index | None
    """None when nothing was ever ingested."""


class _Found(Struct, frozen=True, kw_only=True):
    """What keywords and vectors found."""

    ranking: list[ScoredChunk] = []
    lexical: dict[int, float] = {}
    dense: dict[int, float] = {}
    top_cosine: float | None = None
    n_searched: int = 0


def _by_domain(snapshot: Snapshot, collections: Sequence[Collection]) -> Iterator[tuple[str, Snapshot]]:
    """The snapshot once per domain, narrowed to that domain's collections: a grammar reads only its own works."""
    for domain in dict.fromkeys(collection.domain for collection in collections):
        ordinals = frozenset(collection.ordinal for collection in collections if collection.domain == domain)
        where = IndexFilter(ordinals, snapshot.where.excluded_versions)
        yield domain, Snapshot(generation_id=snapshot.generation_id, change_number=snapshot.change_number, where=where)


def _covers(passage: Passage, chunk: StoredChunk) -> bool:
    """Whether the passage shows all of the chunk, but for white space at its ends."""
    start = chunk.end - len(chunk.text.lstrip())
    end = chunk.start + len(chunk.text.rstrip())
    return passage.version_id == chunk.version.version_id and passage.start <= start and end <= passage.end


def _addressed_passage(hit: AddressHit) -> Passage:
    """The named place itself, which may be a part of the chunk."""
    text = hit.chunk.text[hit.start - hit.chunk.start : hit.end - hit.chunk.start]
    return replace(_passage(hit.chunk, (hit.start, hit.end), text, Scores(fused=1.0)), locator=hit.locator)


def _found_passage(chunk: StoredChunk, fused: float, found: _Found) -> Passage:
    scores = Scores(lexical=found.lexical.get(chunk.ordinal), dense=found.dense.get(chunk.ordinal), fused=fused)
    return _passage(chunk, (chunk.start, chunk.end), chunk.text, scores)


def _passage(chunk: StoredChunk, span: tuple[int, int], text: str, scores: Scores) -> Passage:
    version = chunk.version
    return Passage(
        collection=version.collection,
        work=version.work,
        title=version.title,
        locator=chunk.locator,
        heading_path=chunk.heading_path,
        document_id=version.document_id,
        version_id=version.version_id,
        chunk_id=chunk.chunk_id,
        start=span[0],
        end=span[1],
        text=text,
        effective_from=version.effective_from,
        effective_to=version.effective_to,
        validity_source=version.validity_source,
        url=chunk.url,
        status=version.status,
        confidence=version.confidence_at(*span),
        score=scores.fused or 0.0,
        scores=scores,
        frame=chunk.frame,
    )
