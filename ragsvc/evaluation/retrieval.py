"""Runs a labelled set through the real ingest and search code and measures each arm."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ragsvc.domains.pack import find_pack
from ragsvc.errors import InvalidInput
from ragsvc.evaluation.datasets import LabelledSet, Query, whole_document_pack
from ragsvc.evaluation.metrics import bootstrap_interval, mrr_at, ndcg_at, recall_at
from ragsvc.pipelines.ingest import IngestReport, Source
from ragsvc.records import ARMS, Arm, LoadedDocument, SearchRequest
from ragsvc.settings import Settings, read_settings
from ragsvc.store import identity
from ragsvc.wiring import Service, open_service

COLLECTION = "evaluated"
DEPTH = 100
ARM_SETS: dict[str, tuple[Arm, ...]] = {"lexical": ("lexical",), "dense": ("dense",), "hybrid": ARMS}

Run = dict[str, list[tuple[str, float]]]
"""Query id -> (document id, score), best first."""
METRICS: dict[str, Callable[[Sequence[str], Mapping[str, int]], float]] = {
    "ndcg@10": lambda ranking, relevance: ndcg_at(10, ranking, relevance),
    "recall@10": lambda ranking, relevance: recall_at(10, ranking, relevance),
    "recall@100": lambda ranking, relevance: recall_at(100, ranking, relevance),
    "mrr@10": lambda ranking, relevance: mrr_at(10, ranking, relevance),
}


class RetrievalOptions(Struct, frozen=True, kw_only=True):
    """What to evaluate. ``home`` keeps the index for the next run; without it a throw-away folder is used."""

    split: str | None = None
    arms: tuple[str, ...] = ("lexical", "dense", "hybrid")
    domain: str = "general"
    embedder: str | None = None
    limit: int | None = None
    seed: int = 0
    home: Path | None = None
    run_file: Path | None = None


class IndexedSet:
    """A labelled set that is searchable: each document is one unit."""

    def __init__(self, labelled: LabelledSet, service: Service, domain: str) -> None:
        self.labelled = labelled
        self.service = service
        self.pack = whole_document_pack(find_pack(domain))
        self._ids: dict[str, str] = {}
        self._work_keys: dict[str, str] = {}

    def ingest(self) -> IngestReport:
        """Put every document of the corpus in; what is there already costs nothing."""
        sources = []
        for document in self.labelled.documents():
            work_key = self.pack.name_keys(self.pack.chunker.describe(document))[0]
            self._ids[identity.document_id(COLLECTION, work_key, document.name)] = document.name
            self._work_keys[document.name] = work_key
            sources.append(_source(document))
        return self.service.ingest_sources(sources, COLLECTION, self.pack)

    def search(self, question: str, arms: tuple[Arm, ...], k: int = DEPTH) -> list[tuple[str, float]]:
        """Return ids of the set's documents with their scores, best first."""
        request = SearchRequest(question=question, collections=(COLLECTION,), k=k, arms=arms)
        result = self.service.search(request)
        return [(self._ids[passage.document_id], passage.score) for passage in result.passages]

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


def evaluate_retrieval(
    folder: Path, options: RetrievalOptions, on_progress: Callable[[str, int, int], None] | None = None
) -> dict[str, Any]:
    """Evaluate search on the set in ``folder``; top-level figures are those of hybrid (or the last arm asked for).

    Raises:
        InvalidInput: the folder is not in BEIR layout, or no query is left.
    """
    if unknown := set(options.arms) - set(ARM_SETS):
        raise InvalidInput(f"arms {sorted(unknown)} were asked for; there are {', '.join(ARM_SETS)}")
    labelled = LabelledSet(folder)
    queries = labelled.select(options.split)
    if options.limit and options.limit < len(queries):
        chosen = np.random.default_rng(options.seed).permutation(len(queries))[: options.limit]
        queries = [queries[i] for i in sorted(chosen)]
    if not queries:
        raise InvalidInput(f"{folder} has no judged query in split {options.split!r}")
    with open_home(options) as service:
        indexed = IndexedSet(labelled, service, options.domain)
        report = indexed.ingest()
        figures: dict[str, Any] = {}
        for arm in options.arms:
            run, latencies_ms = _run_arm(indexed, queries, arm, on_progress)
            figures[arm] = _measure(run, labelled, latencies_ms, options.seed)
        if options.run_file:
            _write_trec(options.run_file, run)
        embedder = service.embedder.embedder_id
        trained_on = service.trained_on()
    top = figures.get("hybrid", figures[options.arms[-1]])
    return {
        "n_queries": len(queries),
        "n_documents": report.documents,
        "split": options.split or "not train",
        **top,
        "index_s": report.seconds,
        "documents_per_s": round(report.documents / max(report.seconds, 1e-9), 1),
        "embedder": embedder,
        "trained_on": trained_on,
        "arms": figures,
    }


def _run_arm(
    indexed: IndexedSet, queries: list[Query], arm: str, on_progress: Callable[[str, int, int], None] | None
) -> tuple[Run, NDArray[np.float64]]:
    run: Run = {}
    latencies_ms = np.empty(len(queries))
    for at, query in enumerate(queries):
        started = time.perf_counter()
        run[query.id] = indexed.search(query.text, ARM_SETS[arm])
        latencies_ms[at] = (time.perf_counter() - started) * 1000
        if on_progress:
            on_progress(arm, at + 1, len(queries))
    return run, latencies_ms


def per_query(run: Run, relevance: Mapping[str, Mapping[str, int]], metric: str) -> NDArray[np.float64]:
    """Return one value a query, in the run's order: what paired comparisons are made of."""
    score = METRICS[metric]
    return np.array([score([doc for doc, _ in hits], relevance[query]) for query, hits in run.items()])


def _measure(run: Run, labelled: LabelledSet, latencies_ms: NDArray[np.float64], seed: int) -> dict[str, Any]:
    values = {name: per_query(run, labelled.relevance, name) for name in METRICS}
    low, high = bootstrap_interval(values["ndcg@10"], seed)
    p50, p95, p99 = np.quantile(latencies_ms, [0.5, 0.95, 0.99])
    return {
        **{name: round(float(value.mean()), 4) for name, value in values.items()},
        "ci95": [round(low, 4), round(high, 4)],
        "latency_ms": {"p50": round(p50, 2), "p95": round(p95, 2), "p99": round(p99, 2)},
    }


def _write_trec(path: Path, run: Run) -> None:
    with path.open("w", encoding="utf-8") as file:
        for query, hits in run.items():
            for rank, (document, score) in enumerate(hits, start=1):
                file.write(f"{query} Q0 {document} {rank} {score:.6f} ragsvc\n")
