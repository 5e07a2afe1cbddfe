"""Sentence ends in both languages, and cutting at them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ragsvc.chunking.sentences import sentence_ends, split_at_sentences


def sentences(text: str) -> list[str]:
    ends = sentence_ends(text)
    return [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def test_chinese_sentences_end_at_their_marks_and_keep_closing_quotes() -> None:
    """。！？； end a sentence; a closing quote belongs to it."""
    assert sentences("他说：“可以。”法院认为不可以！为什么？") == ["他说：“可以。”", "法院认为不可以！", "为什么？"]


def test_english_abbreviations_and_numbers_do_not_end_a_sentence() -> None:
    """Art. 6, e.g. and 3.5 are not sentence ends."""
    text = "See Art. 6 and e.g. Recital 26. The dose is 3.5 mg. It applies."
    assert sentences(text) == ["See Art. 6 and e.g. Recital 26. ", "The dose is 3.5 mg. ", "It applies."]


def test_a_long_sentence_is_cut_at_the_limit() -> None:
    """Nothing is longer than the limit, even without any sentence end."""
    assert split_at_sentences("甲" * 25, 0, 25, 10) == [(0, 10), (10, 20), (20, 25)]


def test_parts_are_about_equal() -> None:
    """A text a little over the limit becomes two halves, not a full part and a crumb."""
    text = "甲乙丙丁。" * 21
    parts = split_at_sentences(text, 0, len(text), 100)
    assert [b - a for a, b in parts] == [55, 50]


@given(st.text(alphabet="甲乙a .。！\n”A1", max_size=200), st.integers(1, 50))
def test_ranges_tile_any_text(text: str, limit: int) -> None:
    """Whatever the text: ranges follow each other without gap, and none is longer than the limit."""
    ranges = split_at_sentences(text, 0, len(text), limit)
    assert "".join(text[a:b] for a, b in ranges) == text
    assert all(0 < b - a <= limit for a, b in ranges)
