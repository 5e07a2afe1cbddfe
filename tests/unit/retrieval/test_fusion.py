"""Two rankings become one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.records import ScoredChunk
from ragsvc.retrieval.fusion import DEFAULT_LEXICAL_WEIGHT, fuse, language_of, lexical_weight

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
    fused = fuse(lexical, cosines, weight)
    assert {hit.chunk for hit in fused} == {hit.chunk for hit in lexical} | set(cosines)
    assert all(0 <= hit.score <= 1 + 1e-9 for hit in fused)
    assert fused == sorted(fused, key=lambda hit: (-hit.score, hit.chunk))
    assert len(fused) == len({hit.chunk for hit in fused})


@given(LEXICAL, COSINES, st.floats(0, 1))
def test_the_order_of_the_input_does_not_matter(
    lexical: list[ScoredChunk], cosines: dict[int, float], weight: float
) -> None:
    """The same candidates in another order give the same ranking."""
    assert fuse(lexical[::-1], dict(reversed(cosines.items())), weight) == fuse(lexical, cosines, weight)


def test_weights_at_the_ends_are_the_arms_alone() -> None:
    """Weight 1 ranks by words, weight 0 by meaning."""
    lexical = [ScoredChunk(1, 9.0), ScoredChunk(2, 3.0)]
    cosines = {1: 0.1, 2: 0.9, 3: 0.5}
    assert [hit.chunk for hit in fuse(lexical, cosines, 1.0)] == [1, 2, 3]
    assert [hit.chunk for hit in fuse(lexical, cosines, 0.0)] == [2, 3, 1]


def test_a_good_second_in_both_arms_beats_a_first_in_one() -> None:
    """Agreement counts: near the top of both arms is better than the top of one and nowhere in the other."""
    lexical = [ScoredChunk(1, 10.0), ScoredChunk(2, 9.0)]
    assert fuse(lexical, {1: 0.0, 2: 0.8, 3: 0.9}, 0.5)[0].chunk == 2


@pytest.mark.parametrize(
    ("lexical", "cosines"), [([], {4: 0.2, 5: 0.7}), ([ScoredChunk(5, 3.0), ScoredChunk(4, 1.0)], {})]
)
def test_an_arm_that_found_nothing_has_no_say(lexical: list[ScoredChunk], cosines: dict[int, float]) -> None:
    """The other arm's best has the full score."""
    fused = fuse(lexical, cosines, 0.6)
    assert [hit.chunk for hit in fused] == [5, 4]
    assert fused[0].score == 1.0


def test_nothing_found_is_nothing() -> None:
    """No candidates, no hits."""
    assert fuse([], {}, 0.5) == []


def test_weights_are_told_by_language_and_domain() -> None:
    """A domain without an entry gets the default; Han anywhere makes a question Chinese."""
    assert lexical_weight("租房押金", "no such domain") == DEFAULT_LEXICAL_WEIGHT
    assert [language_of(text) for text in ("GDPR 第17条", "What is a lease?", "")] == ["zh", "en", "en"]
