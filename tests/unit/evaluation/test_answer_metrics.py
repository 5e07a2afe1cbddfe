"""ALCE's citation figures by a rule, ROUGE-L, and what counts as a statement."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragsvc.citing import checking
from ragsvc.evaluation.answer_metrics import (
    CitationFigures,
    article_key,
    entails,
    longest_common,
    measure_citations,
    own_text,
    rouge_l,
)
from ragsvc.records import Answer, Passage, Usage
from ragsvc.strategies import direct, extractive
from tests.doubles import make_passage

BREACH = make_passage("当事人一方不履行合同义务的，应当承担赔偿损失等违约责任。")
PENALTY = make_passage("当事人可以约定一方违约时应当支付违约金三万元。", locator="第五百八十五条")
WILL = make_passage("自书遗嘱由遗嘱人亲笔书写，签名。", locator="第一千一百三十四条")


def answer_of(text: str, *passages: Passage) -> Answer:
    return Answer(
        answer_id="a", answer=text, citations=(), passages=passages, abstained=False, reason=None, disclaimer="",
        model="m", strategy="s", index_generation="g", timings_ms={}, usage=Usage(),
    )  # fmt: skip


def figures(text: str, *passages: Passage, question: str = "怎么办") -> tuple[int, int, int, int]:
    found: CitationFigures = measure_citations(answer_of(text, *passages), question)
    return found.n_statements, found.n_recalled, found.n_citations, found.n_precise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("不履行合同义务的，应当承担违约责任[1]。", (1, 1, 1, 1)),
        ("不履行合同义务的，应当承担违约责任[3]。", (1, 0, 1, 0)),
        ("不履行合同义务的，应当承担违约责任。", (1, 0, 0, 0)),
        ("不履行合同义务的，应当承担违约责任[1][3]。", (1, 1, 2, 1)),
        ("当事人一方不履行合同义务的，应当承担赔偿损失等违约责任，也可以约定支付违约金三万元[1][2]。", (1, 1, 2, 2)),
        ("可以约定支付违约金五万元[2]。", (1, 0, 1, 0)),
        ("法律规定“应当双倍返还已经收取的定金”，承担违约责任[1]。", (1, 0, 1, 0)),
        ("二、咨询意见\n不履行合同义务的，应当承担违约责任[1]。", (1, 1, 1, 1)),
        ("不履行合同义务的，应当承担违约责任[7]。", (1, 0, 0, 0)),
        ("不履行合同义务的，应当承担违约责任[1][1]。", (1, 1, 1, 1)),
        ("", (0, 0, 0, 0)),
    ],
)
def test_citation_recall_and_precision(text: str, expected: tuple[int, int, int, int]) -> None:
    """Right, wrong, missing, superfluous, both needed, another amount, a false quotation, a heading, out of range."""
    assert figures(text, BREACH, PENALTY, WILL) == expected


def test_the_question_said_again_is_no_statement() -> None:
    """A report that begins with what the user said is not blamed for leaving it without a source."""
    question = "房东不履行合同义务，不退押金怎么办？"
    assert figures(f"- {question}\n应当承担违约责任[1]。", BREACH, question=question) == (1, 1, 1, 1)


def test_ratios() -> None:
    """None where there is nothing to divide by."""
    assert CitationFigures(0, 0, 0, 0).recall is None
    assert CitationFigures(0, 0, 0, 0).precision is None
    assert (CitationFigures(4, 3, 2, 1).recall, CitationFigures(4, 3, 2, 1).precision) == (0.75, 0.5)


def test_entailment_needs_a_passage() -> None:
    """Nothing entails nothing."""
    assert not entails([], "")
    assert entails([BREACH], "《中华人民共和国民法典》第五百七十七条")


@pytest.mark.parametrize(
    ("text", "reference", "value"),
    [
        ("违约责任", "违约责任", 1.0),
        ("违约", "责任", 0.0),
        ("应当赔偿", "应赔", 4 / 6),
        ("the cat sat", "The cat", 0.8),
        ("", "", 0.0),
    ],
)
def test_rouge_l(text: str, reference: str, value: float) -> None:
    """By hand, over characters and words."""
    assert rouge_l(text, reference) == pytest.approx(value)


@settings(deadline=None)
@given(st.text("abcd", max_size=30), st.text("abcd", max_size=30))
def test_longest_common_subsequence(a: str, b: str) -> None:
    """Equal to the table of the textbook."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    assert longest_common(list(a), list(b)) == table[-1][-1]


def test_the_services_own_words_are_not_measured() -> None:
    """Every note that checker and strategies put around an answer is taken off, in both languages."""
    for language in ("zh", "en"):
        notes = [note.format("3") for name, note in checking._NOTES[language].items() if name != "instead"]
        notes += [note for (_, of), note in direct.STOPPED.items() if of == language]
        notes += [direct._CUT[language], extractive._INTRO[language], extractive._GOES_ON[language]]
        for note in notes:
            assert own_text(f"应当赔偿[1]。{note}") == "应当赔偿。", note


def test_an_article_as_a_labelled_set_writes_it() -> None:
    """Without white space."""
    assert article_key("中华人民共和国 民法典", "第五十四条") == "中华人民共和国民法典第五十四条"
