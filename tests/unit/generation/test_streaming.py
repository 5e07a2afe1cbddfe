from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.generation.streaming import _WholeText
from ragsvc.generation.vendor_errors import _seconds


@given(st.text(), st.data())
def test_text_cut_anywhere_joins_to_itself(text: str, data: st.DataObject) -> None:
    """However a text's UTF-16 units are dealt into pieces, as JSON escapes may be, the same text comes out."""
    units = text.encode("utf-16-le", "surrogatepass")
    halves = [units[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(units), 2)]
    cuts = data.draw(st.lists(st.integers(0, len(halves)), max_size=5).map(sorted))
    whole = _WholeText()
    pieces = [whole.add("".join(halves[a:b])) for a, b in zip([0, *cuts], [*cuts, len(halves)], strict=True)]
    assert "".join(pieces) + whole.rest() == text
    assert all(piece.encode("utf-8") is not None for piece in pieces)


@given(st.lists(st.text(st.characters(categories=["Cs", "L"]))))
def test_what_comes_out_can_always_be_encoded(pieces: list[str]) -> None:
    """Stray halves of characters, anywhere, never reach a later encoder."""
    whole = _WholeText()
    ("".join(map(whole.add, pieces)) + whole.rest()).encode("utf-8")


@pytest.mark.parametrize(
    ("header", "seconds"), [(None, None), ("0", 0.0), ("2.5", 2.5), ("-1", 0.0), ("soon", None), ("", None)]
)
def test_retry_after_in_seconds(header: str | None, seconds: float | None) -> None:
    """Seconds are taken as they are, never negative; what cannot be read counts as absent."""
    assert _seconds(header) == seconds


def test_retry_after_as_a_date() -> None:
    """A date counts from now."""
    assert _seconds(formatdate(time.time() + 30, usegmt=True)) == pytest.approx(30, abs=2)
