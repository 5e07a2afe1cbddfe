"""Which model answers: the request's, the collection's or the service's; and the next one when that fails."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing

import pytest

from ragsvc.errors import SettingsError, UpstreamFailed, UpstreamTimeout
from ragsvc.pipelines.answer import AnswerParts, AnswerPipeline
from ragsvc.records import (
    Answer,
    AnswerDone,
    AnswerFailed,
    AskRequest,
    ModelFailure,
    SearchResult,
    TextPiece,
    TextReleased,
)
from ragsvc.store.rows import Collection
from tests.doubles import ScriptedModel, ScriptedSearcher, StoredTexts, WordEmbedder, make_passage

BREACH = make_passage("当事人一方不履行合同义务的，应当承担赔偿损失等违约责任。")
PENALTY = make_passage("当事人可以约定一方违约时应当支付违约金。" * 20, locator="第五百八十五条")
FOUND = SearchResult(passages=(BREACH, PENALTY), top_cosine=0.8, n_searched=2, index_generation="g7")
ASK = AskRequest(question="不履行合同义务怎么办？", collections=("laws",), model="first")
GOOD = ("不履行合同义务的，应当赔偿损失[1]。", TextPiece(finish_reason="stop"))
LIMITED = UpstreamFailed("first at api.example answered HTTP 429: slow down.")


def pipeline(
    models: Mapping[str, ScriptedModel | Exception], *fallbacks: str, default: str = "first"
) -> AnswerPipeline:
    def find_collections(_: object) -> list[Collection]:
        return [Collection(ordinal=1, name="laws", domain="law", time_zone="Asia/Shanghai", model="")]

    def open_chat_model(name: str) -> ScriptedModel:
        found = models[name]
        if isinstance(found, Exception):
            raise found
        return found

    parts = AnswerParts(
        searcher=ScriptedSearcher(FOUND),
        embedder=WordEmbedder(),
        find_collections=find_collections,
        open_chat_model=open_chat_model,
        read_text=StoredTexts((BREACH, PENALTY)).read,
        abstention={},
        default_model=default,
        fallback_models=fallbacks,
    )
    return AnswerPipeline(parts)


async def answer(pipe: AnswerPipeline, request: AskRequest = ASK) -> Answer:
    return await pipe.answer(request)


@pytest.mark.parametrize("script", [(LIMITED,), ("不履行合同", LIMITED)])
async def test_the_next_model_answers_when_the_first_fails_before_its_text_is_released(
    script: tuple[str | Exception, ...],
) -> None:
    """The answer is the second model's, names it, and keeps why the first did not answer."""
    pipe = pipeline({"first": ScriptedModel(*script), "second": ScriptedModel(*GOOD)}, "second", "extractive")
    got = await answer(pipe)
    assert (got.model, got.strategy, got.finish_reason) == ("second", "direct", "stop")
    assert got.fallbacks == (ModelFailure(model="first", reason=str(LIMITED)),)
    assert [citation.marker for citation in got.citations] == ["[1]"]
    assert "不履行合同不履行" not in got.answer


async def test_the_chain_may_end_with_the_extractive_answerer() -> None:
    """A model without a key and one that times out leave the answerer that needs neither; both reasons are kept."""
    no_key, late = SettingsError("first needs an API key"), UpstreamTimeout("second sent nothing for 60 s.")
    got = await answer(pipeline({"first": no_key, "second": ScriptedModel(late)}, "second", "extractive"))
    assert (got.model, got.strategy) == ("extractive", "extractive")
    assert [failure.reason for failure in got.fallbacks] == [str(no_key), str(late)]
    assert got.citations


async def test_a_strategy_that_was_asked_for_does_not_stop_the_chain() -> None:
    """``direct`` needs a chat model; when none is left, the extractive answer is better than none, and says so."""
    request = AskRequest(question=ASK.question, collections=("laws",), model="first", strategy="direct")
    got = await answer(pipeline({"first": ScriptedModel(LIMITED)}, "extractive"), request)
    assert got.strategy == "extractive"


async def test_text_that_was_released_is_not_taken_back() -> None:
    """Once a reader has seen a sentence, a failure ends the answer: two models' halves are no answer."""
    first = ScriptedModel("应当承担赔偿损失等违约责任[1]。可以约定", LIMITED)
    second = ScriptedModel(*GOOD)
    async with aclosing(pipeline({"first": first, "second": second}, "second").stream(ASK)) as events:
        got = [event async for event in events]
    assert any(isinstance(event, TextReleased) for event in got)
    assert isinstance(got[-1], AnswerFailed)
    assert not second.calls


async def test_without_a_chain_a_failure_is_a_failure() -> None:
    """No fallback is invented: the error comes out, with the passages that were found."""
    with pytest.raises(UpstreamFailed, match="429") as error:
        await answer(pipeline({"first": ScriptedModel(LIMITED)}))
    assert error.value.passages == FOUND.passages


async def test_the_last_models_error_is_the_one_that_is_raised() -> None:
    """When the whole chain fails, so does the answer."""
    last = UpstreamFailed("second cannot be reached.")
    with pytest.raises(UpstreamFailed, match="second cannot be reached"):
        await answer(pipeline({"first": ScriptedModel(LIMITED), "second": ScriptedModel(last)}, "second"))


async def test_the_model_asked_for_is_not_asked_twice() -> None:
    """A chain that names the chosen model again does not repeat it."""
    first = ScriptedModel(LIMITED)
    got = await answer(pipeline({"first": first}, "first", "extractive"))
    assert (got.model, len(first.calls)) == ("extractive", 1)


async def test_a_prompt_fits_the_models_window_and_says_what_it_left_out() -> None:
    """Passages are dropped from the tail until the prompt fits; the answer's record counts them."""
    model = ScriptedModel(*GOOD)
    model.prompt_tokens = 700
    got = await answer(pipeline({"first": model}))
    assert got.n_passages_dropped == 1
    assert "支付违约金" not in model.calls[0][1].content
    assert "没有交给模型" in got.answer


async def test_what_a_failed_model_left_is_not_kept() -> None:
    """Neither its thinking nor the passages that did not fit it are the answering model's."""
    first = ScriptedModel(TextPiece(reasoning="嗯……"), LIMITED)
    first.prompt_tokens = 700
    second = ScriptedModel(TextPiece(reasoning="第五百七十七条。"), *GOOD)
    got = await answer(pipeline({"first": first, "second": second}, "second"))
    assert (got.reasoning, got.n_passages_dropped) == ("第五百七十七条。", 0)


@pytest.mark.parametrize(("reason", "words"), [("length", "长度上限"), ("content_filter", "内容审查")])
async def test_why_a_model_stopped_is_shown(reason: str, words: str) -> None:
    """An answer that was cut says so in its text and in its record."""
    got = await answer(pipeline({"first": ScriptedModel(GOOD[0], TextPiece(finish_reason=reason))}))
    assert got.finish_reason == reason
    assert words in got.answer


async def test_a_stream_that_falls_back_still_ends_once() -> None:
    """The reader of a stream sees one answer and one end."""
    pipe = pipeline({"first": ScriptedModel(LIMITED), "second": ScriptedModel(*GOOD)}, "second")
    async with aclosing(pipe.stream(ASK)) as events:
        got = [event async for event in events]
    assert sum(isinstance(event, AnswerDone) for event in got) == 1
    assert isinstance(got[-1], AnswerDone)
    assert "".join(event.text for event in got if isinstance(event, TextReleased)) == got[-1].answer.answer
