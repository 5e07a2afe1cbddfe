"""What a domain says and refuses by its data files, on questions written without looking at the patterns."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Literal

import pytest

from ragsvc.domains.law.gates import compare_norms, places_in
from ragsvc.domains.pack import find_pack
from tests.doubles import make_passage

Language = Literal["zh", "en"]
DATA = Path(__file__).parent / "data"
QUESTIONS = Path(__file__).parents[3] / "corpora/questions"
ACT = make_passage(
    "用人单位应当自用工之日起三十日内与劳动者订立书面劳动合同。",
    work="中华人民共和国劳动合同法", locator="第十条", document_id="act",
)  # fmt: skip
LOCAL = make_passage(
    "用人单位应当自用工之日起六十日内与劳动者订立书面劳动合同。",
    work="山东省劳动合同条例", locator="第九条", document_id="local",
)  # fmt: skip
FACTS = {"act": ("法律", "全国人民代表大会常务委员会"), "local": ("地方性法规", "山东省人民代表大会常务委员会")}


def is_red_flag(question: str, language: Language) -> bool:
    found = find_pack("medicine").gates.of_question(question, language)
    return any(finding.kind == "red_flag" for finding in found)


def read_labelled(name: str) -> list[tuple[str, bool]]:
    lines = (DATA / name).read_text("utf-8").splitlines()
    return [(line[2:], line[0] == "+") for line in lines if line[0] in "+-"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_emergencies_are_told_from_other_questions(language: Language) -> None:
    """Of at least 60 of each kind no emergency is missed and no other question is alarmed at.

    Both rounds were scored before the patterns were mended after them (36 of 63 and 4 of 15 found, zh; 52 of 64 and 9
    of 15, en), and the weights were fitted on them too: what is found of other words, the next test says.
    """
    labelled = read_labelled(f"red_flags.{language}.txt")
    assert min(sum(is_one for _, is_one in labelled), sum(not is_one for _, is_one in labelled)) >= 60
    assert [question for question, is_one in labelled if is_red_flag(question, language) != is_one] == []


@pytest.mark.parametrize(("language", "found", "false"), [("zh", 50, 9), ("en", 40, 5)])
def test_emergencies_in_words_nobody_foresaw(language: Language, found: int, false: int) -> None:
    """Of 75 emergencies in roundabout words 50 are found (zh) and 40 (en); patterns alone find 2 and none.

    The set was written after the weights and scored once; nothing was changed by it. Precision is .85 and .89 beside 75
    near misses. One emergency in three (zh), or nearly half (en), is missed: those told by a comparison (like a kettle,
    like cotton wool), by a figure alone (a reading of 79, a temperature at seventeen days), or by what was found (a
    note, a rope) rather than by what is wrong. The author of the set is the author of the questions learnt from, so
    other people's words may fare worse. Silence is never a sign that all is well.
    """
    labelled = read_labelled(f"red_flags_test.{language}.txt")
    raised = [is_one for question, is_one in labelled if is_red_flag(question, language)]
    assert [is_one for _, is_one in labelled].count(True) == [is_one for _, is_one in labelled].count(False) == 75
    assert raised.count(True) >= found
    assert raised.count(False) <= false


@pytest.mark.parametrize(
    ("language", "files", "share"),
    [("zh", ["medicine_zh_lay"], 0.035), ("en", ["health_en_lay", "medicine_en_lay"], 0.02)],
)
def test_few_ordinary_questions_are_alarmed_at(language: Language, files: list[str], share: float) -> None:
    """Of questions that nothing was fitted on: 7 of 226 (zh) and 6 of 383 (en), less those labelled as emergencies.

    The bias allows 2 % of the 2,178 and 2,929 others, each scored by weights that did not see it.
    """
    labelled = {row["question"] for row in read_rows(f"red_flags_{language}")}
    rows = [row for name in files for row in read_rows(name) if row["split"] == "dev"]
    ordinary = [row["question"] for row in rows if row["question"] not in labelled]
    assert len(ordinary) > 200
    assert sum(is_red_flag(question, language) for question in ordinary) <= share * len(ordinary)


def read_rows(name: str) -> list[dict[str, str]]:
    with gzip.open(QUESTIONS / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_the_test_was_not_learnt_from() -> None:
    """No question of the test is among the labelled questions that the weights were fitted on."""
    for language in ("zh", "en"):
        learnt = {row["question"] for row in read_rows(f"red_flags_{language}")}
        assert not learnt & {question for question, _ in read_labelled(f"red_flags_test.{language}.txt")}


def test_what_no_pattern_names_gets_a_general_notice_about_help() -> None:
    """In the reader's language, with its own topic, and with a word for those who think of harming themselves."""
    gates = find_pack("medicine").gates
    question = "娃软得像面条，叫了也不睁眼，一天没尿"
    assert not gates.foresees(question)
    [found] = gates.of_question(question, "en")
    assert (found.kind, found.severity, found.topic) == ("red_flag", "urgent", "possible_emergency")
    assert "emergency number" in found.text
    assert "crisis line" in found.text


def test_the_text_is_in_the_readers_language() -> None:
    """A Chinese description asked for an English answer gets the English text, with its own topic."""
    [found] = find_pack("medicine").gates.of_question("我爸嘴歪了，半边身子动不了", "en")
    assert (found.kind, found.severity, found.topic) == ("red_flag", "urgent", "stroke")
    assert "emergency number" in found.text


def test_age_and_pregnancy_are_asked_about_where_the_source_depends_on_them() -> None:
    """Only when the question is about taking something, and does not say."""
    leaflet = make_passage("成人一次一片。儿童用量减半。孕妇禁用。")
    gates = find_pack("medicine").gates
    assert [f.topic for f in gates.of_passages("这个药怎么吃？", [leaflet], "zh")] == ["age", "pregnancy"]
    assert gates.of_passages("孩子3岁，这个药怎么吃？", [leaflet], "zh") == []
    assert gates.of_passages("这个药是哪家公司生产的？", [leaflet], "zh") == []


def test_of_two_norms_the_higher_prevails() -> None:
    """A statute and a local regulation that differ: a warning with both places."""
    [pair, place] = compare_norms("书面劳动合同的期限", [LOCAL, ACT], "zh", FACTS)
    assert (pair.kind, pair.severity, pair.topic) == ("hierarchy", "warning", "higher")
    assert "适用《中华人民共和国劳动合同法》第十条" in pair.text
    assert [number for number, _, _ in pair.places] == [2, 1]
    assert (place.kind, place.topic) == ("jurisdiction", "local_unsaid")


@pytest.mark.parametrize(
    ("question", "topics"),
    [("我在广州，多久签劳动合同", ["local_other"]), ("我在青岛，多久签劳动合同", []), ("山东多久签劳动合同", [])],
)
def test_a_local_norm_holds_in_its_own_place(question: str, topics: list[str]) -> None:
    """A city of the province is in it; another province is not."""
    assert [f.topic for f in compare_norms(question, [LOCAL], "zh", FACTS)] == topics


def test_a_place_is_the_narrowest_that_is_named() -> None:
    """广东省深圳市 is 深圳."""
    assert places_in("广东省深圳市的规定") == ["深圳"]


def test_special_goes_before_general() -> None:
    """By the table of general and special laws, whichever is newer."""
    general = make_passage("经营者提供商品有欺诈行为的，应当赔偿消费者的损失，承担违约责任。", document_id="a")
    special = make_passage(
        "经营者提供商品有欺诈行为的，应当增加赔偿消费者的损失，增加赔偿的金额为价款的三倍。",
        work="中华人民共和国消费者权益保护法", document_id="b",
    )  # fmt: skip
    facts = {"a": ("法律", "全国人民代表大会"), "b": ("法律", "全国人民代表大会常务委员会")}
    [found] = compare_norms("欺诈怎么赔", [general, special], "zh", facts)
    assert (found.topic, found.places[0][0]) == ("special", 2)


@pytest.mark.parametrize("question", ["这只股票现在能买吗", "should I sell my shares now?"])
def test_advice_to_trade_is_declined_and_never_given(question: str) -> None:
    """The question gets a notice; a sentence that advises is refused, one that reports is not."""
    gates = find_pack("finance").gates
    assert [f.kind for f in gates.of_question(question, "zh")] == ["advice"]
    assert gates.of_question("公司2023年营业收入是多少", "zh") == []
    assert gates.refuses("建议投资者逢低买入。")
    assert gates.refuses("I would recommend buying the stock.")
    assert not gates.refuses("公司2023年回购股票100万股。")
