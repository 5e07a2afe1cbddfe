"""Answers to the questions of a small set, through the real pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from ragsvc.errors import InvalidInput
from ragsvc.evaluation.answers import AnswerOptions, AnswerResult, evaluate_answers, summarise

LAWS = [
    ("中华人民共和国民法典第五百七十七条", "当事人一方不履行合同义务的，应当承担赔偿损失等违约责任。"),
    ("中华人民共和国民法典第五百八十五条", "约定的违约金过分高于造成的损失的，可以适当减少。"),
    ("中华人民共和国民法典第一千一百三十四条", "自书遗嘱由遗嘱人亲笔书写，签名，注明年、月、日。"),
]
QUESTIONS = [
    ("q1", "不履行合同义务有什么违约责任？", "应当承担赔偿损失等违约责任。", [LAWS[0][0]]),
    ("q2", "自书遗嘱要签名吗？", "要亲笔书写，签名，注明年月日。", [LAWS[2][0]]),
    ("q3", "民法典第九百条怎么说？", "", []),
]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Three articles and three questions, one of which names an article that is not there."""
    folder = tmp_path / "small"
    folder.mkdir()
    corpus = [{"_id": f"d{n}", "title": title, "text": text} for n, (title, text) in enumerate(LAWS)]
    queries = [
        {"_id": name, "text": text, "metadata": {"split": "dev", "answer": answer, "articles": articles}}
        for name, text, answer, articles in QUESTIONS
    ]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td0\t1\nq2\td2\t1\n", encoding="utf-8")
    return folder / "queries.jsonl"


def test_figures_of_each_strategy(labelled: Path, tmp_path: Path) -> None:
    """Extracts are proven, exact and name true articles; a missing article is abstained from; the page shows it all."""
    options = AnswerOptions(
        strategies=("extractive", "lawyer_llama", "chatlaw_sop"),
        domain="law",
        home=tmp_path / "home",
        outside=(labelled,),
        answers_file=tmp_path / "answers.jsonl",
        report_file=tmp_path / "answers.html",
    )
    found = evaluate_answers(labelled, options)
    assert found["n_questions"] == 3
    assert list(found["runs"]) == [f"{name} / extractive" for name in options.strategies]
    plain = found["runs"]["extractive / extractive"]
    assert plain["n_answered"] == 2
    assert plain["abstained"] == plain["declined_outside"] == pytest.approx(1 / 3, abs=1e-3)
    for run in found["runs"].values():
        assert (run["citation_recall"], run["citation_precision"]) == (1.0, 1.0)
        assert (run["exact_spans"], run["address_accuracy"], run["article_recall"]) == (1.0, 1.0, 1.0)
        assert run["rouge_l_ci95"][0] <= run["rouge_l"] <= run["rouge_l_ci95"][1]
    written = msgspec.json.Decoder(AnswerResult).decode_lines((tmp_path / "answers.jsonl").read_bytes())
    assert len(written) == 3 * 6
    page = (tmp_path / "answers.html").read_text(encoding="utf-8")
    assert "citation recall" in page
    assert QUESTIONS[0][1] in page
    assert "<script" not in page
    assert "$" not in page
    again = evaluate_answers(labelled, options)
    for run in (*found["runs"].values(), *again["runs"].values()):
        run.pop("latency_ms")
    assert again == found


def test_what_cannot_be_asked_is_said(labelled: Path, tmp_path: Path) -> None:
    """No question left, and a file of another form."""
    with pytest.raises(InvalidInput, match="no question is left"):
        evaluate_answers(labelled, AnswerOptions(split="test", home=tmp_path / "home"))
    with pytest.raises(InvalidInput):
        evaluate_answers(tmp_path / "none.jsonl", AnswerOptions(home=tmp_path / "home"))


def test_counts_are_summed_over_answers() -> None:
    """Ratios of sums; what was not answered is in no ratio; tokens of a service that does not count are unknown."""

    def result(**changes: object) -> AnswerResult:
        return AnswerResult(**{"run": "r", "query": "q", "text": "t", "outcome": "answered"} | changes)  # type: ignore[arg-type]

    results = [
        result(
            n_statements=4, n_recalled=3, n_citations=5, n_precise=4, rouge_l=0.5, prompt_tokens=10, latency_ms=10.0
        ),
        result(n_statements=1, n_recalled=0, n_citations=0, rouge_l=0.1, latency_ms=30.0),
        result(outcome="abstained"),
        result(outcome="failed", n_statements=9),
    ]
    run = summarise(results, [result(outcome="abstained"), result()])
    assert (run["citation_recall"], run["citation_precision"], run["rouge_l"]) == (0.6, 0.8, 0.3)
    assert (run["n_answered"], run["abstained"], run["failed"], run["declined_outside"]) == (2, 0.25, 0.25, 0.5)
    assert (run["latency_ms"]["p50"], run["prompt_tokens"], run["address_accuracy"]) == (20.0, None, None)
    nothing = summarise([result(outcome="failed")], [])
    assert (nothing["n_answered"], nothing["rouge_l"], nothing["declined_outside"]) == (0, None, None)
