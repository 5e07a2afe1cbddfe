"""Entity and attribute are looked up in a table that is read off the collection."""

from __future__ import annotations

from typing import Any

import pytest

from ragsvc.errors import UpstreamFailed
from ragsvc.strategies.bentsao import read_fields
from ragsvc.strategies.calls import prompts
from ragsvc.strategies.knowledge_table import attributes_in, extract_rows, look_up, named_entity
from tests.doubles import StoredTexts, make_passage
from tests.unit.strategies.runs import Calls, Run, run_of

ATTRIBUTES = prompts("bentsao")["zh"]["attributes"]
PAGE = make_passage(
    "偏头痛是常见病。偏头痛的症状有搏动性头痛和恶心。治疗可用非甾体抗炎药。",
    work="偏头痛", title="偏头痛", locator="", heading_path=(), version_id="v1",
)  # fmt: skip
HEADED = make_passage(
    "怕光、怕声，持续4至72小时。",
    work="偏头痛",
    title="偏头痛",
    locator="",
    heading_path=("临床表现",),
    version_id="v2",
)
OTHER = make_passage("感冒的症状有流涕。", work="感冒", title="感冒", locator="", heading_path=(), version_id="v3")
QUESTION = "得了偏头痛会有哪些症状"


async def ask(model: Any, passages: Any = (PAGE, HEADED, OTHER), **changes: Any) -> Run:
    return await run_of("bentsao", model, passages, **{"question": QUESTION, "domain": "medicine", **changes})


async def test_the_three_stages() -> None:
    """Fill, look up, answer from the rows: places in the passages, that are still found in the stored text."""
    model = Calls("中心词：偏头痛\n属性：症状", "有搏动性头痛和恶心[1]。怕光、怕声[2]。")
    run = await ask(model)
    assert run.searched[0].question == "偏头痛 症状"
    assert run.passages is not None
    assert [passage.text for passage in run.passages] == ["偏头痛的症状有搏动性头痛和恶心。", HEADED.text]
    stored = StoredTexts((PAGE, HEADED))
    assert all(stored.read(p.version_id, p.start, p.end) == p.text for p in run.passages)
    assert "知识表" in model.calls[1][0].content
    assert run.steps["fill"].gave == "中心词：偏头痛\n属性：症状"
    assert "偏头痛 | 症状 | 偏头痛的症状有" in run.steps["look_up"].gave
    assert run.text == "有搏动性头痛和恶心[1]。怕光、怕声[2]。"


@pytest.mark.parametrize(
    "fill", ["", "症状是头痛。", "中心词：不存在的病\n属性：症状", [UpstreamFailed("HTTP 500")], ["好"] * 50_000]
)
async def test_what_is_filled_badly_is_read_off_the_question(fill: Any) -> None:
    """Nothing, prose, an unknown entity: the longest title in the question and its words for an attribute."""
    run = await ask(Calls(fill, "头痛[1]。"))
    assert run.steps["look_up"].given == "偏头痛 | 症状"
    assert run.passages is not None
    assert len(run.passages) == 2


async def test_an_attribute_that_the_table_does_not_hold_gives_all_of_the_entity() -> None:
    """Better what is known of the entity than nothing."""
    run = await ask(Calls("中心词：偏头痛\n属性：预后", "好[1]。"))
    assert run.passages is not None
    assert len(run.passages) == 3


async def test_nothing_found_is_answered_from_the_passages_of_the_question() -> None:
    """The step says so, and no row is made up."""
    run = await ask(Calls("中心词：糖尿病\n属性：症状", "流涕[1]。"), (OTHER,), question="糖尿病有什么症状")
    assert run.steps["look_up"].gave == "未找到"
    assert run.passages is None
    assert run.text == "流涕[1]。"


async def test_without_a_model_the_rows_are_quoted() -> None:
    """The question's own words name entity and attribute; without rows its passages are quoted."""
    run = await ask(None)
    assert run.text == (
        "以下为原文摘录，非生成内容：\n\n《偏头痛》：“偏头痛的症状有搏动性头痛和恶心。”[1]\n\n"
        "《偏头痛》：“怕光、怕声，持续4至72小时。”[2]"
    )
    run = await ask(None, (OTHER,), question="糖尿病")
    assert "感冒的症状有流涕。" in run.text


def test_fields() -> None:
    """Both languages, any spelling of the attribute that its words show; a sentence is no entity."""
    assert read_fields("中心词：偏头痛\n属性：临床表现", ATTRIBUTES) == ("偏头痛", "症状")
    assert read_fields("Entity: migraine\nAttribute: 治疗", ATTRIBUTES) == ("migraine", "治疗")
    assert read_fields(f"中心词：{'病' * 60}\n属性：天气", ATTRIBUTES) == ("", "")


def test_the_table() -> None:
    """A heading states the attribute of the whole passage; otherwise its sentences do; law has none of these."""
    rows = extract_rows((PAGE, HEADED), ATTRIBUTES)
    assert [(row.entity, row.attribute) for row in rows] == [
        ("偏头痛", "症状"),
        ("偏头痛", "治疗"),
        ("偏头痛", "症状"),
        ("临床表现", "症状"),
    ]
    assert look_up(rows, "偏 头痛", "治疗")[0].passage.text == "治疗可用非甾体抗炎药。"
    assert look_up(rows, "头痛", "治疗"), "a name that holds it is near"
    assert look_up(rows, "痛", "治疗") == look_up(rows, "", "") == []
    assert named_entity("Migraine？偏头痛", (PAGE,)) == "偏头痛"
    assert named_entity("感冒", (PAGE,)) == ""


def test_english_words_match_at_their_beginning() -> None:
    """The word designed says nothing of signs."""
    attributes = prompts("bentsao")["en"]["attributes"]
    assert attributes_in("What are the Signs and causes?", attributes) == ["symptoms", "causes"]
    assert attributes_in("It was designed well.", attributes) == []
