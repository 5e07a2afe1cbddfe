"""The labelled set that every searcher of a run answers, and what is measured of its answers."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ragsvc.evaluation.datasets import LabelledSet, Query
from ragsvc.evaluation.metrics import ndcg_at, recall_at
from tests.bench.parts import Figures

SPLIT = "dev"
K = 10
WARM_UP = 5

Search = Callable[[str], Sequence[str]]
"""Question -> ids of at most K documents, best first."""


def questions(labelled: LabelledSet) -> list[Query]:
    """Return the questions of the run, in a fixed order."""
    return labelled.select(SPLIT)


def write_sample(full: Path, sample: Path, n_documents: int, n_queries: int) -> None:
    """Write a smaller set in BEIR layout: some questions, what answers them, and the first other documents."""
    labelled = LabelledSet(full)
    queries = questions(labelled)[:n_queries]
    relevant = {doc for query in queries for doc in labelled.relevance[query.id]}
    kept = others = 0
    source, target = full / "corpus.jsonl.gz", sample / "corpus.jsonl"
    with gzip.open(source, "rt", encoding="utf-8") as lines, target.open("w", encoding="utf-8") as corpus:
        for line in lines:
            is_relevant = json.loads(line)["_id"] in relevant
            if is_relevant or others < n_documents - len(relevant):
                corpus.write(line)
                kept += 1
                others += not is_relevant
    with (sample / "queries.jsonl").open("w", encoding="utf-8") as file:
        for query in queries:
            file.write(json.dumps({"_id": query.id, "text": query.text, "metadata": {"split": SPLIT}}) + "\n")
    with (sample / "qrels.tsv").open("w", encoding="utf-8") as file:
        file.write("query-id\tcorpus-id\tscore\n")
        for query in queries:
            file.writelines(f"{query.id}\t{doc}\t{n}\n" for doc, n in labelled.relevance[query.id].items())


def measure(search: Search, labelled: LabelledSet) -> Figures:
    """Ask every question once, after a few to warm up; return latencies in ms and mean quality.

    ``ndcg@10 per query`` is there for paired comparisons and is in the questions' order.
    """
    asked = questions(labelled)
    for query in asked[-WARM_UP:]:
        search(query.text)
    latencies_ms, gains, recalls = [], [], []
    for query in asked:
        started = time.perf_counter()
        ranking = search(query.text)
        latencies_ms.append((time.perf_counter() - started) * 1000)
        relevance = labelled.relevance[query.id]
        gains.append(ndcg_at(K, ranking, relevance))
        recalls.append(recall_at(K, ranking, relevance))
    return {
        "n_queries": len(asked),
        **percentiles(latencies_ms),
        "ndcg@10": round(float(np.mean(gains)), 4),
        "recall@10": round(float(np.mean(recalls)), 4),
        "ndcg@10 per query": gains,
    }


def percentiles(latencies_ms: Sequence[float]) -> Figures:
    """Return p50, p95 and p99 in ms."""
    p50, p95, p99 = np.quantile(latencies_ms, [0.5, 0.95, 0.99])
    return {"p50_ms": round(p50, 2), "p95_ms": round(p95, 2), "p99_ms": round(p99, 2)}
