"""Runs a labelled set through the real ingest and search code and measures each arm."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ragsvc.domains.pack import find_pack
from ragsvc.embedding import find_card
from ragsvc.errors import InvalidInput
from ragsvc.evaluation.datasets import LabelledSet, Query, whole_document_pack
from ragsvc.evaluation.figures import RERANKED, compare_fusion, compare_reranking, measure_arm
from ragsvc.evaluation.provenance import data_of_set, describe_encoder
from ragsvc.evaluation.report import write_report
from ragsvc.evaluation.results import QueryResult, gold_documents, judge, write_results
from ragsvc.pipelines.ingest import IngestReport
from ragsvc.pipelines.sources import Source
from ragsvc.protocols import Reranker
from ragsvc.records import ARMS, Arm, LoadedDocument, SearchRequest, SearchResult
from ragsvc.retrieval.interaction import FIRST, SHIPPED
from ragsvc.retrieval.searcher import Searcher
from ragsvc.settings import Settings, read_settings
from ragsvc.store import identity
from ragsvc.wiring import Service, open_service

COLLECTION = "evaluated"
DEPTH = 100
EXCERPT_CHARS = 160
ARM_SETS: dict[str, tuple[Arm, ...]] = {"lexical": ("lexical",), "dense": ("dense",), "hybrid": ARMS}

Run = dict[str, list[tuple[str, float]]]
"""Query id -> (document id, score), best first."""
Search = Callable[[str], list[tuple[str, float]]]
"""A question to the ids of the set's documents with their scores, best first."""
Progress = Callable[[str, int, int], None]
"""Arm, queries done, queries in all."""


class RetrievalOptions(Struct, frozen=True, kw_only=True):
    """What to evaluate. ``home`` keeps the index for the next run; without it a throw-away folder is used."""

    split: str | None = None
    arms: tuple[str, ...] = ("lexical", "dense", "hybrid")
    domain: str = "general"
    embedder: str | None = None
    limit: int | None = None
    seed: int = 0
    home: Path | None = None
    reranker: Reranker | None = None
    """Of the arm ``reranked``; None = the one that the service searches with when ``rerank`` is set."""
    rerank_first: int = 30
    """Hits of hybrid that ``reranker`` reads."""
    history: bool = True
    """Whether the earlier turns of a conversation are part of its query."""
    run_file: Path | None = None
    """Where the last arm's run goes, in TREC's format."""
    queries_file: Path | None = None
    """Where the results go query by query, for ``comparison.compare_files``."""
    report_file: Path | None = None
    """Where the HTML page goes."""


class IndexedSet:
    """A labelled set that is searchable: each document is one unit."""

    def __init__(self, labelled: LabelledSet, service: Service, domain: str) -> None:
        self.labelled = labelled
        self.service = service
        self._searcher = service.open_searcher(rerank="")
        self.pack = whole_document_pack(find_pack(domain))
        self._ids: dict[str, str] = {}
        self._work_keys: dict[str, str] = {}
        self._titles: dict[str, str] = {}
        self._excerpts: dict[str, str] = {}

    def ingest(self) -> IngestReport:
        """Put every document of the corpus in; what is there already costs nothing."""
        sources = []
        for document in self.labelled.documents():
            work_key = self.pack.name_keys(self.pack.chunker.describe(document))[0]
            self._ids[identity.document_id(COLLECTION, work_key, document.name)] = document.name
            self._work_keys[document.name] = work_key
            self._titles[document.name] = document.title
            cut = "…" if len(document.text) > EXCERPT_CHARS else ""
            self._excerpts[document.name] = f"{document.title} {document.text[:EXCERPT_CHARS]}{cut}".strip()
            sources.append(_source(document))
        return self.service.ingest_sources(sources, COLLECTION, self.pack)

    def search(self, question: str, arms: tuple[Arm, ...], k: int = DEPTH) -> list[tuple[str, float]]:
        """Return ids of the set's documents with their scores, best first."""
        return [(self._ids[passage.document_id], passage.score) for passage in self._search(question, arms, k).passages]

    def rerank(self, question: str, reranker: Reranker, first: int, k: int = DEPTH) -> list[tuple[str, float]]:
        """Return what ``search`` finds by all arms, its ``first`` hits in the order of the reranker's scores.

        The reranker reads title and text. What the question names by its address stays on top; hits that were not
        read keep their order at the end.
        """
        result = self._search(question, ARMS, k)
        hits = [(self._ids[passage.document_id], passage) for passage in result.passages]
        read = hits[result.addressed :][:first]
        scores = reranker.score(question, [f"{self._titles[name]}\n{hit.text}".strip() for name, hit in read])
        highest, lowest = (float(scores.max()), float(scores.min())) if read else (0.0, 0.0)
        order = np.argsort(-scores, kind="stable")
        return [
            *((name, highest + 1 + hit.score) for name, hit in hits[: result.addressed]),
            *((read[at][0], float(scores[at])) for at in order),
            *((name, lowest - 2 + hit.score) for name, hit in hits[result.addressed + len(read) :]),
        ]

    def search_with(self, searcher: Searcher, question: str, k: int = DEPTH) -> list[tuple[str, float]]:
        """As ``search`` by all arms, with a searcher that has a reranker."""
        result = searcher.search(SearchRequest(question=question, collections=(COLLECTION,), k=k, arms=ARMS))
        return [(self._ids[passage.document_id], passage.score) for passage in result.passages]

    def _search(self, question: str, arms: tuple[Arm, ...], k: int) -> SearchResult:
        return self._searcher.search(SearchRequest(question=question, collections=(COLLECTION,), k=k, arms=arms))

    def excerpt(self, document: str) -> str:
        """Return title and beginning of a document of the set; empty for one that is judged but not in the corpus."""
        return self._excerpts.get(document, "")

    def documents_of_works(self, documents: Sequence[str]) -> list[str]:
        """Return the document ids of these documents of the set and, where works have names, of all their works."""
        wanted = set(documents)
        if self.pack.grammar:
            works = {self._work_keys[name] for name in wanted if name in self._work_keys}
            wanted = {name for name, key in self._work_keys.items() if key in works}
        return [document_id for document_id, name in self._ids.items() if name in wanted]

    def name_of(self, document_id: str) -> str:
        """Return the set's id of a document."""
        return self._ids[document_id]

    def document_ids(self, documents: Sequence[str]) -> list[str]:
        """Return the document ids of these documents of the set."""
        wanted = set(documents)
        return [document_id for document_id, name in self._ids.items() if name in wanted]


def _source(document: LoadedDocument) -> Source:
    return Source(name=document.name, sha256=lambda: document.source_sha256, load=lambda: document)


@contextmanager
def open_home(options: RetrievalOptions) -> Iterator[Service]:
    """Open the home of an evaluation, a throw-away one unless it is named."""
    with tempfile.TemporaryDirectory(prefix="ragsvc-evaluate-") as folder:
        settings: Settings = read_settings(home=options.home or Path(folder), embedder=options.embedder)
        service = open_service(settings)
        try:
            yield service
        finally:
            service.close()


def evaluate_retrieval(folder: Path, options: RetrievalOptions, on_progress: Progress | None = None) -> dict[str, Any]:
    """Evaluate search on the set in ``folder``; top-level figures are those of hybrid (or the last arm asked for).

    Raises:
        InvalidInput: the folder is not in BEIR layout, or no query is left.
    """
    arms = _arms(options)
    labelled = LabelledSet(folder)
    queries = _choose(labelled, options)
    with open_home(options) as service:
        indexed = IndexedSet(labelled, service, options.domain)
        ingested = indexed.ingest()
        reranking = _open_reranking(indexed, options) if RERANKED in arms else None
        searches: dict[str, Callable[[str], list[tuple[str, float]]]] = {
            arm: partial(indexed.search, arms=ARM_SETS[arm]) for arm in arms if arm != RERANKED
        }
        if reranking:
            searches[RERANKED] = reranking.search
        runs = {arm: _run_arm(queries, arm, search, options, on_progress) for arm, search in searches.items()}
        name = service.settings.embedder
        encoder = describe_encoder(name, find_card(name), service.embedder)
    results = _judge(indexed, queries, {arm: run for arm, (run, _) in runs.items()}, options)
    figures = {arm: measure_arm(results, arm, latencies_ms, options.seed) for arm, (_, latencies_ms) in runs.items()}
    found = {
        "set": folder.resolve().name,
        "n_queries": len(queries),
        "n_documents": ingested.documents,
        "n_multi_turn": sum(bool(query.history) for query in queries) if options.history else 0,
        "split": options.split or "not train",
        "domain": options.domain,
        **figures.get("hybrid", figures[arms[-1]]),
        "index_s": ingested.seconds,
        "documents_per_s": round(ingested.documents / max(ingested.seconds, 1e-9), 1),
        "embedder": encoder["id"],
        "trained_on": data_of_set(folder.resolve().name, encoder["data"] or []),
        "encoder": encoder,
        "fusion": compare_fusion(results, arms, options.seed),
        "reranking": reranking
        and {"reranker": reranking.name, "first": reranking.first, **compare_reranking(results, arms, options.seed)},
        "arms": figures,
    }
    if options.run_file:
        write_trec(options.run_file, runs[arms[-1]][0])
    if options.queries_file:
        write_results(options.queries_file, results)
    if options.report_file:
        write_report(options.report_file, found, results)
    return found


class _Reranking(Struct, frozen=True):
    """The arm ``reranked``."""

    name: str
    first: int
    search: Search


def _open_reranking(indexed: IndexedSet, options: RetrievalOptions) -> _Reranking:
    """Take the reranker that was given, else the one that the service itself searches with."""
    if reranker := options.reranker:
        search = partial(indexed.rerank, reranker=reranker, first=options.rerank_first)
        return _Reranking(reranker.reranker_id, options.rerank_first, search)
    searcher = indexed.service.open_searcher(indexed.service.settings.rerank or SHIPPED)
    return _Reranking(searcher.reranker_id, FIRST, partial(indexed.search_with, searcher))


def _arms(options: RetrievalOptions) -> list[str]:
    asked = [arm for arm in options.arms if arm != RERANKED]
    if not options.arms or (set(asked) - set(ARM_SETS)):
        raise InvalidInput(f"arms {list(options.arms)} were asked for; there are {', '.join([*ARM_SETS, RERANKED])}")
    return [*asked, RERANKED] if options.reranker or len(asked) < len(options.arms) else asked


def _choose(labelled: LabelledSet, options: RetrievalOptions) -> list[Query]:
    queries = labelled.select(options.split)
    if options.limit and options.limit < len(queries):
        chosen = np.random.default_rng(options.seed).permutation(len(queries))[: options.limit]
        queries = [queries[i] for i in sorted(chosen)]
    if not queries:
        raise InvalidInput(f"{labelled.folder} has no judged query in split {options.split!r}")
    return queries


def _run_arm(
    queries: list[Query], arm: str, search: Search, options: RetrievalOptions, on_progress: Progress | None
) -> tuple[Run, NDArray[np.float64]]:
    run: Run = {}
    latencies_ms = np.empty(len(queries))
    for at, query in enumerate(queries):
        question = query.question(with_history=options.history)
        started = time.perf_counter()
        run[query.id] = search(question)
        latencies_ms[at] = (time.perf_counter() - started) * 1000
        if on_progress:
            on_progress(arm, at + 1, len(queries))
    return run, latencies_ms


def _judge(
    indexed: IndexedSet, queries: list[Query], runs: dict[str, Run], options: RetrievalOptions
) -> list[QueryResult]:
    relevance = indexed.labelled.relevance
    return [
        QueryResult(
            query=query.id,
            text=query.question(with_history=options.history),
            gold=gold_documents(relevance[query.id], indexed.excerpt),
            arms={arm: judge(run[query.id], relevance[query.id], indexed.excerpt) for arm, run in runs.items()},
        )
        for query in queries
    ]


def write_trec(path: Path, run: Run) -> None:
    """Write a run as trec_eval reads it: query, Q0, document, rank, score, name."""
    with path.open("w", encoding="utf-8") as file:
        for query, hits in run.items():
            last = float("inf")
            for rank, (document, score) in enumerate(hits, start=1):
                last = min(
                    score, last - 1e-6
                )  # trec_eval reads the scores, not the ranks: equal ones would be reordered
                file.write(f"{query} Q0 {document} {rank} {last:.6f} ragsvc\n")
