"""Ranking metrics of one query, and what can be said of their mean. Pure functions.

Definitions as in trec_eval: nDCG with linear gain and log2 discount, recall over all relevant documents.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

BOOTSTRAP_SAMPLES = 2000
_BATCH = 100
Metric = Callable[[Sequence[str], Mapping[str, int]], float]
"""Ranking of document ids, best first, and relevance of each judged document -> value of one query."""


def ndcg_at(k: int, ranking: Sequence[str], relevance: Mapping[str, int]) -> float:
    """Return the normalised discounted cumulative gain of the first k documents, in [0, 1]."""
    gain = sum(relevance.get(doc, 0) / math.log2(rank + 2) for rank, doc in enumerate(ranking[:k]))
    best = sorted((score for score in relevance.values() if score > 0), reverse=True)[:k]
    ideal = sum(score / math.log2(rank + 2) for rank, score in enumerate(best))
    return gain / ideal if ideal else 0.0


def recall_at(k: int, ranking: Sequence[str], relevance: Mapping[str, int]) -> float:
    """Return the share of the relevant documents that stand in the first k, in [0, 1]."""
    relevant = {doc for doc, score in relevance.items() if score > 0}
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0


def mrr_at(k: int, ranking: Sequence[str], relevance: Mapping[str, int]) -> float:
    """Return one over the rank of the first relevant document within k, or 0."""
    return next((1 / rank for rank, doc in enumerate(ranking[:k], start=1) if relevance.get(doc, 0) > 0), 0.0)


METRICS: dict[str, Metric] = {
    "ndcg@10": lambda ranking, relevance: ndcg_at(10, ranking, relevance),
    "recall@10": lambda ranking, relevance: recall_at(10, ranking, relevance),
    "recall@100": lambda ranking, relevance: recall_at(100, ranking, relevance),
    "mrr@10": lambda ranking, relevance: mrr_at(10, ranking, relevance),
}


def bootstrap_interval(values: NDArray[np.float64], seed: int = 0, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean of ``values`` of shape (n_queries,)."""
    if not len(values):
        return 0.0, 0.0
    rng = np.random.default_rng(seed)
    batches = [_BATCH] * (BOOTSTRAP_SAMPLES // _BATCH)  # bounds the memory, not the result
    means = np.concatenate([rng.choice(values, (batch, len(values))).mean(axis=1) for batch in batches])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_interval(a: NDArray[np.float64], b: NDArray[np.float64], seed: int = 0) -> tuple[float, float, float]:
    """Return mean and 95 % bootstrap interval of ``a - b``, query by query; both of shape (n_queries,), same order."""
    difference = a - b
    return float(difference.mean()), *bootstrap_interval(difference, seed)
