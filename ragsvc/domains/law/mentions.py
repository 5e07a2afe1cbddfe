"""Works that a text names, with or without an article: 《劳动合同法》, 民法典, GDPR."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from ragsvc.domains.law.left_edge import MAX_NAME, is_law_title, is_whole_name
from ragsvc.domains.law.names import name_table, split_edition
from ragsvc.records import Address

_BRACKET = re.compile("[《》\n]")
_LATIN = re.compile(r"[A-Za-z]{3,12}")
# 民事诉讼法院, 公司法人: the name goes on to be another word.
_OTHER_WORD = "院官人律学庭医治制定务规师典"


def find_mentions(text: str) -> list[Address]:
    """Return the works named in ``text`` in order, without overlaps, as addresses without article."""
    marked = list(_marked(text))
    found = sorted([*marked, *_known(text), *_latin(text)], key=lambda a: (a.start, -a.end))
    apart: list[Address] = []
    for mention in found:
        if not apart or mention.start >= apart[-1].end:
            apart.append(mention)
    return apart


def _marked(text: str) -> Iterator[Address]:
    """Names in 《》; one inside another belongs to it."""
    depth = opened = 0
    for bracket in _BRACKET.finditer(text):
        if bracket[0] == "《":
            if depth == 0 or bracket.start() - opened > MAX_NAME:
                depth, opened = 0, bracket.start()
            depth += 1
        elif bracket[0] == "\n":
            depth = 0
        elif depth:
            depth -= 1
            name = text[opened + 1 : bracket.start()]
            if depth == 0 and is_law_title(name):
                work, edition = split_edition(name.strip())
                yield Address(work=work, edition=edition, start=opened, end=bracket.end())


def _known(text: str) -> Iterator[Address]:
    """Names of our table that stand in the text without brackets."""
    lengths, known = _lengths(), name_table().known
    done = 0
    for end in range(2, len(text) + 1):
        possible = lengths.get(text[end - 2 : end])
        if not possible or (end < len(text) and text[end] in _OTHER_WORD):
            continue
        for length in possible:
            start = end - length
            if start >= done and text[start:end] in known:
                if is_whole_name(text[max(0, start - 12) : start], text[start:end]):
                    yield Address(work=text[start:end], start=start, end=end)
                done = end
                break


def _latin(text: str) -> Iterator[Address]:
    known = name_table().known
    for word in _LATIN.finditer(text):
        if word[0].isupper() and word[0].casefold() in known:
            yield Address(work=word[0], start=word.start(), end=word.end())


@cache
def _lengths() -> dict[str, list[int]]:
    """Lengths of known names, longest first, by their last two characters."""
    found: dict[str, set[int]] = {}
    for name in name_table().known:
        if not name.isascii():
            found.setdefault(name[-2:], set()).add(len(name))
    return {ending: sorted(lengths, reverse=True) for ending, lengths in found.items()}
