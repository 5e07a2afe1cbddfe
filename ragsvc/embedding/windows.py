"""Cuts a long text into windows at sentence ends; shared by the encoders of this folder."""

from __future__ import annotations

import re
from collections.abc import Callable

# After a closing mark of either script, or a line break; a Latin full stop counts only before white space and a
# character that can open a sentence, so that "3.5 %" and "e.g. this" stay whole.
_SENTENCE_END = re.compile(r"[。！？；!?;]+[”’」』）】》\"')\]]*\s*|\.[”’\"')\]]*\s+(?=[A-Z0-9“‘\"'(\[•-])|\n+")


def cut_in_context(text: str, context: str, limit: int, measure: Callable[[str], int] = len) -> list[str]:
    """Cut ``text`` into pieces of at most ``limit`` as ``measure`` counts, each headed by a line with ``context``.

    A context that would take more than half of the limit stands before the first piece only, and counts as text.
    """
    head = f"{context}\n" if context else ""
    if measure(head + text) <= limit:
        return [head + text]
    if measure(head) > limit // 2:
        return cut_at_sentences(head + text, limit, measure)
    return [head + piece for piece in cut_at_sentences(text, limit - measure(head), measure)]


def cut_at_sentences(text: str, limit: int, measure: Callable[[str], int] = len) -> list[str]:
    """Cut ``text`` into pieces of at most ``limit`` as ``measure`` counts; joined they are ``text`` again.

    A sentence that is too long by itself is halved until its parts fit, so nothing is ever cut off.
    ``measure`` may not shrink by more than a constant when a text grows.
    """
    if measure(text) <= limit:
        return [text]
    pieces: list[str] = []
    current, size = "", 0
    for sentence in _sentences(text):
        for part in _halved(sentence, limit, measure):
            part_size = measure(part)
            if current and size + part_size > limit:
                pieces.append(current)
                current, size = "", 0
            current, size = current + part, size + part_size
    return [*pieces, current] if current else pieces


def _sentences(text: str) -> list[str]:
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    starts = [0, *ends]
    return [text[a:b] for a, b in zip(starts, [*ends, len(text)], strict=True) if b > a]


def _halved(text: str, limit: int, measure: Callable[[str], int]) -> list[str]:
    if len(text) <= 1 or measure(text) <= limit:
        return [text]
    middle = len(text) // 2
    space = text.rfind(" ", len(text) // 4, middle)
    cut = space + 1 if space > 0 else middle
    return [*_halved(text[:cut], limit, measure), *_halved(text[cut:], limit, measure)]
