"""Whether a question leans on the one before it: on pairs that were written after the rules, and never fitted to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ragsvc.records import AskRequest, Turn
from ragsvc.strategies.conversation import needs_earlier, standing_question
from ragsvc.strategies.leaning import leans

PAIRS = [line.split("\t") for line in Path(__file__).with_name("followups.tsv").read_text("utf-8").splitlines()]


def asked(first: str, second: str, answer: str = "……") -> AskRequest:
    return AskRequest(question=second, collections=(), history=(Turn("user", first), Turn("assistant", answer)))


def test_the_pairs_are_two_languages_and_two_kinds() -> None:
    """What the figures below are of."""
    kinds = Counter((language, label) for language, label, _, _ in PAIRS)
    assert kinds == {("zh", "follow"): 26, ("zh", "new"): 20, ("en", "follow"): 18, ("en", "new"): 16}


def test_the_state_is_right_for_most_pairs_and_a_new_topic_is_hardly_ever_polluted() -> None:
    """At least 85 % in all; of new topics 95 % are searched for alone, of follow-ups 75 % with what they follow.

    A rule that knew only pronouns, connectives and length had 61 %, and let old turns into 39 % of the new topics.
    """
    right: Counter[str] = Counter()
    for _, label, first, second in PAIRS:
        expected = second if label == "new" else f"{first} {second}"
        right[label] += standing_question(asked(first, second)) == expected
    assert right["new"] >= 0.95 * 36
    assert right["follow"] >= 0.75 * 44
    assert right["new"] + right["follow"] >= 0.85 * len(PAIRS)


@pytest.mark.parametrize(
    ("question", "before", "expected"),
    [
        ("需要哪些材料？", "", True),
        ("What does it cost?", "", True),
        ("酒驾怎么办理", "", False),
        ("朋友借钱不还，我能起诉他吗", "", False),
        ("可以起诉他吗？", "", True),
        ("另外，醉酒驾驶怎么处罚", "房东不退押金怎么办", False),
        ("另外，房东不退押金怎么处罚", "房东不退押金怎么办", True),
        ("换个问题，那个呢", "", True),
        ("By the way, who pays?", "", True),
        ("By the way, what is a mortgage?", "", False),
        ("什么是定金", "", False),
        ("这是什么", "", True),
        ("感冒为什么会发烧呢", "", False),
        ("Is it legal to record a call?", "", False),
        ("Which data that are public may be used by banks?", "", False),
        ("", "", True),
    ],
)
def test_each_rule(question: str, before: str, expected: bool) -> None:
    """Nothing of its own, pronouns with and without what they stand for, continuations, announced changes, terms."""
    assert leans(question, before) is expected


def test_a_reply_goes_on_with_the_question_back_unless_it_asks_something_else() -> None:
    """What the user says to a question back is searched with the question; another question is not."""
    back = "您签了书面租赁合同吗？"
    assert needs_earlier(asked("房东不退押金怎么办", "签了一份两年的合同", back))
    assert needs_earlier(asked("房东不退押金怎么办", "租赁合同没签会怎么样，有什么影响吗", back))
    assert not needs_earlier(asked("房东不退押金怎么办", "醉酒驾驶机动车怎么处罚", back))


def test_what_a_model_wrote_is_searched_for() -> None:
    """It stands instead of the turns."""
    request = AskRequest(question="那呢？", collections=(), history=(Turn("user", "定金"),), standing="订金能退吗？")
    assert standing_question(request) == "订金能退吗？"
