"""Assistant, researcher, lawyer, editor: each step with what it was given and gave, and a report of four parts."""

from __future__ import annotations

from typing import Any

import pytest

from ragsvc.citing import AnswerChecker, SentenceCutter
from ragsvc.errors import UpstreamFailed
from ragsvc.records import Passage, Turn
from ragsvc.strategies.chatlaw_sop import MOST_QUESTIONS, read_case
from tests.doubles import StoredTexts, make_passage
from tests.unit.strategies.runs import Calls, Run, run_of

DIVORCE = make_passage(
    "有下列情形之一，调解无效的，应当准予离婚：重婚或者与他人同居。", locator="第一千零七十九条", chunk_id="c1"
)
CHILD = make_passage(
    "已满两周岁的子女，父母双方对抚养问题协议不成的，由人民法院判决。", locator="第一千零八十四条", chunk_id="c2"
)
LIMIT = make_passage("诉讼时效期间为三年。", locator="第一百八十八条", chunk_id="c3")
JUDGEMENT = make_passage(
    "本院认为，子女由母亲抚养。",
    work="李某诉王某离婚纠纷案判决书",
    title="李某诉王某离婚纠纷案判决书",
    locator="",
    chunk_id="c4",
)
QUESTION = "我老公出轨，要离婚，孩子3岁归谁？"
ASSISTANT = "案由：离婚纠纷\n事实：过错=老公出轨\n事实：子女=孩子3岁\n事实：财产=两套房子\n追问：无"
SEARCHES = {"子女抚养": (CHILD, JUDGEMENT), "离婚条件": (DIVORCE, LIMIT)}
VERDICTS = "1：不相关\n2：相关，准予离婚\n3：相关，抚养\n4：相关，案例"
SCRIPTS = (
    ASSISTANT,
    "子女抚养、离婚条件",
    VERDICTS,
    "调解无效的，应当准予离婚[2]。抚养问题协议不成的，由人民法院判决[1]。",
)


async def consult(model: Any, passages: tuple[Passage, ...] = (LIMIT,), **changes: Any) -> Run:
    return await run_of("chatlaw_sop", model, passages, **{"question": QUESTION, "searches": SEARCHES, **changes})


def released(run: Run) -> str:
    """What the checker lets out."""
    passages = run.passages or ()
    checker = AnswerChecker(passages, QUESTION, "zh", StoredTexts(passages).read)
    cutter = SentenceCutter()
    checker.finish([*cutter.feed(run.text), *cutter.finish()])
    assert (checker.withheld, checker.unfound) == (0, [])
    return checker.text


async def test_the_report() -> None:
    """Four parts: the facts that the user stated, the opinions, cases, laws; all of it passes the checks."""
    model = Calls(*SCRIPTS)
    run = await consult(model)
    assert [request.question for request in run.searched] == ["离婚纠纷 子女抚养", "离婚纠纷 离婚条件"]
    assert run.passages == (CHILD, DIVORCE, JUDGEMENT)
    assert released(run) == (
        "一、咨询问题\n- 过错=老公出轨\n- 子女=孩子3岁\n\n"
        "二、咨询意见\n" + SCRIPTS[3] + "\n\n"
        f"三、相关案例\n- 《李某诉王某离婚纠纷案判决书》：“{JUDGEMENT.text}”[3]\n\n"
        f"四、相关法律法规\n- 《中华人民共和国民法典》第一千零八十四条：“{CHILD.text}”[1]\n"
        f"- 《中华人民共和国民法典》第一千零七十九条：“{DIVORCE.text}”[2]"
    )


async def test_every_step_keeps_what_it_was_given_and_gave() -> None:
    """In the order of the firm's procedure."""
    run = await consult(Calls(*SCRIPTS))
    assert list(run.steps) == ["assistant", "researcher", "lawyer", "editor"]
    assert run.steps["assistant"].given == f"当事人：{QUESTION}"
    assert run.steps["assistant"].gave == ASSISTANT
    assert "第一千零八十四条" in run.steps["researcher"].gave
    assert "两套房子" not in run.steps["researcher"].given, "the user never said so"
    assert run.steps["lawyer"].gave == run.steps["editor"].given == VERDICTS


async def test_it_asks_back_for_what_is_missing() -> None:
    """A question is asked once, at most so often, and the reply goes into the facts."""
    model = Calls("案由：离婚\n追问：你们有共同财产吗？")
    run = await consult(model)
    assert run.clarify is not None
    assert (run.clarify.question, run.clarify.number, run.clarify.most) == ("你们有共同财产吗？", 1, MOST_QUESTIONS)
    history = (Turn("user", QUESTION), Turn("assistant", "你们有共同财产吗？"))
    again = Calls("追问：你们有共同财产吗？", *SCRIPTS[1:])
    run = await consult(again, question="没有", history=history)
    assert run.clarify is None
    assert "已经问过：你们有共同财产吗？" in again.calls[0][1].content
    many = tuple(Turn("assistant", f"有没有{word}？") for word in ("借条", "工资流水", "微信记录"))
    run = await consult(Calls("追问：有没有证人？", *SCRIPTS[1:]), history=many)
    assert run.clarify is None


@pytest.mark.parametrize("said", ["", "我觉得应该离婚。", [UpstreamFailed("wrote nothing")], ["事实："] * 50_000])
async def test_roles_that_keep_to_no_form(said: Any) -> None:
    """Whatever each of the first three writes, the report has its parts and rests on what the question found."""
    run = await consult(Calls(said, said, said, "由人民法院判决[1]。"), (CHILD,))
    text = released(run)
    assert f"一、咨询问题\n- {QUESTION}\n" in text
    assert "二、咨询意见\n由人民法院判决[1]。" in text
    assert "三、相关案例\n所检索的资料中没有。" in text
    assert f"“{CHILD.text}”[1]" in text


async def test_an_editor_that_writes_nothing_is_asked_plainly() -> None:
    """The opinions come from the usual prompt; the other parts are there."""
    run = await consult(Calls("", "", "", [UpstreamFailed("wrote nothing")], "由人民法院判决[1]。"), (CHILD,))
    assert "二、咨询意见\n由人民法院判决[1]。" in run.text


async def test_forged_marks_do_not_pass() -> None:
    """A mark without a proof is taken out of the opinions; those of the report itself stay."""
    run = await consult(Calls("", "", "", "应当净身出户[1]，另见[9]。“赔偿十万元整给女方”[1]。"), (CHILD,))
    checker = AnswerChecker((CHILD,), QUESTION, "zh", StoredTexts((CHILD,)).read)
    checker.finish([*(cutter := SentenceCutter()).feed(run.text), *cutter.finish()])
    assert "[9]" not in checker.text
    assert checker.withheld == 3
    assert [citation.quote for citation in checker.citations] == [CHILD.text]


async def test_nothing_relevant_is_not_answered() -> None:
    """The lawyer rejects everything, or the search was weak: declined, and no editor is asked."""
    model = Calls("", "", "1：不相关")
    run = await consult(model, (LIMIT,))
    assert run.declined is not None
    assert len(model.calls) == 3
    model = Calls(ASSISTANT, "子女抚养")
    run = await consult(model, why_abstain=lambda _: "weak")
    assert run.declined is not None
    assert (len(model.calls), run.searched) == (1, []), "terms that the model adds cannot make up for weak words"


async def test_help_to_break_the_law_is_refused() -> None:
    """The assistant's word ends it; nothing is searched or written."""
    model = Calls("拒绝：要求隐匿财产")
    run = await consult(model, question="离婚前怎么把钱藏起来不让老婆分到")
    assert "不能提供帮助" in run.text
    assert (run.searched, len(model.calls)) == ([], 1)


async def test_without_a_model() -> None:
    """The user's words are the facts, the best passages are relevant, the opinions are extracts."""
    low = make_passage("国徽应当悬挂。", locator="第四条", chunk_id="c5", score=0.1)
    run = await consult(None, (CHILD, low))
    text = released(run)
    assert run.passages == (CHILD,)
    assert (
        f"一、咨询问题\n- {QUESTION}\n\n二、咨询意见\n以下为原文摘录，非生成内容：\n\n《中华人民共和国民法典》" in text
    )
    assert run.pieces[-1].finish_reason == "stop"
    run = await consult(None, (CHILD, low), addressed=2)
    assert run.passages == (CHILD, low)


def test_facts_are_the_users() -> None:
    """A fact whose words or figures the user never said is left out; so is one without value."""
    case = read_case("事实：子女=孩子3岁\n事实：子女=孩子5岁\n事实：存款=一百万元\n事实：无\nFact: x = 出轨", QUESTION)
    assert case.facts == ("子女=孩子3岁", "x = 出轨")


async def test_in_english() -> None:
    """The same parts in English."""
    passage = make_passage("The controller shall erase personal data.", work="GDPR", title="GDPR", locator="Article 17")
    scripts = (
        "Matter: erasure\nQuestion: none",
        "erasure",
        "1: relevant",
        "The controller shall erase personal data [1].",
    )
    run = await consult(Calls(*scripts), (passage,), question="erase my personal data", searches={}, language="en")
    assert "IV. Relevant laws and regulations\n- GDPR, Article 17: “The controller" in run.text
