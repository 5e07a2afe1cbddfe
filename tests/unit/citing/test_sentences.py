"""Where streamed text is cut into sentences."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.citing.sentences import MAX_HELD, Sentence, SentenceCutter, split_sentences

ALPHABET = '违约金是A1[]［］【】12,，-^来源。！？；.!? \n\t“”「」『』"`《》()（）e'
TEXTS = st.text(st.sampled_from(ALPHABET), max_size=120)


def cut(*pieces: str) -> list[str]:
    cutter = SentenceCutter()
    sentences = [s for piece in pieces for s in cutter.feed(piece)] + cutter.finish()
    return [s.text for s in sentences]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("甲应当赔偿。[1][2] 乙不赔。", ["甲应当赔偿。[1][2] ", "乙不赔。"]),
        ("甲[1]。乙！【2】丙？［3］", ["甲[1]。", "乙！【2】", "丙？［3］"]),
        ("Art. 17 applies. [1] It costs 3.5 EUR, e.g. for Dr. Who [2]. Next.", None),
        ("法律规定“甲。乙。”的，赔偿。", ["法律规定“甲。乙。”的，赔偿。"]),
        ("《民法典》：“甲。\n\n乙“丙。”丁。”[1]\n\n完。", ["《民法典》：“甲。\n\n乙“丙。”丁。”[1]\n\n", "完。"]),
        ('He said "No. Never." [1] Then left.', ['He said "No. Never." [1] ', "Then left."]),
        ("依据：\n[1] 《民法典》\n[2] 《刑法》", ["依据：\n", "[1] 《民法典》\n", "[2] 《刑法》"]),
        ("完。[注释]后。", ["完。", "[注释]后。"]),
        ("1. 甲\n2. 乙", ["1. 甲\n", "2. 乙"]),
        ("`a.b! c` 是。", ["`a.b! c` 是。"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, sentences: list[str] | None) -> None:
    """Marks after the stop belong to the sentence before; abbreviations, decimals and quotations are not cut."""
    expected = sentences or [
        "Art. 17 applies. [1] ",
        "It costs 3.5 EUR, e.g. for Dr. Who [2]. ",
        "Next.",
    ]
    assert cut(text) == expected


@given(TEXTS, st.lists(st.integers(0, 120), max_size=8))
def test_the_cut_does_not_depend_on_how_the_stream_is_cut(text: str, places: list[int]) -> None:
    """Any division of a text into pieces gives the same sentences, and joined they are the text."""
    bounds = [0, *sorted(min(p, len(text)) for p in places), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(bounds)]
    assert cut(*pieces) == cut(text)
    assert "".join(cut(text)) == text


def test_a_code_block_is_code_line_by_line() -> None:
    """Lines between fences are marked as code, the fences too, and text goes on after the closing fence."""
    cutter = SentenceCutter()
    sentences = cutter.feed("看：\n```python\nx[1] = 2。y\n```\n完。") + cutter.finish()
    assert sentences == [
        Sentence("看：\n"),
        Sentence("```python\n", is_code=True),
        Sentence("x[1] = 2。y\n", is_code=True),
        Sentence("```\n", is_code=True),
        Sentence("完。"),
    ]


def test_text_without_an_end_is_not_held_for_ever() -> None:
    """A quotation that is never closed is let go in pieces of bounded length, and never inside a mark."""
    parts = cut("“" + "甲" * (MAX_HELD - 3) + "[12]" + "乙" * (2 * MAX_HELD))
    assert max(map(len, parts)) <= MAX_HELD + 30
    assert parts[0].endswith("[12]")


@pytest.mark.parametrize("sign", ["[", "[1", "“", "`", "```", " ", "\n", "。", "。[1]", "。 ", '"', "1.", "甲", "A. "])
def test_endless_repetition_is_let_go(sign: str) -> None:
    """Whatever sign a model repeats without end, what is held back stays bounded, and nothing is lost."""
    text = sign * 10_000
    parts = cut(text)
    assert "".join(parts) == text
    assert max(map(len, parts)) <= MAX_HELD + 60


@given(TEXTS)
def test_ranges_of_sentences_are_trimmed_slices(text: str) -> None:
    """Ranges are in order, hold no outer white space, and everything between them is white space."""
    ranges = split_sentences(text)
    assert all(text[a:b] == text[a:b].strip() != "" for a, b in ranges)
    between = [0, *[p for r in ranges for p in r], len(text)]
    assert not "".join(text[a:b] for a, b in zip(between[::2], between[1::2], strict=True)).strip()
