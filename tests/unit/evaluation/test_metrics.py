"""The metrics agree with an independent implementation, and intervals behave."""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.evaluation.metrics import bootstrap_interval, mrr_at, ndcg_at, paired_interval, recall_at

DOCS = [f"d{i}" for i in range(12)]


@given(
    ranking=st.lists(st.sampled_from(DOCS), unique=True, min_size=1),
    relevance=st.dictionaries(st.sampled_from(DOCS), st.integers(0, 3), min_size=1),
)
def test_metrics_agree_with_ir_measures(ranking: list[str], relevance: dict[str, int]) -> None:
    """nDCG@10, R@10 and RR@10 equal those of another implementation on any ranking."""
    relevance.setdefault("d0", 1)
    if not any(relevance.values()):
        relevance["d0"] = 1
    run = [ir_measures.ScoredDoc("q", doc, float(-rank)) for rank, doc in enumerate(ranking)]
    qrels = [ir_measures.Qrel("q", doc, score) for doc, score in relevance.items()]
    theirs = ir_measures.calc_aggregate([ir_measures.nDCG @ 10, ir_measures.R @ 10, ir_measures.RR @ 10], qrels, run)
    assert theirs[ir_measures.nDCG @ 10] == pytest.approx(ndcg_at(10, ranking, relevance), abs=1e-6)
    assert theirs[ir_measures.R @ 10] == pytest.approx(recall_at(10, ranking, relevance), abs=1e-6)
    assert theirs[ir_measures.RR @ 10] == pytest.approx(mrr_at(10, ranking, relevance), abs=1e-6)


def test_intervals_hold_the_mean_and_are_seeded() -> None:
    """The interval surrounds the mean, is the same for the same seed, and a constant gain excludes zero."""
    values = np.random.default_rng(1).random(200)
    low, high = bootstrap_interval(values)
    assert low < values.mean() < high
    assert (low, high) == bootstrap_interval(values)
    mean, low, high = paired_interval(values + 0.1, values)
    assert (mean, low, high) == pytest.approx((0.1, 0.1, 0.1))
