"""What is reported of an evaluation: means with intervals, and whether fusing and reranking help. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragsvc.evaluation.metrics import METRICS, bootstrap_interval, paired_interval
from ragsvc.evaluation.results import QueryResult, values_of

SINGLE_ARMS = ("lexical", "dense")
HYBRID = "hybrid"
RERANKED = "reranked"
"""The arm that puts the first hits of hybrid into the reranker's order; run when a reranker is given."""


def measure_arm(
    results: Sequence[QueryResult], arm: str, latencies_ms: NDArray[np.float64], seed: int
) -> dict[str, Any]:
    """Return the mean of each metric, ``ci95`` of nDCG@10 and quantiles of ``latencies_ms``, shape (n_queries,)."""
    low, high = bootstrap_interval(values_of(results, arm, "ndcg@10"), seed)
    p50, p95, p99 = np.quantile(latencies_ms, [0.5, 0.95, 0.99])
    return {
        **{name: round(float(values_of(results, arm, name).mean()), 4) for name in METRICS},
        "ci95": [round(low, 4), round(high, 4)],
        "latency_ms": {"p50": round(p50, 2), "p95": round(p95, 2), "p99": round(p99, 2)},
    }


def compare_fusion(results: Sequence[QueryResult], arms: Sequence[str], seed: int) -> dict[str, Any] | None:
    """Say by nDCG@10, with paired intervals, whether hybrid loses to the better single arm; None where it cannot be."""
    singles = {arm: values_of(results, arm, "ndcg@10") for arm in SINGLE_ARMS if arm in arms}
    if HYBRID not in arms or not singles:
        return None
    best = max(singles, key=lambda arm: float(singles[arm].mean()))
    found: dict[str, Any] = {"best_arm": best}
    for name, arm in [("best", best), *((arm, arm) for arm in singles)]:
        difference, interval = _gain(results, HYBRID, arm, seed)
        found |= {f"hybrid_minus_{name}": difference, f"hybrid_minus_{name}_ci95": interval}
    return found


def compare_reranking(results: Sequence[QueryResult], arms: Sequence[str], seed: int) -> dict[str, Any]:
    """Say by nDCG@10, with a paired interval, what the reranker adds to hybrid; empty where hybrid was not run."""
    if HYBRID not in arms:
        return {}
    difference, interval = _gain(results, RERANKED, HYBRID, seed)
    return {"reranked_minus_hybrid": difference, "ci95": interval}


def _gain(results: Sequence[QueryResult], arm: str, other: str, seed: int) -> tuple[float, list[float]]:
    values, others = (values_of(results, name, "ndcg@10") for name in (arm, other))
    difference, low, high = paired_interval(values, others, seed)
    return round(difference, 4), [round(low, 4), round(high, 4)]
