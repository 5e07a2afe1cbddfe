"""Evaluation of sets of four documents, through real ingest and search."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import ir_measures
import numpy as np
import pytest

from ragsvc.embedding import shipped_embedders
from ragsvc.errors import InvalidInput
from ragsvc.evaluation.datasets import Query
from ragsvc.evaluation.metrics import paired_interval
from ragsvc.evaluation.results import read_results, values_of
from ragsvc.evaluation.retrieval import RetrievalOptions, evaluate_retrieval, write_trec
from ragsvc.protocols import FloatArray

WriteSet = Callable[..., Path]

QUERIES = [
    {"_id": "q1", "text": "when is my deposit returned"},
    {"_id": "q2", "text": "may I keep a dog"},
    {"_id": "q3", "text": "notice before the landlord enters the apartment"},
    {"_id": "q4", "text": "rent"},
    {"_id": "q5", "text": "deposit", "metadata": {"split": "train"}},
]
JUDGED = {"q1": {"deposit": 2, "rent": 1}, "q2": {"pets": 1}, "q3": {"entry": 1}, "q4": {"pets": 1}, "q5": {"rent": 1}}
TALK = [
    {
        "_id": "t1",
        "text": "how long before",
        "metadata": {"history": ["the landlord wants to enter", "must he say so"]},
    },
    {"_id": "t2", "text": "and when", "metadata": {"history": ["do I get the deposit back"]}},
    {"_id": "t3", "text": "are cats allowed", "metadata": {"history": []}},
]
TALK_JUDGED = {"t1": {"entry": 1}, "t2": {"deposit": 1}, "t3": {"pets": 1}}


def test_figures_are_those_of_another_implementation(write_set: WriteSet, tmp_path: Path) -> None:
    """The means of the TREC run by ir-measures (pytrec_eval) equal the figures of that arm."""
    folder = write_set("lease", QUERIES, JUDGED)
    run = tmp_path / "run.trec"
    found = evaluate_retrieval(folder, RetrievalOptions(run_file=run, arms=("lexical",)))
    qrels = [ir_measures.Qrel(q, d, s) for q, judged in JUDGED.items() if q != "q5" for d, s in judged.items()]
    measures = {
        "ndcg@10": ir_measures.nDCG @ 10,
        "recall@10": ir_measures.R @ 10,
        "recall@100": ir_measures.R @ 100,
        "mrr@10": ir_measures.RR @ 10,
    }
    theirs = ir_measures.calc_aggregate(list(measures.values()), qrels, list(ir_measures.read_trec_run(str(run))))
    assert found["n_queries"] == 4
    for name, measure in measures.items():
        assert found[name] == pytest.approx(theirs[measure], abs=1e-4), name
    assert 0 < found["ndcg@10"] < 1


def test_equal_scores_keep_their_order_in_the_run(tmp_path: Path) -> None:
    """Evaluators sort a TREC run by score: hits of one score, as addresses have, must not change places there."""
    path = tmp_path / "run.trec"
    hits = [(f"d{number}", 1.0) for number in (3, 1, 2, 5, 4)] + [("d9", 0.25), ("d8", 0.25)]
    write_trec(path, {"q": hits})
    read = sorted(ir_measures.read_trec_run(str(path)), key=lambda hit: -hit.score)
    assert [hit.doc_id for hit in read] == [document for document, _ in hits]
    assert len({hit.score for hit in read}) == len(hits)


def test_fusion_is_measured_against_the_single_arms(write_set: WriteSet, tmp_path: Path) -> None:
    """``fusion`` names the better single arm and the paired difference to it, as the results query by query give it."""
    folder = write_set("lease", QUERIES, JUDGED)
    file = tmp_path / "queries.jsonl"
    found = evaluate_retrieval(folder, RetrievalOptions(queries_file=file))
    figures = found["arms"]
    best = max(("lexical", "dense"), key=lambda arm: figures[arm]["ndcg@10"])
    fusion = found["fusion"]
    assert fusion["best_arm"] == best
    assert fusion["hybrid_minus_best"] == pytest.approx(
        figures["hybrid"]["ndcg@10"] - figures[best]["ndcg@10"], abs=2e-4
    )
    results = read_results(file)
    assert [result.query for result in results] == ["q1", "q2", "q3", "q4"]
    mean, low, high = paired_interval(values_of(results, "hybrid", "ndcg@10"), values_of(results, "dense", "ndcg@10"))
    assert fusion["hybrid_minus_dense"] == pytest.approx(mean, abs=1e-4)
    assert fusion["hybrid_minus_dense_ci95"] == pytest.approx([low, high], abs=1e-4)
    assert "hybrid_minus_lexical_ci95" in fusion


def test_one_arm_has_nothing_to_fuse(write_set: WriteSet) -> None:
    """Without hybrid or without a single arm ``fusion`` is null."""
    folder = write_set("lease", QUERIES, JUDGED)
    assert evaluate_retrieval(folder, RetrievalOptions(arms=("lexical",)))["fusion"] is None
    assert evaluate_retrieval(folder, RetrievalOptions(arms=("hybrid",)))["fusion"] is None


class CountsWords:
    """A reranker that likes passages with one word, whatever the question."""

    reranker_id = "counts-words"

    def __init__(self, word: str) -> None:
        self.word = word
        self.read: list[list[str]] = []

    def score(self, question: str, passages: Sequence[str]) -> FloatArray:
        self.read.append(list(passages))
        return np.array([passage.count(self.word) for passage in passages], np.float32)


def test_a_reranker_is_an_arm_of_its_own(write_set: WriteSet, tmp_path: Path) -> None:
    """It reads title and text of the first hits and decides their order; the rest follows as search found it."""
    folder = write_set("lease", QUERIES, {"q3": {"pets": 1}})
    queries, reranker = tmp_path / "queries.jsonl", CountsWords("consent")
    options = RetrievalOptions(reranker=reranker, rerank_first=4, queries_file=queries, report_file=tmp_path / "r.html")
    found = evaluate_retrieval(folder, options)
    assert list(found["arms"]) == ["lexical", "dense", "hybrid", "reranked"]
    arms = read_results(queries)[0].arms
    assert arms["reranked"].hits[0].id == "pets"
    others = [hit.id for hit in arms["hybrid"].hits if hit.id != "pets"]
    assert [hit.id for hit in arms["reranked"].hits[1:]] == others
    assert "Pets\nDogs and cats may be kept with written consent." in reranker.read[0]
    gain = found["arms"]["reranked"]["ndcg@10"] - found["ndcg@10"]
    assert found["reranking"]["reranked_minus_hybrid"] == pytest.approx(gain, abs=2e-4)
    assert found["reranking"]["reranker"] == "counts-words"
    assert found["ndcg@10"] == found["arms"]["hybrid"]["ndcg@10"]
    assert "reranked − hybrid" in (tmp_path / "r.html").read_text("utf-8")


def test_a_reranker_reads_the_first_hits_only(write_set: WriteSet, tmp_path: Path) -> None:
    """Hits beyond ``rerank_first`` stay below, in their order and with lower scores, however well they would score."""
    folder = write_set("lease", QUERIES, {"q3": {"pets": 1}})
    queries, reranker = tmp_path / "queries.jsonl", CountsWords("rent")
    evaluate_retrieval(folder, RetrievalOptions(reranker=reranker, rerank_first=2, queries_file=queries))
    arms = read_results(queries)[0].arms
    assert len(reranker.read[0]) == 2
    assert [hit.id for hit in arms["reranked"].hits[2:]] == [hit.id for hit in arms["hybrid"].hits[2:]]
    scores = [hit.score for hit in arms["reranked"].hits]
    assert scores == sorted(scores, reverse=True)


def test_an_article_that_is_named_stays_on_top(write_set: WriteSet, tmp_path: Path) -> None:
    """Whatever a reranker thinks of it: a place that the question names by its address is what was asked for."""
    folder = tmp_path / "law"
    folder.mkdir()
    articles = {
        "一": "民事主体的合法权益受法律保护。",
        "二": "民法调整平等主体之间的关系。",
        "三": "权益权益权益权益。",
    }
    rows = [{"_id": key, "title": f"中华人民共和国民法典第{key}条", "text": text} for key, text in articles.items()]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    question = {"_id": "q", "text": "民法典第二条关于权益怎么说"}
    (folder / "queries.jsonl").write_text(json.dumps(question) + "\n", "utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\t二\t1\n", "utf-8")
    queries = tmp_path / "queries.jsonl"
    evaluate_retrieval(folder, RetrievalOptions(domain="law", reranker=CountsWords("权益"), queries_file=queries))
    hits = read_results(queries)[0].arms["reranked"].hits
    assert [hit.id for hit in hits] == ["二", "三", "一"]
    scores = [hit.score or 0.0 for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_the_arm_reranked_is_the_services_own(write_set: WriteSet) -> None:
    """Without a reranker of its own it is the one that ships, compared with hybrid query by query."""
    folder = write_set("lease", QUERIES, JUDGED)
    found = evaluate_retrieval(folder, RetrievalOptions(arms=("hybrid", "reranked")))
    assert list(found["arms"]) == ["hybrid", "reranked"]
    assert found["reranking"]["reranker"].startswith("interaction-")
    gain = found["arms"]["reranked"]["ndcg@10"] - found["arms"]["hybrid"]["ndcg@10"]
    assert found["reranking"]["reranked_minus_hybrid"] == pytest.approx(gain, abs=2e-4)
    assert len(found["reranking"]["ci95"]) == 2


def test_hybrid_is_hybrid_whatever_the_setting(write_set: WriteSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is set to rerank is measured without it too, else there would be nothing to compare."""
    folder = write_set("lease", QUERIES, JUDGED)
    plain = evaluate_retrieval(folder, RetrievalOptions(arms=("hybrid",)))
    monkeypatch.setenv("RAGSVC_RERANK", str(folder / "no-reranker"))
    assert evaluate_retrieval(folder, RetrievalOptions(arms=("hybrid",)))["ndcg@10"] == plain["ndcg@10"]
    with pytest.raises(InvalidInput, match="no-reranker"):
        evaluate_retrieval(folder, RetrievalOptions(arms=("reranked",)))


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """Return a copy of the shipped encoder without anything that says what it was trained on."""
    folder = tmp_path / "an-encoder"
    shutil.copytree(shipped_embedders()["ragsvc-static-zh-en"], folder)
    (folder / "training.json").unlink()
    (folder / "README.md").unlink()
    return folder


def test_a_set_that_the_encoder_was_trained_on_is_marked(write_set: WriteSet, encoder: Path) -> None:
    """The row names the data that matches; all that the encoder's record lists stands beside it."""
    record = {"data": [{"name": "legal_zh_stard"}, {"name": "medical_zh_toyhom"}]}
    (encoder / "training.json").write_text(json.dumps(record), "utf-8")
    (encoder / "README.md").write_text("---\nlicense: mit\nlanguage: [zh, en]\n---\n# Encoder\n", "utf-8")
    options = RetrievalOptions(arms=("dense",), embedder=str(encoder))
    marked = evaluate_retrieval(write_set("toyhom-dev", QUERIES, JUDGED), options)
    assert marked["trained_on"] == ["medical_zh_toyhom"]
    assert marked["encoder"]["data"] == ["legal_zh_stard", "medical_zh_toyhom"]
    assert marked["encoder"]["card"]["licence"] == "mit"
    assert list(marked["encoder"]["card"]["languages"]) == ["zh", "en"]
    other = evaluate_retrieval(write_set("lease", QUERIES, JUDGED), options)
    assert other["trained_on"] == []


def test_an_encoder_that_states_no_data_is_not_said_to_be_innocent(write_set: WriteSet, encoder: Path) -> None:
    """Without a record ``data`` is null, not an empty list; a model card says it as well as a record."""
    options = RetrievalOptions(arms=("dense",), embedder=str(encoder))
    folder = write_set("lease", QUERIES, JUDGED)
    found = evaluate_retrieval(folder, options)
    assert (found["encoder"]["data"], found["trained_on"]) == (None, [])
    (encoder / "README.md").write_text("---\ndatasets: [me/lease, squad]\n---\n# Encoder\n", "utf-8")
    found = evaluate_retrieval(folder, options)
    assert (found["encoder"]["data"], found["trained_on"]) == (["me/lease", "squad"], ["me/lease"])


def test_earlier_turns_are_part_of_the_query(write_set: WriteSet, tmp_path: Path) -> None:
    """A last turn that says nothing by itself finds its document through the turns before it."""
    folder = write_set("talk", TALK, TALK_JUDGED)
    joined, alone = tmp_path / "joined.jsonl", tmp_path / "alone.jsonl"
    arms = ("lexical", "hybrid")
    found = evaluate_retrieval(folder, RetrievalOptions(queries_file=joined, arms=arms))
    without = evaluate_retrieval(folder, RetrievalOptions(queries_file=alone, arms=arms, history=False))
    assert (found["n_multi_turn"], without["n_multi_turn"]) == (2, 0)
    assert found["arms"]["lexical"]["ndcg@10"] == 1.0
    assert without["arms"]["lexical"]["recall@10"] < 1.0
    assert [result.text for result in read_results(joined)] == [
        "the landlord wants to enter must he say so how long before",
        "do I get the deposit back and when",
        "are cats allowed",
    ]
    assert [result.text for result in read_results(alone)] == ["how long before", "and when", "are cats allowed"]


@pytest.mark.parametrize("turns", ["one text", [1, 2], {"user": "x"}])
def test_history_of_another_form_is_refused(turns: Any) -> None:
    """``metadata.history`` is a list of texts; anything else is named with the query."""
    with pytest.raises(InvalidInput, match=r"query q7: metadata\.history"):
        Query(id="q7", text="x", metadata={"history": turns}).question()


def test_a_page_needs_nothing_else(write_set: WriteSet, tmp_path: Path) -> None:
    """The report is one file without script, link or picture from elsewhere, and what users wrote stays text."""
    queries = [*QUERIES, {"_id": "q6", "text": "<script>alert('x')</script> & pets"}]
    folder = write_set("lease", queries, {**JUDGED, "q6": {"rent": 1}})
    page_file = tmp_path / "report.html"
    found = evaluate_retrieval(folder, RetrievalOptions(report_file=page_file))
    page = page_file.read_text("utf-8")
    for forbidden in ("<script", "http://", "https://", "<link", "src=", "@import", "url("):
        assert forbidden not in page, forbidden
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; pets" in page
    assert page.count("<svg") == page.count("</svg>") == 4
    for arm, figures in found["arms"].items():
        assert f'<th scope="row">{arm}</th><td>{figures["ndcg@10"]:.3f}</td>' in page
    assert "Rent is paid monthly" in page
    assert found["embedder"] in page


def test_svg_is_well_formed_whatever_the_figures(write_set: WriteSet, tmp_path: Path) -> None:
    """The charts parse as XML, with all figures zero as well, and one arm alone has no difference chart."""
    folder = write_set("lease", [{"_id": "q1", "text": "nothing of this"}], {"q1": {"absent": 1}})
    page_file = tmp_path / "report.html"
    evaluate_retrieval(folder, RetrievalOptions(report_file=page_file, arms=("lexical",)))
    charts = page_file.read_text("utf-8").split("<svg")[1:]
    assert len(charts) == 3
    for chart in charts:
        drawn = ElementTree.fromstring("<svg" + chart.split("</svg>")[0] + "</svg>")
        for element in drawn.iter():
            assert "nan" not in json.dumps(element.attrib)
