"""Sources by their names, for models that were trained to name an article and not to number a passage."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ragsvc.citing.amounts import numbers
from ragsvc.citing.claims import squeeze, works_named
from ragsvc.citing.sentences import MARK
from ragsvc.records import Passage

_HAS_MARK = re.compile(MARK)
_STOPS = "。！？；.!?;"


def source_line(passage: Passage) -> str:
    """Return a passage on one line as the published models were given a statute: 《民法典》第…条：…."""
    name = f"《{passage.work or passage.title}》{passage.locator}"
    text = passage.text.strip()
    return " ".join(f"{name}：{text.removeprefix(passage.locator).lstrip()}".split())


def mark_named(sentence: str, passages: Sequence[Passage]) -> str:
    """Return the sentence with the mark of each passage whose article it names, before its stop.

    Whether the passage says what the sentence claims is for the checker to find out.
    """
    if _HAS_MARK.search(sentence):
        return sentence
    named = _articles(sentence)
    works = [squeeze(work) for work in works_named(sentence)]
    marks = "".join(
        f"[{number}]"
        for number, passage in enumerate(passages, 1)
        if named & _articles(passage.locator) and (not works or any(_is_called(passage, work) for work in works))
    )
    body = sentence.rstrip()
    if not marks:
        return sentence
    end = len(body) - 1 if body[-1] in _STOPS else len(body)
    return f"{body[:end]}{marks}{sentence[end:]}"


def _articles(text: str) -> frozenset[str]:
    return frozenset(number.value for number in numbers(text) if number.unit == "article")


def _is_called(passage: Passage, work: str) -> bool:
    return work in squeeze(f"{passage.work}\n{passage.title}")
