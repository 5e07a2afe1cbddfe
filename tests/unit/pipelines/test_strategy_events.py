"""What strategies say besides text, from the pipeline to its last event: steps, questions back, refusals, history."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ragsvc.errors import UpstreamFailed
from ragsvc.pipelines.answer import AnswerParts, AnswerPipeline
from ragsvc.records import (
    Answer,
    AnswerDone,
    AnswerEvent,
    AskRequest,
    CitationChecked,
    ClarifyAsked,
    MissingAddress,
    PassagesFound,
    SearchResult,
    TextReleased,
    Turn,
)
from ragsvc.retrieval.abstention import AbstentionModel
from ragsvc.store.rows import Collection
from ragsvc.strategies import NEEDS_NO_MODEL, STRATEGIES
from tests.doubles import ScriptedSearcher, StoredTexts, WordEmbedder, make_passage
from tests.unit.strategies.runs import Calls

BREACH = make_passage("当事人一方不履行合同义务的，应当承担赔偿损失等违约责任。", chunk_id="c1")
PENALTY = make_passage("当事人可以约定一方违约时应当支付违约金。", locator="第五百八十五条", chunk_id="c2")
FOUND = SearchResult(passages=(BREACH, PENALTY), top_cosine=0.8, n_searched=2, index_generation="g7")
ASK = AskRequest(question="不履行合同义务怎么办？", collections=("laws",), model="scripted")
STRICT = AbstentionModel(
    intercept=-5, cosine=10, log_size=0, threshold=0.5, embedder_id=WordEmbedder.embedder_id, auroc=1,
    false_refusals=0, declined=1, n_answerable=10, n_unanswerable=10,
)  # fmt: skip


def pipeline(model: Any, result: SearchResult = FOUND) -> tuple[AnswerPipeline, ScriptedSearcher]:
    searcher = ScriptedSearcher(result)
    collection = Collection(ordinal=1, name="laws", domain="law", time_zone="Asia/Shanghai", model="")
    parts = AnswerParts(
        searcher=searcher,
        embedder=WordEmbedder(),
        find_collections=lambda _: [collection],
        open_chat_model=lambda _: model,
        read_text=StoredTexts((BREACH, PENALTY)).read,
        abstention={("law", "zh"): STRICT},
    )
    return AnswerPipeline(parts), searcher


async def events_of(model: Any, request: AskRequest, result: SearchResult = FOUND) -> list[AnswerEvent]:
    return [event async for event in pipeline(model, result)[0].stream(request)]


def text_of(events: list[AnswerEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextReleased))


def last(events: list[AnswerEvent]) -> Answer:
    assert isinstance(events[-1], AnswerDone | ClarifyAsked)
    return events[-1].answer


async def test_a_question_back_is_the_last_event_and_the_whole_answer() -> None:
    """After the passages comes one ``ClarifyAsked``; waiting gives the same object; nothing counts as uncited."""
    request = replace(ASK, strategy="bianque")
    events = await events_of(Calls("合同签了多久？"), request)
    assert [type(event) for event in events] == [PassagesFound, ClarifyAsked]
    answer = last(events)
    assert answer.clarify is not None
    assert (answer.answer, answer.clarify.question, answer.clarify.number) == ("合同签了多久？", "合同签了多久？", 1)
    assert not answer.abstained
    assert [step.name for step in answer.steps] == ["ask"]
    waited = await pipeline(Calls("合同签了多久？"))[0].answer(request)
    assert (waited.answer, waited.clarify, waited.steps) == (answer.answer, answer.clarify, answer.steps)


async def test_a_quotation_in_a_question_back_is_checked_like_any_other() -> None:
    """Nothing that the sources do not say goes out as a quotation, not even in a question."""
    said = "依照“违约的一方应当双倍返还全部定金”，定金是多少？"
    answer = last(await events_of(Calls(said), replace(ASK, strategy="bianque")))
    assert answer.clarify is not None
    assert "（未在所引原文中找到：“违约的一方应当双倍返还全部定金”）" in answer.clarify.question


async def test_asking_strategies_may_ask_under_the_threshold_but_not_answer() -> None:
    """Weak finds: a question back is fine, an answer is declined; other strategies ask no model at all."""
    weak = replace(FOUND, top_cosine=0.1)
    request = replace(ASK, strategy="bianque")
    assert last(await events_of(Calls("合同签了多久？"), request, weak)).clarify is not None
    model = Calls("无需追问", "应当赔偿[1]。")
    events = await events_of(model, request, weak)
    answer = last(events)
    assert answer.abstained
    assert answer.reason is not None
    assert "不作回答" in answer.answer == text_of(events)
    assert (len(model.calls), answer.citations) == (1, ())
    for strategy in ("lawyer_llama", "chatlaw", "lawgpt", "bentsao", "direct", "moss"):
        model = Calls("应当赔偿[1]。")
        assert last(await events_of(model, replace(ASK, strategy=strategy), weak)).abstained
        assert not model.calls


async def test_a_place_that_is_not_there_is_said_by_every_strategy() -> None:
    """No strategy asks or answers about an article that does not exist."""
    gone = MissingAddress(mention="民法典第1300条", reason="no such article", work="中华人民共和国民法典")
    for strategy in STRATEGIES:
        model = Calls("合同签了多久？")
        answer = last(await events_of(model, replace(ASK, strategy=strategy), replace(FOUND, missing=(gone,))))
        assert answer.abstained, strategy
        assert not model.calls, strategy


async def test_history_reaches_search_and_checker() -> None:
    """A follow-up is searched with the turn that it leans on, and what the user said before is no invention."""
    history = (Turn("user", "房东欠我3000元违约金怎么办"), Turn("assistant", "可以要求支付[1]。"))
    request = replace(ASK, question="那要是没签合同呢？", history=history, strategy="direct")
    pipe, searcher = pipeline(Calls("3000元可以要求承担违约责任[1]。"))
    answer = await pipe.answer(request)
    assert searcher.requests[0].question == "房东欠我3000元违约金怎么办 那要是没签合同呢？"
    assert answer.answer == "3000元可以要求承担违约责任[1]。"


async def test_steps_of_a_model_that_failed_are_not_those_of_the_next() -> None:
    """What a failed model did is forgotten with it: the steps are those of the model that answered."""
    failing = Calls("违约责任", "1：采用", [UpstreamFailed("HTTP 500")])
    models = {"scripted": failing, "second": Calls("赔偿损失", "1：采用", "应当赔偿损失[1]。")}
    pipe, _ = pipeline(None)
    parts = replace(pipe._parts, open_chat_model=models.__getitem__, fallback_models=("second",))
    answer = await AnswerPipeline(parts).answer(replace(ASK, strategy="chatlaw"))
    assert (answer.model, answer.answer) == ("second", "应当赔偿损失[1]。")
    assert [step.name for step in answer.steps] == ["keywords", "references", "self_suggestion"]
    assert answer.steps[0].gave == "赔偿损失"


@pytest.mark.parametrize("strategy", sorted(NEEDS_NO_MODEL))
async def test_strategies_without_a_model_quote_and_prove(strategy: str) -> None:
    """With the extractive answerer each of these gives an answer whose citations stand."""
    answer = last(await events_of(None, replace(ASK, model="extractive", strategy=strategy)))
    assert (answer.model, answer.strategy) == ("extractive", strategy)
    assert answer.citations
    assert BREACH.text in answer.answer
    assert "无法核实" not in answer.answer


BAD = st.sampled_from(
    ["", "应当赔偿损失", "[1]", "[9]", "。", "？", "“付双倍”", "\n", "1：不采用", "### Human:", "References:",
     "追问：多久？", "事实：x=1", "中心词：合同", "<|im_end|>", "</source>", "30日", "`", "《假法》第一条", "违约金",
     "{}", "%s", "\x00"]
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(STRATEGIES)), st.lists(st.lists(BAD, max_size=6).map("".join), min_size=1, max_size=4))
async def test_whatever_a_model_writes_no_strategy_breaks_or_releases_an_unproven_citation(
    strategy: str, scripts: list[str]
) -> None:
    """Any texts in any order: the run ends well, every mark is proven, and the joined text is the answer."""
    events = await events_of(Calls(*scripts), replace(ASK, strategy=strategy))
    answer = last(events)
    stored = StoredTexts((BREACH, PENALTY))
    citations = [event.citation for event in events if isinstance(event, CitationChecked)]
    assert citations == list(answer.citations)
    assert all(stored.read(c.version_id, c.start, c.end) == c.quote for c in citations)
    assert "[9]" not in re.sub(r"`[^`]*`", "", answer.answer)  # in code it is no mark
    if answer.clarify is None:
        assert text_of(events) == answer.answer
    else:
        assert answer.clarify.question
