"""Draft, retrieve with question and draft, choose the most suitable law."""

from __future__ import annotations

import pytest

from ragsvc.errors import UpstreamFailed, UpstreamTimeout
from ragsvc.generation.literal_template import find_template
from tests.doubles import make_passage
from tests.unit.strategies.runs import Calls, run_of

DIVORCE = make_passage("夫妻一方要求离婚的，可以由有关组织进行调解。", locator="第一千零七十九条", chunk_id="c1")
CHILD = make_passage("不满两周岁的子女，以由母亲直接抚养为原则。", locator="第一千零八十四条", chunk_id="c2")
PROPERTY = make_passage("离婚时，夫妻的共同财产由双方协议处理。", locator="第一千零八十七条", chunk_id="c3")
LIMIT = make_passage("诉讼时效期间为三年。", locator="第一百八十八条", chunk_id="c4")
QUESTION = "过不下去了孩子归谁"
DRAFT = "根据《民法典》第九百九十九条，不满两周岁的子女一般由母亲抚养。"
SEARCHES = {"不满两周岁": (CHILD, DIVORCE, PROPERTY, LIMIT)}


async def test_the_draft_bridges_question_and_law() -> None:
    """The search is question and draft; the answer is written from three articles and never from the draft."""
    model = Calls(DRAFT, "由母亲直接抚养[1]。")
    run = await run_of("lawgpt", model, (LIMIT,), question=QUESTION, searches=SEARCHES)
    assert model.calls[0][-1].content == f"{QUESTION}请给出法律依据"
    assert [request.question for request in run.searched] == [f"{QUESTION}\n{DRAFT}"]
    assert "address" not in run.searched[0].arms
    assert run.passages == (CHILD, DIVORCE, PROPERTY)
    assert "选择最合适的法律" in model.calls[1][0].content
    assert "九百九十九" not in "".join(message.content for message in model.calls[1])
    assert run.steps["draft"].gave == DRAFT
    assert run.text == "由母亲直接抚养[1]。"


async def test_chatglm_is_given_the_authors_prompt() -> None:
    """The model they tuned reads their words, byte for byte."""
    model = Calls(DRAFT, "由母亲抚养。", template="chatglm-6b")
    await run_of("lawgpt", model, (LIMIT,), question=QUESTION, searches={"不满": (CHILD, DIVORCE)})
    name = "《中华人民共和国民法典》"
    assert find_template("chatglm-6b").render(model.calls[1]) == (
        f"1、{name}第一千零八十四条：{CHILD.text}2、{name}第一千零七十九条：{DIVORCE.text}"
        f"请根据以上法律，选择最合适的法律生成问题的合理答复，问题是：{QUESTION}"
    )


@pytest.mark.parametrize("draft", ["", [UpstreamFailed("wrote nothing")]])
async def test_without_a_draft_the_question_finds(draft: object) -> None:
    """Nothing to add: the articles of the question, without another search."""
    run = await run_of("lawgpt", Calls(draft, "三年[1]。"), (LIMIT, CHILD, DIVORCE, PROPERTY), question=QUESTION)  # type: ignore[arg-type]
    assert run.searched == []
    assert run.passages == (LIMIT, CHILD, DIVORCE)


async def test_a_draft_without_end_is_cut() -> None:
    """No more of it is waited for or searched than says what it is about."""
    model = Calls(["抚养"] * 50_000, "好[1]。")
    run = await run_of("lawgpt", model, (CHILD,), question=QUESTION)
    assert len(run.searched[0].question) < 700
    assert model.closed == 2


async def test_what_the_question_names_stays_first() -> None:
    """An article that the question itself names is kept, and not twice; a search that finds nothing leaves it."""
    run = await run_of(
        "lawgpt", Calls(DRAFT, "好[1]。"), (CHILD, LIMIT), question=QUESTION, searches=SEARCHES, addressed=1
    )
    assert run.passages == (CHILD, DIVORCE, PROPERTY)
    run = await run_of("lawgpt", Calls(DRAFT, "好[1]。"), (LIMIT,), question=QUESTION, searches={"不满": ()})
    assert run.passages == (LIMIT,)


async def test_a_model_that_is_not_there_fails_at_once() -> None:
    """A draft that does not come in time would be followed by an answer that does not either."""
    model = Calls([UpstreamTimeout("silent")])
    with pytest.raises(UpstreamTimeout):
        await run_of("lawgpt", model, (LIMIT,), question=QUESTION)
    assert len(model.calls) == 1


async def test_articles_that_do_not_fit_the_authors_prompt_are_cut() -> None:
    """Their form has no place to say so, but the model reads the beginning of each."""
    long = make_passage("子女由母亲抚养。" * 300, locator="第一条", chunk_id="c9")
    model = Calls(DRAFT, "好。", template="chatglm-6b", prompt_tokens=2_000)
    await run_of("lawgpt", model, (long,), question=QUESTION)
    assert len(model.calls[1][-1].content) < 500
