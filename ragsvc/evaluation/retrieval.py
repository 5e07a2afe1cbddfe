"""Runs a labelled set through the real ingest and search code and measures each arm."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ragsvc.domains.pack import find_pack
from ragsvc.embedding import find_card
from ragsvc.errors import InvalidInput
from ragsvc.evaluation.datasets import LabelledSet, Query, whole_document_pack
from ragsvc.evaluation.metrics import METRICS, bootstrap_interval, paired_interval
from ragsvc.evaluation.provenance import data_of_set, describe_encoder
from ragsvc.evaluation.report import write_report
from ragsvc.evaluation.results import QueryResult, gold_documents, judge, values_of, write_results
from ragsvc.pipelines.ingest import IngestReport, Source
from ragsvc.records import ARMS, Arm, LoadedDocument, SearchRequest
from ragsvc.settings import Settings, read_settings
from ragsvc.store import identity
from ragsvc.wiring import Service, open_service

COLLECTION = "evaluated"
DEPTH = 100
EXCERPT_CHARS = 160
ARM_SETS: dict[str, tuple[Arm, ...]] = {"lexical": ("lexical",), "dense": ("dense",), "hybrid": ARMS}
SINGLE_ARMS = ("lexical", "dense")

Run = dict[str, list[tuple[str, float]]]
"""Query id -> (document id, score), best first."""
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
        self.pack = whole_document_pack(find_pack(domain))
        self._ids: dict[str, str] = {}
        self._work_keys: dict[str, str] = {}
        self._excerpts: dict[str, str] = {}

    def ingest(self) -> IngestReport:
        """Put every document of the corpus in; what is there already costs nothing."""
        sources = []
        for document in self.labelled.documents():
            work_key = self.pack.name_keys(self.pack.chunker.describe(document))[0]
            self._ids[identity.document_id(COLLECTION, work_key, document.name)] = document.name
            self._work_keys[document.name] = work_key
            cut = "…" if len(document.text) > EXCERPT_CHARS else ""
            self._excerpts[document.name] = f"{document.title} {document.text[:EXCERPT_CHARS]}{cut}".strip()
            sources.append(_source(document))
        return self.service.ingest_sources(sources, COLLECTION, self.pack)

    def search(self, question: str, arms: tuple[Arm, ...], k: int = DEPTH) -> list[tuple[str, float]]:
        """Return ids of the set's documents with their scores, best first."""
        request = SearchRequest(question=question, collections=(COLLECTION,), k=k, arms=arms)
        result = self.service.search(request)
        return [(self._ids[passage.document_id], passage.score) for passage in result.passages]

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
    if unknown := set(options.arms) - set(ARM_SETS):
        raise InvalidInput(f"arms {sorted(unknown)} were asked for; there are {', '.join(ARM_SETS)}")
    labelled = LabelledSet(folder)
    queries = _choose(labelled, options)
    with open_home(options) as service:
        indexed = IndexedSet(labelled, service, options.domain)
        ingested = indexed.ingest()
        runs = {arm: _run_arm(indexed, queries, arm, options, on_progress) for arm in options.arms}
        name = service.settings.embedder
        encoder = describe_encoder(name, find_card(name), service.embedder)
    results = _judge(indexed, queries, {arm: run for arm, (run, _) in runs.items()}, options)
    figures = {arm: _measure(results, arm, latencies_ms, options.seed) for arm, (_, latencies_ms) in runs.items()}
    found = {
        "set": folder.resolve().name,
        "n_queries": len(queries),
        "n_documents": ingested.documents,
        "n_multi_turn": sum(bool(query.history) for query in queries) if options.history else 0,
        "split": options.split or "not train",
        "domain": options.domain,
        **figures.get("hybrid", figures[options.arms[-1]]),
        "index_s": ingested.seconds,
        "documents_per_s": round(ingested.documents / max(ingested.seconds, 1e-9), 1),
        "embedder": encoder["id"],
        "trained_on": data_of_set(folder.resolve().name, encoder["data"] or []),
        "encoder": encoder,
        "fusion": _fusion(results, options),
        "arms": figures,
    }
    if options.run_file:
        write_trec(options.run_file, runs[options.arms[-1]][0])
    if options.queries_file:
        write_results(options.queries_file, results)
    if options.report_file:
        write_report(options.report_file, found, results)
    return found


def _choose(labelled: LabelledSet, options: RetrievalOptions) -> list[Query]:
    queries = labelled.select(options.split)
    if options.limit and options.limit < len(queries):
        chosen = np.random.default_rng(options.seed).permutation(len(queries))[: options.limit]
        queries = [queries[i] for i in sorted(chosen)]
    if not queries:
        raise InvalidInput(f"{labelled.folder} has no judged query in split {options.split!r}")
    return queries


def _run_arm(
    indexed: IndexedSet, queries: list[Query], arm: str, options: RetrievalOptions, on_progress: Progress | None
) -> tuple[Run, NDArray[np.float64]]:
    run: Run = {}
    latencies_ms = np.empty(len(queries))
    for at, query in enumerate(queries):
        question = query.question(with_history=options.history)
        started = time.perf_counter()
        run[query.id] = indexed.search(question, ARM_SETS[arm])
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


def _measure(results: Sequence[QueryResult], arm: str, latencies_ms: NDArray[np.float64], seed: int) -> dict[str, Any]:
    low, high = bootstrap_interval(values_of(results, arm, "ndcg@10"), seed)
    p50, p95, p99 = np.quantile(latencies_ms, [0.5, 0.95, 0.99])
    return {
        **{name: round(float(values_of(results, arm, name).mean()), 4) for name in METRICS},
        "ci95": [round(low, 4), round(high, 4)],
        "latency_ms": {"p50": round(p50, 2), "p95": round(p95, 2), "p99": round(p99, 2)},
    }


def _fusion(results: Sequence[QueryResult], options: RetrievalOptions) -> dict[str, Any] | None:
    """Say by nDCG@10, with paired intervals, whether hybrid loses to the better single arm; None where it cannot be."""
    singles = {arm: values_of(results, arm, "ndcg@10") for arm in SINGLE_ARMS if arm in options.arms}
    if "hybrid" not in options.arms or not singles:
        return None
    hybrid = values_of(results, "hybrid", "ndcg@10")
    best = max(singles, key=lambda arm: float(singles[arm].mean()))
    found: dict[str, Any] = {"best_arm": best}
    for name, arm in [("best", best), *((arm, arm) for arm in singles)]:
        difference, low, high = paired_interval(hybrid, singles[arm], options.seed)
        found[f"hybrid_minus_{name}"] = round(difference, 4)
        found[f"hybrid_minus_{name}_ci95"] = [round(low, 4), round(high, 4)]
    return found


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
