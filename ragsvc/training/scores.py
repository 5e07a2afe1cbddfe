"""Measures what was trained on the labelled sets that its config names."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from ragsvc.evaluation.datasets import LabelledSet, Query
from ragsvc.evaluation.metrics import ndcg_at, recall_at
from ragsvc.evaluation.retrieval import DEPTH, IndexedSet, RetrievalOptions, evaluate_retrieval, open_home
from ragsvc.records import ARMS
from ragsvc.retrieval.reranking import CrossEncoderReranker
from ragsvc.training.config import Evaluated

RERANKED = 30
"""Passages that a reranker puts into a new order."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One arm on one set."""

    set: str
    arm: str
    queries: int
    ndcg_at_10: float
    recall_at_100: float
    median_ms: float
    """Time of one question, milliseconds."""


def measure_encoder(encoder: Path, sets: Sequence[Evaluated], root: Path) -> tuple[Score, ...]:
    """Return the scores of keywords, encoder and both on each set."""
    scores = []
    for labelled in sets:
        options = RetrievalOptions(
            split=labelled.split, domain=labelled.domain, embedder=str(encoder.absolute()), limit=labelled.limit
        )
        found = evaluate_retrieval(root / labelled.path, options)
        scores += [
            Score(
                set=Path(labelled.path).name,
                arm=arm,
                queries=found["n_queries"],
                ndcg_at_10=figures["ndcg@10"],
                recall_at_100=figures["recall@100"],
                median_ms=figures["latency_ms"]["p50"],
            )
            for arm, figures in found["arms"].items()
        ]
    return tuple(scores)


def measure_reranker(folder: Path, sets: Sequence[Evaluated], root: Path) -> tuple[Score, ...]:
    """Return the scores of the default search on each set, and of its first hits reranked."""
    reranker = CrossEncoderReranker(str(folder))
    scores: list[Score] = []
    for asked in sets:
        labelled = LabelledSet(root / asked.path)
        texts = {document.name: f"{document.title}\n{document.text}".strip() for document in labelled.documents()}
        queries = labelled.select(asked.split)[: asked.limit]
        plain: dict[str, list[str]] = {}
        reranked: dict[str, list[str]] = {}
        plain_ms, all_ms = [], []
        with open_home(RetrievalOptions()) as service:
            index = IndexedSet(labelled, service, asked.domain)
            index.ingest()
            for query in queries:
                started = time.perf_counter()
                hits = [document for document, _ in index.search(query.text, ARMS, DEPTH)]
                plain_ms.append(time.perf_counter() - started)
                order = np.argsort(-reranker.score(query.text, [texts[hit] for hit in hits[:RERANKED]]), kind="stable")
                all_ms.append(time.perf_counter() - started)
                plain[query.id] = hits
                reranked[query.id] = [hits[at] for at in order] + hits[RERANKED:]
        for arm, run, seconds in (("hybrid", plain, plain_ms), (f"first {RERANKED} reranked", reranked, all_ms)):
            scores.append(_score(Path(asked.path).name, arm, run, (labelled, queries), seconds))
    return tuple(scores)


def _score(
    name: str,
    arm: str,
    run: dict[str, list[str]],
    judged: tuple[LabelledSet, Sequence[Query]],
    seconds: Iterable[float],
) -> Score:
    labelled, queries = judged
    return Score(
        set=name,
        arm=arm,
        queries=len(queries),
        ndcg_at_10=float(np.mean([ndcg_at(10, run[q.id], labelled.relevance[q.id]) for q in queries])),
        recall_at_100=float(np.mean([recall_at(100, run[q.id], labelled.relevance[q.id]) for q in queries])),
        median_ms=float(np.median(list(seconds)) * 1000),
    )
