"""Keywords, combined vectors, the model's judgement of each reference, the response."""

from __future__ import annotations

import numpy as np
import pytest

from ragsvc.errors import UpstreamFailed
from ragsvc.generation.literal_template import find_template
from ragsvc.records import TextPiece, Usage
from ragsvc.strategies.chatlaw import combined_vector, read_keywords
from ragsvc.strategies.judging import read_verdicts
from tests.doubles import WordEmbedder, make_passage
from tests.unit.strategies.runs import END, Calls, run_of

LOAN = make_passage(
    "自然人之间的借款合同，自贷款人提供借款时成立。", locator="第六百七十九条", chunk_id="c1", score=0.5
)
RATE = make_passage("借款的利率不得违反国家有关规定。", locator="第六百八十条", chunk_id="c2", score=0.4)
SALE = make_passage("买卖合同是出卖人转移标的物所有权的合同。", locator="第五百九十五条", chunk_id="c3", score=0.5)
QUESTION = "朋友找我拿钱不还还要给利吗"
KEYWORDS = "民间借贷、借款合同、利率、《民法典》"
VERDICTS = "1：采用，借款\n2：不采用，与买卖无关"
SEARCHES = {"民间借贷": (RATE, SALE)}


async def test_the_four_steps() -> None:
    """Keywords widen the search, the combined vector orders, the model drops what does not belong, then it answers."""
    model = Calls(KEYWORDS, "1：采用，利率\n2：采用，借款合同\n3：不采用，买卖", "利率不得违反规定[1]。")
    run = await run_of("chatlaw", model, (LOAN, SALE), question=QUESTION, searches=SEARCHES)
    assert [request.question for request in run.searched] == [QUESTION, "民间借贷 借款合同 利率 民法典"]
    assert run.passages is not None
    assert set(run.passages) == {LOAN, RATE}
    assert run.text == "利率不得违反规定[1]。"
    assert list(run.steps) == ["keywords", "references", "self_suggestion"]
    assert run.steps["keywords"].gave == KEYWORDS
    assert "不采用，买卖" in run.steps["self_suggestion"].gave
    assert "不采用" not in run.text
    assert SALE.text not in model.calls[2][-1].content


async def test_its_own_model_is_written_to_in_its_own_form() -> None:
    """References, Consult, Response, byte for byte; the next turn that it writes itself is cut off."""
    model = Calls(KEYWORDS, "1：采用\n2：不采用\n3：不采用", ["利率受限。\nCons", "ult: 谢谢", END], template="chatlaw")
    run = await run_of("chatlaw", model, (LOAN,), question=QUESTION, searches={"民间借贷": (LOAN,)})
    assert find_template("chatlaw").render(model.calls[2]) == (
        f"References:\n《中华人民共和国民法典》第六百七十九条：{LOAN.text}\nConsult:\n{QUESTION}\nResponse:\n"
    )
    assert run.text == "利率受限。"


@pytest.mark.parametrize(
    "keywords",
    [
        "",
        "？？？",
        [UpstreamFailed("wrote nothing")],
        "朋友欠钱不还是民间借贷纠纷。您可以要求他归还本金并且按照约定支付利息等等费用。",
        ["啊"] * 50_000,
    ],
)
async def test_without_usable_keywords_the_question_alone_finds(keywords: object) -> None:
    """Nothing, prose, no end: the references are those of the question."""
    model = Calls(keywords, "", "应当还[1]。")  # type: ignore[arg-type]
    run = await run_of("chatlaw", model, (LOAN, SALE), question=QUESTION)
    assert run.searched == []
    assert run.passages == (LOAN, SALE)
    assert run.text == "应当还[1]。"


@pytest.mark.parametrize("verdicts", ["", "都有关系", "采用第一条", "9：不采用", [UpstreamFailed("HTTP 500")]])
async def test_without_clear_verdicts_every_reference_stays(verdicts: object) -> None:
    """A judgement off the form drops nothing."""
    model = Calls("", verdicts, "应当还[1]。")  # type: ignore[arg-type]
    run = await run_of("chatlaw", model, (LOAN, SALE), question=QUESTION)
    assert run.passages == (LOAN, SALE)


async def test_references_that_are_all_wrong_are_not_answered_from() -> None:
    """When the model rejects each of them, nothing is answered and nothing more is asked."""
    used = TextPiece(finish_reason="stop", usage=Usage(prompt_tokens=7, completion_tokens=3))
    model = Calls("", ["1: 不采用，买卖\n2：不相关", used])
    run = await run_of("chatlaw", model, (SALE, LOAN), question=QUESTION)
    assert run.declined is not None
    assert run.declined.cause == "weak"
    assert len(model.calls) == 2
    assert run.pieces[-1].usage == used.usage


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("民间借贷、利息限制，合同法", ("民间借贷", "利息限制", "合同法")),
        ("关键词：民间借贷\n- 利息\n3. 《民法典》", ("民间借贷", "利息", "民法典")),
        ("loan agreement, default interest, loan agreement", ("loan agreement", "default interest")),
        ("a、b", ()),
        ("、".join(f"词语{n}" for n in range(20)), tuple(f"词语{n}" for n in range(8))),
        ("[1]、<|im_end|>、“借贷”", ("|im end|".replace("|", "").strip() and "im_end", "借贷")),
    ],
)
def test_keywords(text: str, found: tuple[str, ...]) -> None:
    """Any of the usual signs parts them; markers and marks are taken off."""
    assert read_keywords(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1：采用，相关\n2：不采用，与借款无关", {1: True, 2: False}),
        ("[1] 相关\n[2]：不相关", {1: True, 2: False}),
        ("段落1：该条与问题无关\n2. 《民法典》第六百条：适用", {1: False, 2: True}),
        ("1: relevant, loan\n2: irrelevant\n3: not really relevant", {1: True, 2: False, 3: False}),
        ("1：采用\n1：不采用", {1: True}),
        ("一般来说都相关", {}),
        ("", {}),
    ],
)
def test_verdicts(text: str, found: dict[int, bool]) -> None:
    """A line is a verdict when it begins with a number and says one of the words soon after."""
    assert read_verdicts(text) == found


def test_question_and_keywords_are_one_vector() -> None:
    """The question's vector plus the mean of the keywords', of unit length: half and half."""
    embedder = WordEmbedder()
    vector = combined_vector("借钱", ["利率"], embedder)
    question, keyword = embedder.embed_queries(["借钱", "利率"])
    assert float(np.linalg.norm(vector)) == pytest.approx(1.0)
    assert float(vector @ question) == pytest.approx(float(vector @ keyword))


async def test_a_named_article_comes_first_and_the_order_is_the_combined_vectors() -> None:
    """What the question names is not outranked; of the rest what is near to the keywords comes first."""
    model = Calls("利率", "", "好[1]。")
    run = await run_of("chatlaw", model, (SALE, LOAN), question="第五百九十五条", searches={"利率": (RATE, LOAN)})
    assert run.passages is not None
    assert run.passages[0] == RATE
