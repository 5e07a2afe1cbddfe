"""Hybrid search in process. Arguments: folder of the labelled set, home to fill, requests for each throughput."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

from ragsvc.evaluation.datasets import LabelledSet
from ragsvc.evaluation.retrieval import IndexedSet
from ragsvc.records import ARMS
from ragsvc.settings import read_settings
from ragsvc.wiring import open_service
from tests.bench.parts import Figures, finish
from tests.bench.questions import K, Search, measure, questions

THREADS = (1, 2)


def measure_search(folder: Path, home: Path, n_requests: int) -> Figures:
    """Index the set into ``home``, ask its questions one by one, then many from several threads."""
    labelled = LabelledSet(folder)
    service = open_service(read_settings(home=home))
    service.embedder.embed_passages(["预热"])
    indexed = IndexedSet(labelled, service, "law")
    started = time.perf_counter()
    report = indexed.ingest()
    index_s = time.perf_counter() - started

    def search(question: str) -> list[str]:
        return [document for document, _ in indexed.search(question, ARMS, K)]

    figures = measure(search, labelled)
    for threads in THREADS:
        figures[f"queries_per_s_{threads}_threads"] = _throughput(search, labelled, threads, n_requests)
    embedder = service.embedder.embedder_id
    trained_on = service.trained_on()
    service.close()
    return {
        "n_documents": report.documents,
        "index_s": round(index_s, 2),
        "embedder": embedder,
        "trained_on": trained_on,
        **figures,
    }


def _throughput(search: Search, labelled: LabelledSet, threads: int, n_requests: int) -> float:
    texts = list(islice(cycle([query.text for query in questions(labelled)]), n_requests))
    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        list(pool.map(search, texts))
        return round(n_requests / (time.perf_counter() - started), 1)


if __name__ == "__main__":
    finish(measure_search(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
