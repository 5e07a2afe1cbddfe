"""What an answer says beyond its sources is shown, left out or written again, as its domain asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from ragsvc.pipelines.answer import AnswerParts, AnswerPipeline
from ragsvc.records import (
    Answer,
    AnswerDone,
    AnswerEvent,
    AskRequest,
    CitationChecked,
    Message,
    SearchResult,
    TextPiece,
    TextReleased,
)
from ragsvc.store.rows import Collection
from tests.doubles import ScriptedModel, ScriptedSearcher, StoredTexts, WordEmbedder, make_passage

DOSE = make_passage("成人一次服用500毫克，每日服用三次，饭后用温水送服。", locator="用法用量")
FOUND = SearchResult(passages=(DOSE,), top_cosine=0.8, n_searched=1, index_generation="g1", timings_ms={})
ASK = AskRequest(question="这个药怎么吃？", collections=("texts",), model="scripted")
TRUE = "成人一次服用500毫克，每日服用三次。[1]"
FALSE = "成人一次服用800毫克，每日服用五次。[1]"


class CorrectingModel(ScriptedModel):
    """Writes the false sentence first; told what was not found, leaves it out."""

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        self.calls.append(messages)
        again = "800" in messages[-1].content
        yield TextPiece(text=TRUE if again else FALSE)


def run(model: ScriptedModel, domain: str) -> tuple[list[AnswerEvent], Answer]:
    parts = AnswerParts(
        searcher=ScriptedSearcher(FOUND),
        embedder=WordEmbedder(),
        find_collections=lambda _: [
            Collection(ordinal=1, name="texts", domain=domain, time_zone="Asia/Shanghai", model="")
        ],
        open_chat_model=lambda _: model,
        read_text=StoredTexts((DOSE,)).read,
        abstention={},
    )

    async def collect() -> list[AnswerEvent]:
        return [event async for event in AnswerPipeline(parts).stream(ASK)]

    events = asyncio.run(collect())
    assert isinstance(events[-1], AnswerDone)
    answer = events[-1].answer
    assert "".join(event.text for event in events if isinstance(event, TextReleased)) == answer.answer
    return events, answer


@pytest.mark.parametrize("domain", ["law", "medicine", "finance", "general"])
def test_what_its_source_says_stands_and_rests_on_the_place(domain: str) -> None:
    """The sentence is released with its citation; grounding gives its place in the answer."""
    _, answer = run(ScriptedModel(TRUE), domain)
    assert [citation.quote for citation in answer.citations] != []
    [sentence] = [one for one in answer.grounding if "500毫克" in answer.answer[one.start : one.end]]
    assert sentence.support == "cited"


@pytest.mark.parametrize("domain", ["law", "general"])
def test_a_figure_that_is_in_no_source_is_marked(domain: str) -> None:
    """It stays to be read, and right after it stands that the place cited does not say so."""
    _, answer = run(ScriptedModel(FALSE), domain)
    assert "800" in answer.answer
    assert "未在所引原文中找到：800毫克" in answer.answer
    assert {one.support for one in answer.grounding if "800" in answer.answer[one.start : one.end]} == {"none"}


def test_in_medicine_it_is_left_out() -> None:
    """A dose that no source gives is not shown at all; what is true beside it is."""
    _, answer = run(ScriptedModel(TRUE + "\n", FALSE), "medicine")
    assert "500毫克" in answer.answer
    assert "800" not in answer.answer
    assert "五次" not in answer.answer


def test_in_finance_it_is_written_again_before_anything_is_shown() -> None:
    """The model is told what was not found; only the second draft leaves the service."""
    model = CorrectingModel()
    events, answer = run(model, "finance")
    assert len(model.calls) == 2
    assert not any("800" in event.text for event in events if isinstance(event, TextReleased))
    assert "500毫克" in answer.answer
    assert [event for event in events if isinstance(event, CitationChecked)]


def test_a_model_that_repeats_itself_is_not_asked_a_third_time() -> None:
    """What the second draft still says without a source is left out, and that is said."""
    model = ScriptedModel(FALSE)
    _, answer = run(model, "finance")
    assert len(model.calls) == 2
    assert "800" not in answer.answer
    assert "有 1 句与所引原文不符或在其中找不到依据" in answer.answer
