"""Which marks a sentence has and what each closes."""

import pytest

from ragsvc.citing.marks import find_marks


@pytest.mark.parametrize(
    ("mark", "numbers"),
    [
        ("[1]", (1,)),
        ("［12］", (12,)),
        ("【３】", (3,)),
        ("[1, 2]", (1, 2)),
        ("[1，3]", (1, 3)),
        ("[1-3]", (1, 2, 3)),
        ("[1–2, 5]", (1, 2, 5)),
        ("[[4]]", (4,)),
        ("[来源2]", (2,)),
        ("[Source 2]", (2,)),
        ("[^1^]", (1,)),
        ("[3-1]", (3, 1)),
        ("[1-900]", (1, 900)),
        ("[1][1]", (1, 1)),
    ],
)
def test_forms_of_marks(mark: str, numbers: tuple[int, ...]) -> None:
    """Every way in which models write a mark is read; a senseless range counts its ends only."""
    assert tuple(n for m in find_marks(f"甲赔偿{mark}。") for n in m.numbers) == numbers


@pytest.mark.parametrize("text", ["法释[2020]17号", "[ 1 ]", "[注1]", "[]", "a[i]", "`x[1]`", "(1)", "[1.5]", "〔1〕"])
def test_what_is_no_mark(text: str) -> None:
    """Years, code, notes and what prompting has defused are no marks."""
    assert find_marks(text) == []


def test_claims() -> None:
    """A mark closes the words since the last one; marks in a row share them; a leading mark stands for what follows."""
    assert [m.claim for m in find_marks("甲[1]，乙[2] [3]。")] == ["甲", "，乙", "，乙"]
    assert [m.claim for m in find_marks("[1] 《民法典》第五条\n")] == [" 《民法典》第五条\n"]


def test_literal_ranges_hold_no_marks() -> None:
    """A bracketed number inside a range that is to be left as it is does not count."""
    text = "“见[1]”[2]"
    assert [m.numbers for m in find_marks(text, [(1, 5)])] == [(2,)]
