"""Finds citation marks in a sentence, with the words that each of them closes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from msgspec import Struct

from ragsvc.citing.sentences import MARK

_MARK_OR_CODE = re.compile(rf"(?P<code>`[^`\n]*`)|(?P<mark>{MARK})")
_RANGE = re.compile(r"(\d+)\D*[-–—~]\D*(\d+)|(\d+)")
_MOST_IN_A_RANGE = 20


class Mark(Struct, frozen=True):
    """A mark of a sentence: ``text[start:end]``; ``claim`` is what it is to prove."""

    numbers: tuple[int, ...]
    start: int
    end: int
    claim: str


def find_marks(text: str, literal: Sequence[tuple[int, int]] = ()) -> list[Mark]:
    """Return the marks of one sentence, in order, without those in code or inside ``literal`` ranges.

    A mark closes the words since the mark before it; marks in a row close the same words; a mark that nothing
    comes before ("[1] 《民法典》…" in a list of sources) stands for the words after it.
    """
    found = [m for m in _MARK_OR_CODE.finditer(text) if m["mark"] and not _inside(m.start(), literal)]
    marks: list[Mark] = []
    claim = ""
    for i, match in enumerate(found):
        before = text[found[i - 1].end() if i else 0 : match.start()]
        if _says_something(before):
            claim = before
        elif not claim:
            after = (m.start() for m in found[i + 1 :] if _says_something(text[match.end() : m.start()]))
            claim = text[match.end() : next(after, len(text))]
        marks.append(Mark(_numbers(match["mark"]), match.start(), match.end(), claim))
    return marks


def _inside(place: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in ranges)


def _says_something(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _numbers(mark: str) -> tuple[int, ...]:
    """Read "[1, 3-5]" as (1, 3, 4, 5); a range that is turned round or too long counts only its ends."""
    found: list[int] = []
    for match in _RANGE.finditer(unicodedata.normalize("NFKC", mark)):
        if match[3]:
            found.append(int(match[3]))
            continue
        first, last = int(match[1]), int(match[2])
        found += range(first, last + 1) if 0 <= last - first < _MOST_IN_A_RANGE else (first, last)
    return tuple(dict.fromkeys(found))
