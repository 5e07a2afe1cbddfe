"""Weights of words: what counts as a word, how they are summed, what is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragsvc.domains import medicine
from ragsvc.domains.red_flags import Weights, features, folded


def test_a_feature_is_a_word_a_neighbourhood_or_a_beginning() -> None:
    """Chinese has characters for words; numbers count as such and as themselves; punctuation alone does not count."""
    assert features("can't breathe") == {"can't", "can'*", "breathe", "brea*", "^ can't", "can't breathe", "breathe $"}
    assert features("烧39，吐") == {"烧", "0", "39", "吐", "^烧", "烧0", "0|", "|吐", "吐$"}


def test_how_a_question_is_typed_makes_no_difference() -> None:
    """Full width, invisible signs, curled apostrophes and capitals are taken away."""
    assert features(folded("ＣＡＮ’Ｔ\u200b breathe")) == features("can't breathe")


def test_the_score_does_not_grow_with_length_alone(tmp_path: Path) -> None:
    """Weights over the root of the number of features, plus the bias; read back as written."""
    Weights(-1.0, {"vomit": 3.0, "week": -2.0}).write(tmp_path / "w.tsv")
    weights = Weights.read(tmp_path / "w.tsv")
    assert weights.score("vomit") == pytest.approx(-1 + 3 / 4**0.5)  # vomit, vomi*, ^ vomit, vomit $
    assert weights.score("vomit and then more of it") < weights.score("vomit")
    assert weights.score("") == -1.0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_shipped_weights_are_small_and_plain(language: str) -> None:
    """Less than 150 kB a language; a line is a feature and a number."""
    path = Path(medicine.__file__).with_name(f"red_flags.{language}.tsv")
    assert path.stat().st_size < 150_000
    assert Weights.read(path).score("") < 0
