"""Where sentences end, in Chinese and English."""

from __future__ import annotations

import re

# A Latin full stop ends a sentence only before white space and a capital, digit, quote or bracket, and not
# after an abbreviation or a single capital ("Art. 6", "U. S."). Closing quotes belong to the sentence.
_END = re.compile(
    r"[。！？；!?]+[”’」』）】》\"')\]]*\s*"
    r"|(?<![A-Z])(?<!\b[Aa]rt)(?<!\b[Nn]o)(?<!\b[Pp]ara)(?<!\bvs)(?<!\bcf)(?<!\be\.g)(?<!\bi\.e)(?<!\bDr)(?<!\bMr)(?<!\bMs)"
    r"(?<!\bMrs)(?<!\bFig)(?<!\bInc)(?<!\bet al)\.[”’\"')\]]*\s+(?=[A-Z0-9“‘\"'(\[])"
    r"|\n\s*"
)


def sentence_ends(text: str, start: int = 0, end: int | None = None) -> list[int]:
    """Return the positions in ``text[start:end]`` after which a new sentence starts; the last is ``end``."""
    end = len(text) if end is None else end
    ends = [m.end() for m in _END.finditer(text, start, end) if m.end() < end]
    return [*ends, end] if end > start else []


def split_at_sentences(text: str, start: int, end: int, limit: int) -> list[tuple[int, int]]:
    """Cut ``text[start:end]`` into ranges of at most ``limit`` characters at sentence ends.

    A single sentence longer than ``limit`` is cut at ``limit``: nothing is lost, ranges tile the input.
    """
    ranges: list[tuple[int, int]] = []
    first = last = start
    for stop in sentence_ends(text, start, end):
        if stop - first > limit and last > first:
            ranges.append((first, last))
            first = last
        while stop - first > limit:
            ranges.append((first, first + limit))
            first += limit
        last = stop
    if first < end:
        ranges.append((first, end))
    return ranges
