"""Chinese numerals, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.domains.law.numerals import number, numeral


@given(st.integers(1, 20_000))
def test_reading_what_was_written_gives_the_number(value: int) -> None:
    """Numbers survive the round trip."""
    assert number(numeral(value)) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("十", 10),
        ("一百一十", 110),
        ("一千零五", 1005),
        ("一千二百六十", 1260),
        ("二○○九", 2009),
        ("５７７", 577),
        ("577", 577),
        ("一百二十八 ", 128),
        ("两千", 2000),
        ("第", None),
        ("", None),
    ],
)
def test_all_ways_of_writing_are_read(written: str, value: int | None) -> None:
    """Units, digits by place, full width and Arabic; anything else is no number."""
    assert number(written) == value


def test_the_numeral_of_zero_is_refused() -> None:
    """There is no article zero: asking for its numeral is an error that names the value."""
    with pytest.raises(ValueError, match="got 0"):
        numeral(0)
