"""Headings that only their numbering gives away: 一、概述, （二）诊断, 3.2 Dosage, Item 7."""

from __future__ import annotations

import re
from typing import NamedTuple

_HAN = r"[一二三四五六七八九十百]+"
_FORMS: tuple[tuple[int, re.Pattern[str]], ...] = (
    (1, re.compile(rf"第{_HAN}[章篇部]分?\s*\S.{{0,40}}|(?:PART|Part|CHAPTER|Chapter)\s+(?:[IVX]+|\d+)\b.*")),
    (2, re.compile(rf"{_HAN}、\s*\S.{{0,38}}|第{_HAN}节\s*\S.{{0,40}}|(?:ITEM|Item)\s+\d+[A-C]?\.\s*\S.{{0,100}}")),
    (3, re.compile(rf"[（(]{_HAN}[）)]\s*\S.{{0,38}}|\d{{1,2}}\.?\s+[A-Z][^\n]{{2,80}}")),
    (
        4,
        re.compile(
            r"\d{1,2}[.．、]\s*(?:[A-Z][A-Za-z0-9]{0,9}\s*)?[\u3400-\u9fff][^\n]{0,28}|\d{1,2}\.\d{1,2}\.?\s+\S[^\n]{1,80}"
        ),
    ),
    (5, re.compile(r"[（(]\d{1,2}[）)]\s*[\u3400-\u9fff][^\n]{0,24}|\d{1,2}\.\d{1,2}\.\d{1,2}\.?\s+\S[^\n]{1,80}")),
)
_SENTENCE = "。；，：！？;,:!?、"


class NumberedHeading(NamedTuple):
    """``level`` counts from 1; ``title`` is the line itself."""

    level: int
    title: str


def numbered_heading(line: str) -> NumberedHeading | None:
    """Read ``line`` as a heading if it is numbered like one, short, and no sentence.

    A list item may read the same, so the caller must see to it that text follows before the next such line.
    """
    if not line or len(line) > 110 or line[-1] in _SENTENCE or re.search(r"[。；]|[a-z]\.$", line):
        return None
    for level, form in _FORMS:
        if form.fullmatch(line):
            return NumberedHeading(level, " ".join(line.split()))
    return None
