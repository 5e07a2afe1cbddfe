"""A claim laid along a source: what it repeats, and what it changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.citing.alignment import align, words_of
from ragsvc.citing.differences import Comparison, claim_words, compare
from ragsvc.citing.exchanges import find_exchange

LEASE = (
    "第七百一十三条 承租人在租赁物需要维修时可以请求出租人在合理期限内维修。出租人未履行维修义务的，"
    "承租人可以自行维修，维修费用由出租人负担。因维修租赁物影响承租人使用的，应当相应减少租金或者延长租期。"
)
FINE = "受理机关应当自收到申请之日起三十日内作出决定；情节严重的，处五万元以上二十万元以下的罚款。"
RANK = "一级关务督办每四年晋升一级，期满而且考核合格的，应当予以晋升。"
BREACH = (
    "In the case of a personal data breach, the controller shall notify the supervisory authority without undue delay "
    "and, where feasible, not later than 72 hours after having become aware of it."
)
DOSE = "For children the recommended dose is 15 mg/kg twice daily for 10 days."
REVENUE = "Revenue of the company for the year 2023 rose to $4.2 million, which is 12% more than in the year before."


def compared(claim: str, source: str) -> Comparison:
    found = compare(claim, claim_words(claim), source, words_of(source))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("出租人未履行维修义务的，承租人可以自行维修，维修费用由出租人负担。", LEASE),
        ("因维修租赁物影响承租人使用的，应相应减少租金或者延长租期", LEASE),
        ("受理机关应当自收到申请之日起30日内作出决定", FINE),
        ("情节严重的，处5万元以上20万元以下罚款", FINE),
        ("the controller shall notify the supervisory authority not later than 72 hours", BREACH),
        ("The recommended dose is 15 mg/kg two times a day.", DOSE),
        ("Revenue of the company for the year 2023 rose to USD 4,200,000.", REVENUE),
    ],
)
def test_what_a_source_says_is_supported(claim: str, source: str) -> None:
    """Clauses left out, a shorter 应 and another way to write a number change nothing."""
    found = compared(claim, source)
    assert found.differences == ()
    assert found.is_supported


@pytest.mark.parametrize(
    ("kind", "claim", "source"),
    [
        ("number", "受理机关应当自收到申请之日起60日内作出决定", FINE),
        ("number", RANK.replace("每四年", "每四日"), RANK),
        ("number", "情节严重的，处五元以上二十万元以下的罚款", FINE),
        ("bound", "情节严重的，处五万元以下二十万元以下的罚款", FINE),
        ("modality", "因维修租赁物影响承租人使用的，可以相应减少租金或者延长租期", LEASE),
        ("negation", "出租人履行维修义务的，承租人可以自行维修，维修费用由出租人负担", LEASE),
        ("party", "出租人未履行维修义务的，承租人可以自行维修，维修费用由承租人负担", LEASE),
        ("connective", "因维修租赁物影响承租人使用的，应当相应减少租金和延长租期", LEASE),
        ("modality", BREACH.replace("shall", "may"), BREACH),
        ("number", BREACH.replace("72", "48"), BREACH),
        ("party", "租赁物需要维修时出租人可以请求承租人在合理期限内维修。", LEASE),
        ("negation", "履行维修义务的，承租人可以自行维修，维修费用由出租人负担。", LEASE),
        ("order", "受理机关应当自作出决定之日起三十日内收到申请；情节严重的，处五万元以上二十万元以下的罚款。", FINE),
        ("opposite", BREACH.replace("the controller", "the processor"), BREACH),
        ("number", DOSE.replace("15", "10"), DOSE),
        ("number", DOSE.replace("mg/kg", "mg"), DOSE),
        ("number", DOSE.replace("twice", "once"), DOSE),
        ("number", REVENUE.replace("million", "billion"), REVENUE),
        ("opposite", REVENUE.replace("rose", "fell"), REVENUE),
    ],
)
def test_one_change_is_found_and_named(kind: str, claim: str, source: str) -> None:
    """Numbers, bounds, duties, negations, parties, opposites, and/or: each where the other words are the source's."""
    found = compared(claim, source)
    assert kind in [difference.kind for difference in found.differences]
    assert not found.is_supported


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("一般来说，房东应当负责把房子修好，自己修了可以找他报销。", LEASE),
        ("我们公司共有60人，去年交了三万元。", FINE),
        ("如果房东没有修，可以自己修。", LEASE),
    ],
)
def test_a_paraphrase_is_neither(claim: str, source: str) -> None:
    """Where the words are the writer's own, nothing is said to differ."""
    found = compare(claim, claim_words(claim), source, words_of(source))
    assert found is None or (not found.differences and not found.is_supported)


def test_the_span_holds_what_the_claim_repeats_and_changes() -> None:
    """The quotation shown beside a wrong number has the right one."""
    found = compared("受理机关应当自收到申请之日起作出决定的期限为60日", FINE)
    start, end = found.span
    assert FINE[start:end].startswith("受理机关")
    wrong = compared("情节严重的，处五万元以上三十万元以下的罚款", FINE)
    assert "二十万元" in FINE[slice(*wrong.span)]


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("经劳动者与用人单位双方签名或者盖章后生效。", "经用人单位与劳动者双方签名或者盖章后生效。"),
        ("应当书面通知被许可人，在三日内变更登记。", "应当在三日内变更登记，书面通知被许可人。"),
        ("以租赁、买卖、赠与取得的财物应当依法登记。", "以赠与、买卖、租赁取得的财物应当依法登记。"),
    ],
)
def test_what_may_stand_in_either_order_is_no_exchange(claim: str, source: str) -> None:
    """Items of a list, what 与 joins and neighbours that changed places say the same."""
    assert find_exchange(claim, words_of(claim), words_of(source)) is None


def test_only_what_introduces_is_left_out() -> None:
    """根据…的规定 around a name is no claim; 依照法律规定 inside the sentence is one."""
    text = "根据《甲法》第一条的规定，人民法院依照法律规定独立行使审判权。"
    assert "".join(word.key for word in claim_words(text, [(2, 9)])) == "人民法院依照法律规定独立行使审判权"
    text = "《甲法》第一条规定：（四）国务院规定的其他情形。"
    assert "".join(word.key for word in claim_words(text, [(0, 7)])) == "国务院规定的其他情形"
    text = "《适用法律的规定》第五条明确规定，人民法院可以协商。"
    assert "".join(word.key for word in claim_words(text, [(0, 12)])) == "人民法院可以协商"
    text = "首先，国务院发布的《甲条例》同时废止。"
    assert "".join(word.key for word in claim_words(text, [(9, 14)])) == "国务院发布的同时废止"


@given(st.text("三十日内应当可以不，。 ab12", max_size=60), st.text("三十日内应当可以不，。 ab12", max_size=120))
def test_an_alignment_pairs_equal_words_in_order(claim: str, source: str) -> None:
    """Whatever the texts, pairs go forward in both and join the same words."""
    found = align(words_of(claim), words_of(source))
    if found:
        assert all(found.claim[i].key == found.source[j].key for i, j in found.pairs)
        assert all(a < c and b < d for (a, b), (c, d) in zip(found.pairs, found.pairs[1:], strict=False))


@given(st.text("第一百条款项三十日元万，。 ab12%", max_size=80))
def test_words_stand_where_they_say(text: str) -> None:
    """Words are in order, and each is a range of the text."""
    words = words_of(text)
    assert all(0 <= word.start < word.end <= len(text) for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
