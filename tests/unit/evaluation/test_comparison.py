from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ragsvc.errors import InvalidInput
from ragsvc.evaluation.comparison import compare_files
from ragsvc.evaluation.results import QueryResult, write_results

MakeResult = Callable[..., QueryResult]
GOLD = {"a": 1}


@pytest.fixture
def runs(tmp_path: Path, result: MakeResult) -> tuple[str, str]:
    """Return two files: the second wins q1, loses q2, ties q3; q4 and q5 are in one only."""
    before = [
        result("q1", GOLD, hybrid=["x", "a"], lexical=["a"]),
        result("q2", GOLD, hybrid=["a"], lexical=["a"]),
        result("q3", GOLD, hybrid=["a"], lexical=["x"]),
        result("q4", GOLD, hybrid=["a"], lexical=["a"]),
    ]
    after = [
        result("q3", GOLD, hybrid=["a", "y"]),
        result("q2", GOLD, hybrid=["x", "y", "z"]),
        result("q1", GOLD, hybrid=["a", "x"]),
        result("q5", GOLD, hybrid=["a"]),
    ]
    write_results(tmp_path / "before.jsonl", before)
    write_results(tmp_path / "after.jsonl", after)
    return str(tmp_path / "before.jsonl"), str(tmp_path / "after.jsonl")


def test_queries_are_paired_by_id(runs: tuple[str, str]) -> None:
    """Only shared queries count, whatever their order; a difference above zero is in favour of the second run."""
    found = compare_files(*runs, metric="mrr@10")
    assert (found.n_queries, found.first.left_out, found.second.left_out) == (3, 1, 1)
    mrr = found.metrics["mrr@10"]
    assert (mrr.first, mrr.second) == (round(2.5 / 3, 4), round(2 / 3, 4))
    assert mrr.difference == pytest.approx((0.5 - 1) / 3, abs=1e-4)
    assert (mrr.wins, mrr.losses, mrr.ties) == (1, 1, 1)
    assert mrr.ci95[0] <= mrr.difference <= mrr.ci95[1]


def test_the_worst_losses_stand_first_and_show_what_came_instead(runs: tuple[str, str]) -> None:
    """Each query has its text, its gold and the hits of both runs."""
    found = compare_files(*runs)
    assert [query.query for query in found.queries] == ["q2", "q3", "q1"]
    worst = found.queries[0]
    assert (worst.text, worst.difference, worst.first, worst.second) == ("question q2?", -1.0, 1.0, 0.0)
    assert [document.id for document in worst.gold] == ["a"]
    assert [hit.id for hit in worst.first_hits] == ["a"]
    assert [(hit.id, hit.excerpt) for hit in worst.second_hits[:1]] == [("x", "text of x")]


def test_two_arms_of_one_file(runs: tuple[str, str]) -> None:
    """``FILE#ARM`` names an arm; without it hybrid is meant."""
    found = compare_files(f"{runs[0]}#lexical", runs[0])
    assert (found.first.arm, found.second.arm, found.n_queries) == ("lexical", "hybrid", 4)
    assert (found.metrics["recall@10"].wins, found.metrics["recall@10"].losses) == (1, 0)


def test_what_cannot_be_compared_is_refused(runs: tuple[str, str], tmp_path: Path, result: MakeResult) -> None:
    """An arm or metric that is not there, runs without a common query, and runs of different judgements are named."""
    with pytest.raises(InvalidInput, match="has no arm 'dense' but hybrid, lexical"):
        compare_files(f"{runs[0]}#dense", runs[1])
    with pytest.raises(InvalidInput, match=r"metric 'map' .* ndcg@10, recall@10"):
        compare_files(*runs, metric="map")
    other = tmp_path / "other.jsonl"
    write_results(other, [result("other", GOLD, hybrid=["a"])])
    with pytest.raises(InvalidInput, match="no query in common"):
        compare_files(runs[0], str(other))
    write_results(other, [result("q1", {"b": 1}, hybrid=["a"])])
    with pytest.raises(InvalidInput, match="judge the query 'q1' differently"):
        compare_files(runs[0], str(other))
