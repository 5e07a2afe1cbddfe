"""Bounded asking, never one question twice, then advice."""

from __future__ import annotations

from typing import Any

import pytest

from ragsvc.errors import UpstreamFailed
from ragsvc.generation.literal_template import find_template
from ragsvc.records import AskRequest, TextPiece, Turn, Usage
from ragsvc.strategies import searched_question
from ragsvc.strategies.asking import is_new, questions_asked, read_question
from ragsvc.strategies.bianque import MOST_QUESTIONS
from tests.doubles import make_passage
from tests.unit.strategies.runs import END, Calls, run_of

HEADACHE = make_passage(
    "偏头痛发作时应在安静的暗室休息，首选非甾体抗炎药。", work="偏头痛诊疗", title="偏头痛诊疗", locator="治疗"
)
QUESTION = "我头疼"
ASKED = "头疼持续多久了？"
ONE_TURN = (Turn("user", "我头疼"), Turn("assistant", ASKED))


async def ask(model: Any, **changes: Any) -> Any:
    return await run_of("bianque", model, (HEADACHE,), **{"question": QUESTION, "domain": "medicine", **changes})


async def test_the_first_turn_is_asked_back() -> None:
    """One question comes back with its number; nothing is answered, and what the call used is said."""
    used = TextPiece(finish_reason="stop", usage=Usage(prompt_tokens=9, completion_tokens=4))
    model = Calls(["头疼持续多久了", "？另外体温呢？", used])
    run = await ask(model)
    assert run.clarify is not None
    assert (run.clarify.question, run.clarify.number, run.clarify.most) == (ASKED, 1, MOST_QUESTIONS)
    assert (run.text, len(model.calls), run.pieces[-1].usage) == ("", 1, used.usage)


async def test_a_reply_may_be_asked_again_and_the_prompt_says_what_was_asked() -> None:
    """The dialogue and the list of questions go to the model."""
    model = Calls("有没有呕吐？")
    run = await ask(model, question="三天", history=ONE_TURN)
    assert run.clarify is not None
    assert run.clarify.number == 2
    assert f"不要再问：\n- {ASKED}" in model.calls[0][0].content
    assert [message.content for message in model.calls[0][1:]] == ["我头疼", ASKED, "三天"]


@pytest.mark.parametrize(
    "again",
    [
        ASKED,
        "头疼持续多久了?",
        "请问头疼持续多久了呢？",
        "无需追问",
        "",
        "多喝水，好好休息。",
        [UpstreamFailed("wrote nothing")],
    ],
)
async def test_a_question_twice_or_none_leads_to_advice(again: Any) -> None:
    """The same question in other signs, none at all, advice or nothing: the second call advises from the passages."""
    model = Calls(again, "应在暗室休息[1]。")
    run = await ask(model, question="三天", history=ONE_TURN)
    assert run.clarify is None
    assert run.text == "应在暗室休息[1]。"
    assert "不要再提问" in model.calls[1][0].content
    assert HEADACHE.text in model.calls[1][-1].content


async def test_asking_is_bounded() -> None:
    """After so many questions the model is not asked for another."""
    words = ("体温", "呕吐", "视力", "用药", "睡眠", "外伤", "颈部僵硬", "过敏")
    history = [turn for word in words for turn in (Turn("user", "嗯"), Turn("assistant", f"有没有{word}方面的情况？"))]
    model = Calls("应在暗室休息[1]。")
    run = await ask(model, question="没有", history=tuple(history))
    assert run.text == "应在暗室休息[1]。"
    assert len(model.calls) == 1


async def test_after_advice_it_does_not_begin_to_ask_again() -> None:
    """A turn that follows advice is answered."""
    history = (*ONE_TURN, Turn("user", "三天"), Turn("assistant", "应在暗室休息[1]。"))
    run = await ask(Calls("可以用非甾体抗炎药[1]。"), question="能吃药吗", history=history)
    assert run.text == "可以用非甾体抗炎药[1]。"


async def test_advice_needs_sources() -> None:
    """Where what was found does not suffice it still asks, but never advises."""
    run = await ask(Calls(ASKED), why_abstain=lambda _: "weak")
    assert run.clarify is not None
    model = Calls("无需追问")
    run = await ask(model, question="三天", history=ONE_TURN, why_abstain=lambda _: "weak")
    assert run.declined is not None
    assert len(model.calls) == 1


async def test_its_own_model_reads_the_dialogue_alone() -> None:
    """As it was trained to ask: 病人, 医生, and no instruction."""
    model = Calls(["有没有", "发烧？", END], template="bianque-2")
    await ask(model, question="三天", history=ONE_TURN)
    assert find_template("bianque-2").render(model.calls[0]) == f"病人：我头疼\n医生：{ASKED}\n病人：三天\n医生："


def test_all_that_was_said_is_searched_for() -> None:
    """A reply alone would find nothing."""
    request = AskRequest(question="三天", collections=(), history=ONE_TURN)
    assert searched_question("bianque", request) == "我头疼 三天"


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("请问您多大年纪？", "请问您多大年纪？"),
        ("明白了。您发烧吗？还有呢？", "您发烧吗？"),
        ("有没有发烧", "有没有发烧"),
        ("How long has it lasted?", "How long has it lasted?"),
        ("您发烧吗[1]？", "您发烧吗？"),
        ("建议休息。", ""),
        ("？？", ""),
        ("您" * 300 + "？", ""),
        ("", ""),
    ],
)
def test_what_is_a_question(text: str, question: str) -> None:
    """The first sentence that asks, without marks; not a text of any length that ends with the sign."""
    assert read_question(text) == question


def test_new_questions() -> None:
    """Another subject is new, other politeness is not."""
    assert is_new("有没有呕吐？", [ASKED])
    assert not is_new("请问头疼持续多久了？", [ASKED])
    assert is_new(ASKED, [])


def test_a_long_answer_that_ends_in_a_question_is_no_question_back() -> None:
    """Advice counts as advice."""
    long = "应当休息。" * 100 + "明白了吗？"
    assert questions_asked(AskRequest(question="嗯", collections=(), history=(Turn("assistant", long),))) == []
