"""One disease, its page, and nothing under the threshold."""

from __future__ import annotations

from typing import Any

import pytest

from ragsvc.errors import UpstreamFailed
from ragsvc.strategies.doctorglm import LEAST_COSINE, nearest_title, read_name
from tests.doubles import WordEmbedder, make_passage
from tests.unit.strategies.runs import Calls, Run, run_of

MIGRAINE = make_passage(
    "发作时应在暗室休息。", work="偏头痛", title="偏头痛", locator="", heading_path=(), document_id="d1"
)
COLD = make_passage("多饮水。", work="普通感冒", title="普通感冒", locator="", heading_path=(), document_id="d2")
QUESTION = "半边脑袋一跳一跳地疼"
SEARCHES = {"偏头痛": (COLD, MIGRAINE), QUESTION: (MIGRAINE,)}


async def ask(model: Any, passages: Any = (COLD,), **changes: Any) -> Run:
    return await run_of(
        "doctorglm", model, passages, **{"question": QUESTION, "domain": "medicine", "searches": SEARCHES, **changes}
    )


async def test_rewrite_look_up_answer() -> None:
    """The name finds the page; within it the question finds the passages; the name is no diagnosis."""
    model = Calls("偏头痛。", "应在暗室休息[1]。")
    run = await ask(model)
    assert [(request.question, request.filters.documents) for request in run.searched] == [
        ("偏头痛", ()),
        (QUESTION, ("d1",)),
    ]
    assert run.passages == (MIGRAINE,)
    assert "不超过六个字" in model.calls[0][0].content
    assert "不是诊断" in model.calls[1][0].content
    assert run.steps["rewrite"].gave == "偏头痛。"
    assert run.steps["look_up"].gave == "偏头痛 1.000"
    assert run.text == "应在暗室休息[1]。"


async def test_under_the_threshold_there_is_no_context_and_no_answer() -> None:
    """A disease that no page is near to: declined, and the model is not asked to answer from memory."""
    for found in ((COLD,), ()):
        model = Calls("带状疱疹")
        run = await ask(model, found)
        assert run.declined is not None
        assert run.declined.cause == "weak"
        assert len(model.calls) == 1


@pytest.mark.parametrize(
    "name",
    [
        "",
        "可能是偏头痛，建议就医。",
        "这个患者的情况看起来非常像是偏头痛",
        [UpstreamFailed("HTTP 500")],
        ["疼"] * 50_000,
    ],
)
async def test_a_model_that_names_no_disease_is_passed_over(name: Any) -> None:
    """A title that the question holds is looked up; without one its own passages are judged and answered from."""
    run = await ask(Calls(name, "应在暗室休息[1]。"), (MIGRAINE,), question="偏头痛怎么办")
    assert run.passages == (MIGRAINE,)
    run = await ask(Calls(name, "多饮水[1]。"))
    assert (run.passages, run.text) == (None, "多饮水[1]。")
    run = await ask(Calls(name, "多饮水[1]。"), why_abstain=lambda _: "weak")
    assert run.declined is not None


async def test_without_a_model() -> None:
    """The title in the question is looked up and quoted."""
    run = await ask(None, (MIGRAINE, COLD), question="偏头痛")
    assert "《偏头痛》：“发作时应在暗室休息。”[1]" in run.text


async def test_a_page_whose_passages_are_gone() -> None:
    """When the second search finds nothing the passage that named the page is what there is."""
    run = await ask(Calls("偏头痛", "休息[1]。"), searches={"偏头痛": (MIGRAINE,), QUESTION: ()})
    assert run.passages == (MIGRAINE,)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("偏头痛", "偏头痛"),
        ("疾病名称：“偏头痛”。\n因为……", "偏头痛"),
        ("Disease: migraine with aura", "migraine with aura"),
        ("I think that this is probably a migraine", ""),
        ("痛", ""),
        ("", ""),
    ],
)
def test_names(text: str, name: str) -> None:
    """The first line, without label and signs, if it is short enough for a name."""
    assert read_name(text) == name


def test_the_nearest_title() -> None:
    """By cosine; another spelling of the words is near, another disease is not."""
    title, cosine = nearest_title("偏头痛", ["普通感冒", "偏头痛诊疗"], WordEmbedder())
    assert title == "偏头痛诊疗"
    assert cosine >= LEAST_COSINE
