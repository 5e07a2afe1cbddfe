"""The metrics agree with an independent implementation, and intervals behave."""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap

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


def test_intervals_agree_with_scipy() -> None:
    """The percentile bootstrap of a mean is that of another implementation, but for chance."""
    values = np.random.default_rng(3).beta(0.4, 0.6, 300)
    theirs = bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(4)).confidence_interval
    assert bootstrap_interval(values) == pytest.approx((theirs.low, theirs.high), abs=0.005)


def test_paired_intervals_hold_the_true_gain_as_often_as_they_say() -> None:
    """Of 200 samples with a known gain, about 95 % have an interval that holds it."""
    rng = np.random.default_rng(5)
    held = 0
    for sample in range(200):
        before = rng.random(100)
        after = before + rng.normal(0.05, 0.2, 100)
        mean, low, high = paired_interval(after, before, seed=sample)
        assert low <= mean <= high
        held += low <= 0.05 <= high
    assert 180 <= held <= 199


def test_intervals_hold_the_mean_and_are_seeded() -> None:
    """The interval surrounds the mean, is the same for the same seed, and a constant gain excludes zero."""
    values = np.random.default_rng(1).random(200)
    low, high = bootstrap_interval(values)
    assert low < values.mean() < high
    assert (low, high) == bootstrap_interval(values)
    mean, low, high = paired_interval(values + 0.1, values)
    assert (mean, low, high) == pytest.approx((0.1, 0.1, 0.1))
