"""Small sets and runs, made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ragsvc.evaluation.results import QueryResult, gold_documents, judge

WriteSet = Callable[..., Path]
MakeResult = Callable[..., QueryResult]

LEASE = {
    "deposit": ("Deposit", "The landlord returns the deposit within thirty days after the lease ends."),
    "entry": ("Entry", "The landlord gives 48 hours notice before entering the apartment."),
    "rent": ("Rent", "Rent is paid monthly in advance, on the first day of the month."),
    "pets": ("Pets", "Dogs and cats may be kept with written consent."),
}


@pytest.fixture
def write_set(tmp_path: Path) -> WriteSet:
    """Return a function that writes a set in BEIR layout and returns its folder."""

    def write(name: str, queries: Sequence[Mapping[str, Any]], judged: Mapping[str, Mapping[str, int]]) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        documents = [{"_id": key, "title": title, "text": text} for key, (title, text) in LEASE.items()]
        for file, rows in (("corpus", documents), ("queries", queries)):
            (folder / f"{file}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        lines = [f"{query}\t{doc}\t{score}\n" for query, docs in judged.items() for doc, score in docs.items()]
        (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines), "utf-8")
        return folder

    return write


@pytest.fixture
def result() -> MakeResult:
    """Return a function that makes of a query id, judgements and rankings by arm what an evaluation would."""

    def excerpt(document: str) -> str:
        return f"text of {document}"

    def make(query: str, relevance: Mapping[str, int], **rankings: Sequence[str]) -> QueryResult:
        arms = {
            arm: judge([(document, 1 / rank) for rank, document in enumerate(ranking, start=1)], relevance, excerpt)
            for arm, ranking in rankings.items()
        }
        gold = gold_documents(relevance, excerpt)
        return QueryResult(query=query, text=f"question {query}?", gold=gold, arms=arms)

    return make
