"""Two rankings become one."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.records import ScoredChunk
from ragsvc.retrieval.arms import ArmScores
from ragsvc.retrieval.fusion import FusionModel, fuse, language_of, learned_model

ORDINALS = st.integers(0, 50)
LEXICAL = st.dictionaries(ORDINALS, st.floats(0.01, 60), max_size=20).map(
    lambda found: [ScoredChunk(*item) for item in sorted(found.items(), key=lambda item: -item[1])]
)
COSINES = st.dictionaries(ORDINALS, st.floats(-1, 1), max_size=20)


@given(LEXICAL, COSINES, st.floats(0, 1))
def test_every_candidate_comes_out_once_with_a_score_in_range(
    lexical: list[ScoredChunk], cosines: dict[int, float], weight: float
) -> None:
    """Nothing is lost or doubled, scores are in [0, 1] and fall, ties go by ordinal."""
    fused = fuse(ArmScores(lexical=lexical, cosines=cosines), weight)
    assert {hit.chunk for hit in fused} == {hit.chunk for hit in lexical} | set(cosines)
    assert all(0 <= hit.score <= 1 + 1e-9 for hit in fused)
    assert fused == sorted(fused, key=lambda hit: (-hit.score, hit.chunk))
    assert len(fused) == len({hit.chunk for hit in fused})


@given(LEXICAL, COSINES, st.floats(0, 1))
def test_the_order_of_the_input_does_not_matter(
    lexical: list[ScoredChunk], cosines: dict[int, float], weight: float
) -> None:
    """The same candidates in another order give the same ranking."""
    assert fuse(ArmScores(lexical=lexical[::-1], cosines=dict(reversed(cosines.items()))), weight) == fuse(
        ArmScores(lexical=lexical, cosines=cosines), weight
    )


def test_weights_at_the_ends_are_the_arms_alone() -> None:
    """Weight 1 ranks by words, weight 0 by meaning."""
    lexical = [ScoredChunk(1, 9.0), ScoredChunk(2, 3.0)]
    cosines = {1: 0.1, 2: 0.9, 3: 0.5}
    assert [hit.chunk for hit in fuse(ArmScores(lexical=lexical, cosines=cosines), 1.0)] == [1, 2, 3]
    assert [hit.chunk for hit in fuse(ArmScores(lexical=lexical, cosines=cosines), 0.0)] == [2, 3, 1]


def test_a_good_second_in_both_arms_beats_a_first_in_one() -> None:
    """Agreement counts: near the top of both arms is better than the top of one and nowhere in the other."""
    lexical = [ScoredChunk(1, 10.0), ScoredChunk(2, 9.0)]
    assert fuse(ArmScores(lexical=lexical, cosines={1: 0.0, 2: 0.8, 3: 0.9}), 0.5)[0].chunk == 2


@pytest.mark.parametrize(
    "scores",
    [
        ArmScores(dense=[ScoredChunk(5, 0.7), ScoredChunk(4, 0.2)], cosines={4: 0.2, 5: 0.7}),
        ArmScores(lexical=[ScoredChunk(5, 3.0), ScoredChunk(4, 1.0)]),
    ],
)
def test_an_arm_that_found_nothing_has_no_say(scores: ArmScores) -> None:
    """The other arm's best has the full score."""
    fused = fuse(scores, learned_model().lexical_weight("租房押金", "law", scores))
    assert [hit.chunk for hit in fused] == [5, 4]
    assert fused[0].score == 1.0


def test_nothing_found_is_nothing() -> None:
    """No candidates, no hits."""
    assert fuse(ArmScores(), 0.5) == []


BOTH = ArmScores(lexical=[ScoredChunk(n, 20.0 - n) for n in range(12)], dense=[ScoredChunk(3, 0.6)], cosines={3: 0.6})
MODEL = FusionModel(bias={"zh-law": -1.0, "zh-finance": 1.0, "en-law": 0.0}, cosine=-2.0, drop=1.0)


def test_the_weight_follows_language_domain_and_the_arms() -> None:
    """A domain that was not learned gets the mean of its language; Han anywhere makes a question Chinese."""
    logit = -2 * 0.6 + (1 - 11 / 20)
    expected = {"law": -1.0 + logit, "finance": 1.0 + logit, "no such domain": 0.0 + logit}
    for domain, value in expected.items():
        assert MODEL.lexical_weight("租房押金", domain, BOTH) == pytest.approx(1 / (1 + math.exp(-value)))
    surer = msgspec.structs.replace(BOTH, dense=[ScoredChunk(3, 0.9)])
    assert MODEL.lexical_weight("rent", "law", surer) < MODEL.lexical_weight("rent", "law", BOTH)
    assert [language_of(text) for text in ("GDPR 第17条", "What is a lease?", "")] == ["zh", "en", "en"]


def test_the_drop_says_how_well_keywords_tell_their_hits_apart() -> None:
    """Ten equal scores: not at all. One hit alone: completely."""
    assert ArmScores(lexical=[ScoredChunk(n, 5.0) for n in range(10)]).lexical_drop == 0.0
    assert ArmScores(lexical=[ScoredChunk(1, 5.0)]).lexical_drop == 1.0
    assert ArmScores().lexical_drop == 0.0
