"""Notices and refusals through the whole pipeline: whatever the model says, and when there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from ragsvc.errors import UpstreamFailed
from ragsvc.pipelines.answer import AnswerParts, AnswerPipeline
from ragsvc.pipelines.notices import scope_helps
from ragsvc.records import (
    Answer,
    AnswerDone,
    AnswerEvent,
    AskRequest,
    MissingAddress,
    NoticeGiven,
    Passage,
    PassagesFound,
    SearchResult,
)
from ragsvc.store.rows import Collection
from tests.doubles import ScriptedModel, ScriptedSearcher, StoredTexts, WordEmbedder, make_passage

DOSE = make_passage("成人一次服用500毫克，每日服用三次，饭后用温水送服。", locator="用法用量")
REVENUE = make_passage("2023年营业收入为1,200万元，2022年营业收入为1,000万元。", locator="主要数据")
FLAG = "我爸突然嘴歪了，半边身子动不了，吃什么药？"


def parts_of(model: ScriptedModel, domain: str, passages: Sequence[Passage]) -> AnswerParts:
    result = SearchResult(passages=tuple(passages), top_cosine=0.8, n_searched=1, index_generation="g", timings_ms={})
    return AnswerParts(
        searcher=ScriptedSearcher(result),
        embedder=WordEmbedder(),
        find_collections=lambda _: [Collection(ordinal=1, name="texts", domain=domain, time_zone="UTC", model="")],
        open_chat_model=lambda _: model,
        read_text=StoredTexts(passages).read,
        abstention={},
    )


def run(
    question: str, written: str | Exception, domain: str, passages: Sequence[Passage], model: str = "scripted"
) -> tuple[list[AnswerEvent], Answer]:
    pipeline = AnswerPipeline(parts_of(ScriptedModel(written), domain, passages))
    request = AskRequest(question=question, collections=("texts",), model=model)

    async def collect() -> list[AnswerEvent]:
        return [event async for event in pipeline.stream(request)]

    events = asyncio.run(collect())
    assert isinstance(events[-1], AnswerDone)
    return events, events[-1].answer


@pytest.mark.parametrize(("model", "passages"), [("scripted", (DOSE,)), ("extractive", (DOSE,)), ("extractive", ())])
def test_a_red_flag_comes_before_any_text(model: str, passages: tuple[Passage, ...]) -> None:
    """With a model, without one, and when nothing is found to answer from."""
    events, answer = run(FLAG, "一切正常，不用担心。", "medicine", passages, model)
    assert isinstance(events[0], PassagesFound)
    assert isinstance(events[1], NoticeGiven)
    assert events[1].notice.kind == "red_flag"
    assert "120" in events[1].notice.text
    assert answer.notices[0] == events[1].notice
    assert answer.abstained == (not passages)


def test_a_red_flag_is_told_when_the_model_fails() -> None:
    """The error carries the notice for who waits for the whole answer."""
    pipeline = AnswerPipeline(parts_of(ScriptedModel(UpstreamFailed("down")), "medicine", (DOSE,)))
    with pytest.raises(UpstreamFailed) as raised:
        asyncio.run(pipeline.answer(AskRequest(question=FLAG, collections=("texts",), model="scripted")))
    assert [notice.kind for notice in raised.value.notices] == ["red_flag"]  # type: ignore[attr-defined]


def test_a_dose_is_given_only_with_its_source() -> None:
    """The same true sentence without a mark is left out, and so is a dose that only the question states."""
    _, cited = run("怎么吃？", "一次服用500毫克[1]。", "medicine", (DOSE,))
    assert "500毫克" in cited.answer
    _, bare = run("怎么吃？", "一次服用500毫克。", "medicine", (DOSE,))
    assert "500毫克" not in bare.answer
    _, echoed = run("我能吃900毫克吗？", "可以服用900毫克[1]。", "medicine", (DOSE,))
    assert "900毫克" not in echoed.answer


def test_a_figure_that_follows_from_cited_ones_is_shown_as_worked_out() -> None:
    """The calculation stands behind the sentence; a wrong one is left out."""
    _, right = run("营收？", "营业收入由1,000万元增至1,200万元，增长20%[1]。", "finance", (REVENUE,))
    assert "（计算：(1,200万元 − 1,000万元) ÷ 1,000万元 × 100% = 20%）" in right.answer
    _, wrong = run("营收？", "营业收入由1,000万元增至1,200万元，增长35%[1]。", "finance", (REVENUE,))
    assert "35%" not in wrong.answer


def test_a_growth_that_is_asked_for_is_worked_out_without_a_model() -> None:
    """From the two figures of one sentence, with the place."""
    _, answer = run("营业收入同比增长多少？", "", "finance", (REVENUE,), "extractive")
    [notice] = [one for one in answer.notices if one.kind == "calculation"]
    assert notice.text.endswith("= 20%。")
    assert notice.citations[0].quote == REVENUE.text


def test_advice_to_buy_is_left_out_and_the_facts_stay() -> None:
    """The question gets a notice, the sentence that advises goes, the one that reports stays."""
    written = "2023年营业收入为1,200万元[1]。建议您逢低买入[1]。"
    _, answer = run("这只股票能买吗？", written, "finance", (REVENUE,))
    assert [notice.kind for notice in answer.notices] == ["advice"]
    assert "1,200万元" in answer.answer
    assert "买入" not in answer.answer


def test_who_asks_for_something_else_is_told_what_there_is() -> None:
    """Beside the abstention: the domain's scope."""
    _, answer = run("写一首诗", "", "law", (), "extractive")
    assert answer.abstained
    assert [notice.kind for notice in answer.notices] == ["scope"]
    assert "法律、法规和司法解释" in answer.notices[0].text


def test_scope_is_told_where_the_law_named_is_not_here() -> None:
    """A work that is not there at all: what is there helps. An article that its work lacks: it does not."""
    away = MissingAddress(mention="《星际法》第三条", reason="no such work")
    assert scope_helps(SearchResult(passages=(), missing=(away,)))
    article = MissingAddress(mention="民法典第1300条", reason="no such article", work="中华人民共和国民法典")
    assert not scope_helps(SearchResult(passages=(), missing=(away, article)))
