"""Thinking that comes as marked text is parted from the answer, however the stream cuts it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.generation.thinking import ThinkingParter

CASES = {
    "<think>先看条文。</think>\n\n应当承担。": ("应当承担。", "先看条文。"),
    "  <thinking>a < b</thinking> <answer>ok</answer>": ("ok", "a < b"),
    "<thinking>a</thinking>ok</answer>": ("ok</answer>", "a"),
    "<think></think>ok": ("ok", ""),
    "<think>never closed": ("", "never closed"),
    "<thin ice": ("<thin ice", ""),
    "no marks, <think>later</think> they are words": ("no marks, <think>later</think> they are words", ""),
    "": ("", ""),
    "<": ("<", ""),
}


@given(st.sampled_from(list(CASES)), st.data())
def test_text_is_parted_wherever_it_is_cut(written: str, data: st.DataObject) -> None:
    """The parts are the same for every way of dealing the text into pieces."""
    cuts = data.draw(st.lists(st.integers(0, len(written)), max_size=6).map(sorted))
    parter = ThinkingParter()
    pieces = [parter.feed(written[a:b]) for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    pieces.append(parter.rest())
    assert ("".join(p.text for p in pieces), "".join(p.reasoning for p in pieces)) == CASES[written]


@pytest.mark.parametrize("written", ["word", "word word"])
def test_plain_text_is_not_held_back(written: str) -> None:
    """An answer without marks streams as it comes."""
    assert ThinkingParter().feed(written).text == written
