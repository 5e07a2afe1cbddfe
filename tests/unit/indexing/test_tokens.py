from __future__ import annotations

import time

import pytest

from ragsvc.indexing.tokens import is_word, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("民法典", {"民", "法", "典", "民法", "法典"}),
        ("第５７７条", {"第", "577", "条"}),
        ("A股", {"a", "股"}),
        ("$12,500.50 in FY2018", {"12500.50", "in", "fy2018"}),
        ("running payments", {"run", "payment"}),
        ("。，!? ——", set()),
        ("", set()),
    ],
)
def test_tokens(text: str, tokens: set[str]) -> None:
    """Han text gives characters and bigrams, English word stems, numbers lose separators; widths do not matter."""
    assert set(tokenize(text)) == tokens


def test_han_runs_do_not_join_over_punctuation() -> None:
    """A bigram never spans a comma."""
    assert "同，违" not in tokenize("合同，违约")
    assert "同违" not in tokenize("合同，违约")


def test_words_are_told_from_characters() -> None:
    """Only words and numbers count as words."""
    assert [is_word(token) for token in ("payment", "577", "民", "民法", "かな")] == [True, True, False, False, False]


@pytest.mark.parametrize("text", ["a" + "\u0301\u0316" * 200_000, "民" * 400_000, "x" * 400_000, "1," * 200_000])
def test_time_is_linear_in_the_text(text: str) -> None:
    """Four hundred thousand characters of any kind take seconds, not hours (NFKC alone would be quadratic)."""
    started = time.perf_counter()
    tokenize(text)
    assert time.perf_counter() - started < 10
