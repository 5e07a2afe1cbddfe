"""Where sentences end, in Chinese and English."""

from __future__ import annotations

import re

# A Latin full stop ends a sentence only before white space and a capital, digit, quote or bracket, and not after an
# abbreviation or a single capital ("Art. 6", "U. S."). Closing quotes and brackets belong to the sentence.
_NOT_AFTER = "".join(
    rf"(?<!\b{word}\.)"
    for word in (
        "[A-Z]",
        "[Aa]rt",
        "[Nn]o",
        "[Pp]ara",
        "vs",
        "cf",
        r"e\.g",
        r"i\.e",
        "Dr",
        "Mr",
        "Ms",
        "Mrs",
        "Fig",
        "al",
    )
)
_END = re.compile(
    r"[。！？；!?]+[”’」』）】》\"')\]]*\s*" rf"|\.{_NOT_AFTER}[”’\"')\]]*\s+(?=[A-Z0-9“‘\"'(\[])" r"|\n\s*"
)


def sentence_ends(text: str, start: int = 0, end: int | None = None) -> list[int]:
    """Return the positions in ``text[start:end]`` after which a new sentence starts; the last is ``end``."""
    end = len(text) if end is None else end
    ends = [m.end() for m in _END.finditer(text, start, end) if m.end() < end]
    return [*ends, end] if end > start else []


def split_at_sentences(text: str, start: int, end: int, limit: int) -> list[tuple[int, int]]:
    """Cut ``text[start:end]`` at sentence ends into ranges of at most ``limit`` characters, about equal in length.

    A single sentence longer than ``limit`` is cut at ``limit``: nothing is lost, ranges tile the input.
    """
    parts = -(-(end - start) // limit)
    if parts <= 1:
        return [(start, end)] if end > start else []
    share = -(-(end - start) // parts)
    ranges: list[tuple[int, int]] = []
    first = last = start
    for stop in sentence_ends(text, start, end):
        if last > first and (stop - first > limit or last - first >= share):
            ranges.append((first, last))
            first = last
        while stop - first > limit:
            ranges.append((first, first + limit))
            first += limit
        last = stop
    if first < end:
        ranges.append((first, end))
    return ranges
