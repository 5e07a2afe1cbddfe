"""Near-identical passages of several works do not crowd out what else was found.

Copies of a text under many names, each a little changed, can fill all places of a search. Of what says nearly the same,
two works are heard; who else says it makes room. Where two near-identical passages differ in what counts, that is said.
"""

from __future__ import annotations

from collections.abc import Sequence

from ragsvc.citing.alignment import words_of
from ragsvc.citing.claims import content
from ragsvc.citing.differences import claim_words, compare
from ragsvc.records import Passage

NEARLY = 0.8
"""Share of words and pairs of characters in common, of all in either, from which two passages say nearly the same."""
MOST_ALIKE = 2
"""Works that are heard with nearly the same text."""
FEWEST = 8
"""A passage with less content than this says too little to be a copy."""
MORE = 4
"""So many times as many passages are looked through when some were left out."""


def uncrowded(passages: Sequence[Passage]) -> list[Passage]:
    """Return the passages, best first, without those that two other works have nearly said already.

    Of passages that are the same word for word the first two stay; of those that differ one of each wording is
    preferred to another copy, so that a copy in large numbers does not push out what it was copied from.
    """
    kept: list[tuple[Passage, frozenset[str]]] = []
    for passage in passages:
        said = content(passage.text)
        alike = [one for one, its in kept if one.work != passage.work and _are_alike(said, its)]
        is_another_wording = all(one.text.strip() != passage.text.strip() for one in alike)
        if len({one.work for one in alike}) < MOST_ALIKE + (is_another_wording and len(alike) > 1):
            kept.append((passage, said))
    return [passage for passage, _ in kept]


def contradicting(passages: Sequence[Passage]) -> tuple[int, int] | None:
    """Return the numbers, from 1, of the first two passages of different works that nearly say the same and differ."""
    said = [content(passage.text) for passage in passages]
    for first, one in enumerate(passages):
        for second in range(first + 1, len(passages)):
            other = passages[second]
            if one.work == other.work or not _are_alike(said[first], said[second]):
                continue
            compared = compare(one.text, claim_words(one.text), other.text, words_of(other.text))
            if compared and compared.differences:
                return first + 1, second + 1
    return None


def _are_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return min(len(one), len(other)) >= FEWEST and len(one & other) >= NEARLY * len(one | other)
