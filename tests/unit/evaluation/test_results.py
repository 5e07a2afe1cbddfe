from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ragsvc.errors import InvalidInput
from ragsvc.evaluation.results import QueryResult, read_results, values_of, write_results

MakeResult = Callable[..., QueryResult]


def test_a_query_says_where_its_answers_stood(result: MakeResult) -> None:
    """Ranks count from 1, unjudged documents have relevance 0, and an arm that found nothing has no first positive."""
    found = result("q", {"a": 2, "b": 1, "x": 0}, hybrid=["x", "b", "y", "a"], lexical=["y"])
    hybrid = found.arms["hybrid"]
    assert (hybrid.first_positive, hybrid.positive_ranks) == (2, (2, 4))
    assert [(hit.id, hit.relevance) for hit in hybrid.hits] == [("x", 0), ("b", 1), ("y", 0), ("a", 2)]
    assert [(document.id, document.relevance) for document in found.gold] == [("a", 2), ("b", 1)]
    assert (found.arms["lexical"].first_positive, found.arms["lexical"].metrics["recall@100"]) == (None, 0.0)


def test_only_the_first_hits_are_kept_but_all_are_measured(result: MakeResult) -> None:
    """A positive at rank 40 counts for recall@100 although it is not among the hits that are shown."""
    found = result("q", {"d39": 1}, hybrid=[f"d{i}" for i in range(60)]).arms["hybrid"]
    assert len(found.hits) == 10
    assert (found.first_positive, found.metrics["recall@100"], found.metrics["recall@10"]) == (40, 1.0, 0.0)


def test_a_file_gives_back_what_was_written(tmp_path: Path, result: MakeResult) -> None:
    """One JSON object a line, with query id, metrics, rank of the first positive and ids of the hits."""
    results = [result("q1", {"a": 1}, hybrid=["a"]), result("q2", {"b": 1}, hybrid=["a", "b"])]
    path = tmp_path / "run.jsonl"
    write_results(path, results)
    assert read_results(path) == results
    line = json.loads(path.read_text("utf-8").splitlines()[1])
    assert line["query"] == "q2"
    assert line["arms"]["hybrid"]["first_positive"] == 2
    assert [hit["id"] for hit in line["arms"]["hybrid"]["hits"]] == ["a", "b"]
    assert values_of(results, "hybrid", "mrr@10").tolist() == [1.0, 0.5]


@pytest.mark.parametrize("content", [None, "", '{"query": 1}\n', "not JSON\n"])
def test_another_file_is_refused(tmp_path: Path, content: str | None) -> None:
    """A file that is missing, empty or of another form is named, with the command that writes the right one."""
    path = tmp_path / "run.jsonl"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(InvalidInput, match=r"run\.jsonl.*--queries"):
        read_results(path)
