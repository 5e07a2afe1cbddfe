"""What a question and a name may be; the message names the limit and what was found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.errors import InvalidInput
from ragsvc.security.input_limits import MAX_NAME_CHARS, check_k, check_name, check_names, check_question


@pytest.mark.parametrize("text", ["违约怎么办", "a", "7", "第" * 4000, "👨‍👩‍👧 能结婚吗？", "  问题  ", "e\u0301tat"])
def test_questions_that_can_be_asked(text: str) -> None:
    """White space around it goes, the rest stays as it was written."""
    assert check_question(text, 4000) == text.strip()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (" \n\t　", "is empty"),
        ("？！。…", "only punctuation or symbols"),
        ("😀🎉", "only punctuation or symbols"),
        ("第" * 4001, "4,001 characters; the limit is 4,000"),
        ("a" * 1_000_000, "1,000,000 characters; the limit is 4,000"),
        ("违约\ud800怎么办", r"U\+D800 at character 2"),
        ("a\0b", r"U\+0000 at character 1"),
    ],
)
def test_questions_that_cannot(text: str, message: str) -> None:
    """Each is refused with the reason."""
    with pytest.raises(InvalidInput, match=message):
        check_question(text, 4000)


@given(st.text(max_size=50))
def test_a_question_is_either_refused_or_can_be_sent_on(text: str) -> None:
    """What passes has a letter or digit and can be written as UTF-8."""
    try:
        passed = check_question(text, 4000)
    except InvalidInput:
        return
    assert any(character.isalnum() for character in passed)
    assert passed.encode()


@pytest.mark.parametrize(
    "name", ["", " law", "\u3000law", "a\nb", "a\x7f", "a" * (MAX_NAME_CHARS + 1), "\udc80", "\u0085"]
)
def test_what_cannot_be_a_name(name: str) -> None:
    """Control characters, white space in front, nothing, and too much are refused."""
    with pytest.raises(InvalidInput, match="collection"):
        check_name(name, "collection")


def test_names_are_taken_once_and_not_without_end() -> None:
    """The order stays, and the message says how many there were."""
    assert check_names(["b", "a", "b"], "collections", 3) == ("b", "a")
    with pytest.raises(InvalidInput, match="4 entries; the limit is 3"):
        check_names(["a"] * 4, "collections", 3)


@pytest.mark.parametrize("k", [0, -1, 101])
def test_k_has_bounds(k: int) -> None:
    """Nobody gets a thousand passages at once."""
    with pytest.raises(InvalidInput, match=f"from 1 to 100; found {k}"):
        check_k(k, "top_k")
