"""``evaluate retrieval`` on a set of three documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, run

DOCUMENTS = {
    "a": ("Deposit", "The landlord returns the deposit within thirty days."),
    "b": ("Notice", "The landlord gives 48 hours notice before entry."),
    "c": ("Rent", "Rent is paid monthly in advance."),
}
QUERIES = [("q1", "when is the deposit returned", "dev", "a"), ("q2", "notice before entry", "dev", "b")]
TRAINING = [("q3", "is rent monthly", "train", "c")]


@pytest.fixture
def labelled_set(tmp_path: Path) -> Path:
    """A set in BEIR layout."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    queries = QUERIES + TRAINING
    documents = [{"_id": name, "title": title, "text": text} for name, (title, text) in DOCUMENTS.items()]
    questions = [{"_id": name, "text": text, "metadata": {"split": split}} for name, text, split, _ in queries]
    for name, rows in (("corpus", documents), ("queries", questions)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    judged = "".join(f"{name}\t{document}\t1\n" for name, _, _, document in queries)
    (folder / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", "utf-8")
    return folder


def test_figures(labelled_set: Path, tmp_path: Path) -> None:
    """The figures have fixed names, leave training questions out, and touch no home of the user's."""
    ended = run("evaluate", "retrieval", labelled_set, "--run", tmp_path / "run.trec", "--json")
    assert ended.code == 0, ended.stderr
    found = ended.json
    names = {"n_queries", "n_documents", "split", "ndcg@10", "recall@10", "recall@100", "mrr@10", "ci95", "latency_ms"}
    names |= {"index_s", "documents_per_s", "embedder", "trained_on", "arms"}
    assert names | {"set", "domain", "n_multi_turn", "encoder", "fusion", "reranking"} == set(found)
    assert (found["n_queries"], found["n_documents"]) == (2, 3)
    assert set(found["latency_ms"]) == {"p50", "p95", "p99"}
    assert list(found["arms"]) == ["lexical", "dense", "hybrid"]
    assert found["ndcg@10"] == found["arms"]["hybrid"]["ndcg@10"] == 1.0
    assert not (tmp_path / "indexes").exists()
    first = (tmp_path / "run.trec").read_text("utf-8").splitlines()[0].split()
    assert first[:4] == ["q1", "Q0", "a", "1"]


def test_table(labelled_set: Path) -> None:
    """For people, a row for each arm asked for."""
    ended = run("evaluate", "retrieval", labelled_set, "--arms", "lexical", "--split", "train")
    assert ended.code == 0
    assert "1 queries, 3 documents" in ended.stderr
    assert "lexical" in ended.stdout
    assert "dense" not in ended.stdout


def test_compare(labelled_set: Path, tmp_path: Path) -> None:
    """Two arms of one run are compared query by query, as JSON and for people; the page is written beside."""
    queries, page = tmp_path / "queries.jsonl", tmp_path / "report.html"
    ended = run("evaluate", "retrieval", labelled_set, "--queries", queries, "--report", page, "--split", "train")
    assert ended.code == 0, ended.stderr
    assert "hybrid - " in ended.stderr
    assert "<svg" in page.read_text("utf-8")
    ended = run("evaluate", "compare", f"{queries}#lexical", queries, "--json")
    assert ended.code == 0, ended.stderr
    assert ended.json["n_queries"] == 1
    assert ended.json["metrics"]["ndcg@10"]["ties"] == 1
    assert ended.json["queries"][0]["text"] == "is rent monthly"


def test_compare_for_people(labelled_set: Path, tmp_path: Path) -> None:
    """What was won and lost is shown with the question, its gold and what came instead."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    assert run("evaluate", "retrieval", labelled_set, "--queries", first, "--arms", "hybrid").code == 0
    lines = first.read_text("utf-8").replace('"ndcg@10":1.0', '"ndcg@10":0.5', 1)
    second.write_text(lines, "utf-8")
    ended = run("evaluate", "compare", first, second)
    assert ended.code == 0, ended.stderr
    assert "2 queries in both" in ended.stderr
    assert "Worst losses by ndcg@10" in ended.stdout
    assert "-0.5000  q1  when is the deposit returned" in ended.stdout
    assert "gold * a  Deposit The landlord returns" in ended.stdout
    assert "Best wins" not in ended.stdout
    missing = run("evaluate", "compare", first, tmp_path / "nowhere.jsonl")
    assert (missing.code, "nowhere.jsonl" in missing.stderr) == (2, True)


def test_abstention(labelled_set: Path, tmp_path: Path) -> None:
    """Thresholds are fitted by half of the questions, told with their promise, written, and kept with a collection."""
    things = ("deposit", "notice before entry", "monthly rent", "landlord")
    asked = [
        f"{words} {thing}"
        for words in ("when is the", "what about", "who pays", "tell me of", "why the")
        for thing in things
    ]
    elsewhere = [
        f"how do I {verb} {dish}"
        for verb in ("boil", "fry", "bake", "roast", "salt")
        for dish in ("beef", "eggs", "rice", "fish")
    ]
    for name, texts in (("asked", asked), ("elsewhere", elsewhere)):
        lines = (json.dumps({"_id": f"{name}-{n}", "text": text}) + "\n" for n, text in enumerate(texts))
        (tmp_path / f"{name}.jsonl").write_text("".join(lines), "utf-8")
    home, texts_file = tmp_path / "home", tmp_path / "lease.md"
    texts_file.write_text("\n\n".join(f"## {title}\n\n{text}" for title, text in DOCUMENTS.values()), "utf-8")
    assert run("--home", home, "ingest", texts_file, "-c", "lease").code == 0
    own, page = tmp_path / "own.toml", tmp_path / "page.html"
    words = (
        "evaluate",
        "abstention",
        tmp_path / "asked.jsonl",
        "--outside",
        tmp_path / "elsewhere.jsonl",
        "-c",
        "lease",
    )
    ended = run("--home", home, *words, "--write", own, "--report", page)
    assert ended.code == 0, ended.stderr
    assert "with 95% confidence at most" in ended.stderr
    assert "<svg" in page.read_text("utf-8")
    assert run("--home", home, "collections", "set", "lease", "--abstention", own).code == 0
    assert run("--home", home, "collections", "show", "lease").json["abstention"] == own.read_text("utf-8")
    wrong = run("--home", home, "collections", "set", "lease", "--abstention", page)
    assert (wrong.code, "abstention.toml" in wrong.stderr) == (2, True)


def test_not_a_set(new_cli: Cli, tmp_path: Path) -> None:
    """A folder in another layout is exit code 2, and the message says what the layout is."""
    (tmp_path / "other").mkdir()
    ended = new_cli("evaluate", "retrieval", tmp_path / "other")
    assert ended.code == 2
    assert "BEIR layout" in ended.stderr
