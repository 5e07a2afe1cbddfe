"""Words that are usual in questions weigh less than their rarity in the texts says."""

from __future__ import annotations

import math
from pathlib import Path

from ragsvc.indexing.question_words import bound_weight, read_shares
from ragsvc.training.question_words import count_shares, read_questions

QUESTIONS = Path(__file__).parents[3] / "corpora/questions"


def test_the_table_is_counted_over_the_questions_that_ship() -> None:
    """Counting again gives the table: it comes from nowhere else."""
    assert count_shares(read_questions(QUESTIONS)) == dict(read_shares())


def test_a_share_is_the_highest_of_the_groups_and_a_question_counts_once() -> None:
    """A word is usual where it is usual in one kind of question; repeating it in a question adds nothing."""
    shares = count_shares([["吗吗 fee", "fee fee", "x", "rare"] * 8, ["吗", "吗"] * 5])
    assert shares == {"吗": 1.0, "fee": 0.5}


def test_a_word_of_questions_weighs_as_if_the_questions_were_in_the_index() -> None:
    """吗 stands in no statute, yet finds nothing; a word that questions do not use keeps its weight."""
    share = read_shares()["吗"]
    rarity = math.log(1 + (50_000 - 3 + 0.5) / 3.5)
    assert math.isclose(bound_weight("吗", 50_000, 3) * rarity, math.log(1 + 1 / share))
    assert bound_weight("hypercalcemia", 50_000, 3) == 1.0
    assert bound_weight("吗", 50_000, 49_000) == 1.0
