"""Evaluation of a real set, against another implementation of the metrics."""

from __future__ import annotations

from pathlib import Path

import ir_measures
import pytest

from ragsvc.evaluation.comparison import compare_files
from ragsvc.evaluation.retrieval import RetrievalOptions, evaluate_retrieval

MEASURES = {
    "ndcg@10": ir_measures.nDCG @ 10,
    "recall@10": ir_measures.R @ 10,
    "recall@100": ir_measures.R @ 100,
    "mrr@10": ir_measures.RR @ 10,
}


def test_figures_of_a_real_set_are_those_of_ir_measures(shared_data: Path, tmp_path: Path) -> None:
    """Over 80 questions on privacy policies, with several positives each: the means of the run file are the figures."""
    folder = shared_data / "retrieval" / "policyqa"
    run, queries = tmp_path / "run.trec", tmp_path / "queries.jsonl"
    options = RetrievalOptions(domain="law", limit=80, run_file=run, queries_file=queries)
    found = evaluate_retrieval(folder, options)
    hits = list(ir_measures.read_trec_run(str(run)))
    asked = {hit.query_id for hit in hits}
    lines = (folder / "qrels.tsv").read_text("utf-8").splitlines()[1:]
    judged = [ir_measures.Qrel(q, d, int(s)) for q, d, s in (line.split("\t") for line in lines) if q in asked]
    theirs = ir_measures.calc_aggregate(list(MEASURES.values()), judged, hits)
    assert found["n_queries"] == len(asked) == 80
    for name, measure in MEASURES.items():
        assert found[name] == pytest.approx(theirs[measure], abs=1e-4), name
    compared = compare_files(f"{queries}#{found['fusion']['best_arm']}", str(queries))
    assert compared.metrics["ndcg@10"].difference == found["fusion"]["hybrid_minus_best"]
    assert list(compared.metrics["ndcg@10"].ci95) == found["fusion"]["hybrid_minus_best_ci95"]
    assert found["trained_on"] == []
