"""Lays the words of a claim along those of a source, so that what differs stands out.

A number with its unit is one word, however it is written (三十日 = 30 天 = thirty days); punctuation and white space
are none. The alignment is local with affine gaps (Smith and Waterman 1981; Gotoh 1982), row by row with numpy: the
claim may begin and end with words of its own, and may leave out whole clauses of the source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
from msgspec import Struct

from ragsvc.citing.amounts import numbers, numeral_value, without_list_signs

_WORD = re.compile(r"[零〇○一二三四五六七八九十百千万亿两]{1,20}|[\u3400-\u9fff]|[A-Za-z\u00c0-\u024f]+|\d+(?:\.\d+)?")
_NUMERAL = re.compile(r"[零〇○一二三四五六七八九十百千万亿两\d.]+")

MOST_WORDS = 600
"""Of a claim; what stands beyond counts as not found."""
MOST_CELLS = 2_000_000
"""Of the table of an alignment; of a longer source only the beginning is looked at."""

_MATCH, _MISMATCH, _OPEN, _SKIP_SOURCE, _SKIP_CLAIM = 20, -12, 24, 1, 2
"""Scores. Opening a gap costs more than one match gives, so that lone characters far apart do not make a match."""
_EDGE = 8
"""Words of a claim before or after all that is equal which are still compared with what the source has there."""
_STOP = re.compile(r"[。！？；;\n]|[.!?](?=\s|$)")
_SKIP_SENTENCE = 40
"""Added where words left out reach over the end of a sentence: one claim is seldom made of two."""
_LOW = np.int32(-(10**8))


class Word(Struct, frozen=True):
    """A Han character, a Latin word or a number of ``text[start:end]``; ``key`` is what is compared."""

    key: str
    start: int
    end: int
    is_number: bool = False
    is_last: bool = False
    """Whether a sentence ends after it."""


class Gap(Struct, frozen=True):
    """Words of the claim and of the source that stand in each other's place: ``claim[a:b]``, ``source[c:d]``."""

    claim: tuple[int, int]
    source: tuple[int, int]


class Alignment(Struct, frozen=True):
    """Pairs of equal words, as positions in ``claim`` and ``source``, in order."""

    claim: tuple[Word, ...]
    source: tuple[Word, ...]
    pairs: tuple[tuple[int, int], ...]

    @property
    def span(self) -> tuple[int, int]:
        """The range of the source's text that the claim was laid along."""
        return self.source[self.pairs[0][1]].start, self.source[self.pairs[-1][1]].end

    def gaps(self) -> list[Gap]:
        """Return what stands between the pairs, and what a few words at the edges stand for.

        What lies on both sides of a single pair is one gap: 当事人 and 人民法院 have 人 in common by chance.
        """
        head, tail = _edges(self.claim, self.source, self.pairs)
        found = [head, tail]
        for (a, c), (b, d) in zip(self.pairs, self.pairs[1:], strict=False):
            if b - a > 1 or d - c > 1:
                found.append(Gap((a + 1, b), (c + 1, d)))
        joined: list[Gap] = []
        for gap in sorted((gap for gap in found if gap), key=lambda gap: gap.claim):
            last = joined[-1] if joined else None
            is_next = last and gap.claim[0] - last.claim[1] == gap.source[0] - last.source[1] == 1
            if last and is_next and gap.source[1] - last.source[0] <= _EDGE:
                joined[-1] = Gap((last.claim[0], gap.claim[1]), (last.source[0], gap.source[1]))
            else:
                joined.append(gap)
        return joined


def _edges(
    claim: Sequence[Word], source: Sequence[Word], pairs: Sequence[tuple[int, int]]
) -> tuple[Gap | None, Gap | None]:
    """What a few words of the claim before and after all pairs stand for, in the same sentence of the source."""
    (a, c), (b, d) = pairs[0], pairs[-1]
    head = tail = None
    if 0 < a <= _EDGE:
        start = c
        while start > max(0, c - a - 2) and not source[start - 1].is_last:
            start -= 1
        head = Gap((0, a), (start, c))
    if 0 < (rest := len(claim) - b - 1) <= _EDGE:
        end = d + 1
        while end < min(len(source), d + rest + 3) and not source[end - 1].is_last:
            end += 1
        tail = Gap((b + 1, len(claim)), (d + 1, end))
    return head, tail


def _with_edges(
    claim: Sequence[Word], source: Sequence[Word], pairs: tuple[tuple[int, int], ...]
) -> tuple[tuple[int, int], ...]:
    """Pair what is equal at the edges, too: a local alignment ends before a difference that costs more than follows."""
    found = set(pairs)
    for gap in _edges(claim, source, pairs):
        if gap:
            ours = [word.key for word in claim[slice(*gap.claim)]]
            theirs = [word.key for word in source[slice(*gap.source)]]
            for block in SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks():
                if block.size > 1:
                    found |= {(gap.claim[0] + block.a + k, gap.source[0] + block.b + k) for k in range(block.size)}
    return tuple(sorted(found))


def words_of(text: str, without: Sequence[tuple[int, int]] = ()) -> tuple[Word, ...]:
    """Return the words of ``text`` in order, but for those in the ranges ``without``."""
    text = without_list_signs(text)
    for start, end in without:
        text = text[:start] + "\n" * (end - start) + text[end:]
    found: list[Word] = []
    for n in sorted(numbers(text), key=lambda n: (n.start, -n.end)):
        if not found or n.start >= found[-1].end or (n.start, n.end) == (found[-1].start, found[-1].end):
            found.append(Word(f"{n.value} {n.unit}", n.start, n.end, True))
    taken = [(word.start, word.end) for word in found]
    rest = text
    for start, end in taken:
        rest = rest[:start] + " " * (end - start) + rest[end:]
    for match in _WORD.finditer(rest):
        is_number = bool(_NUMERAL.fullmatch(match[0]))
        key = f"{numeral_value(match[0])} " if is_number else match[0].lower()
        found.append(Word(key, *match.span(), is_number))
    found.sort(key=lambda word: word.start)
    ends = [word.start for word in found[1:]] + [len(text)]
    return tuple(
        Word(word.key, word.start, word.end, word.is_number, bool(_STOP.search(text, word.end, end)))
        for word, end in zip(found, ends, strict=False)
    )


def align(claim: Sequence[Word], source: Sequence[Word]) -> Alignment | None:
    """Return the best local alignment; None when nothing is equal."""
    claim, source = tuple(claim), tuple(source)
    if not claim or not source:
        return None
    ids: dict[str, int] = {}
    a = [ids.setdefault(word.key, len(ids)) for word in claim[:MOST_WORDS]]
    source = source[: MOST_CELLS // len(a)]
    b = np.array([ids.setdefault(word.key, len(ids)) for word in source])
    n, m = len(a), len(b)
    whole = np.zeros((n + 1, m + 1), np.int32)
    in_claim = np.full((n + 1, m + 1), _LOW, np.int32)
    in_source = np.full((n + 1, m + 1), _LOW, np.int32)
    steps = [0] + [_SKIP_SOURCE + _SKIP_SENTENCE * word.is_last for word in source]
    slope = np.cumsum(steps, dtype=np.int32)
    for i in range(1, n + 1):
        np.maximum(whole[i - 1] - _OPEN, in_claim[i - 1] - _SKIP_CLAIM, out=in_claim[i])
        row = np.maximum(in_claim[i], 0)
        np.maximum(row[1:], whole[i - 1, :-1] + np.where(b == a[i - 1], _MATCH, _MISMATCH), out=row[1:])
        # A gap in the source that ends at j began at the k < j that is best: a running maximum.
        in_source[i, 1:] = np.maximum.accumulate(row + slope)[:-1] - _OPEN - slope[1:] + _SKIP_SOURCE
        np.maximum(row, in_source[i], out=whole[i])
    pairs = _trace(a, b, whole, in_claim, in_source)
    return Alignment(claim, source, _with_edges(claim, source, pairs)) if pairs else None


def _trace(
    a: list[int], b: np.ndarray, whole: np.ndarray, in_claim: np.ndarray, in_source: np.ndarray
) -> tuple[tuple[int, int], ...]:
    """Walk back from the best cell; of equal ways the one that pairs words."""
    i, j = (int(x) for x in np.unravel_index(int(whole.argmax()), whole.shape))
    pairs = []
    while whole[i, j] > 0:
        is_equal = i > 0 and j > 0 and a[i - 1] == b[j - 1]
        step = _MATCH if is_equal else _MISMATCH
        if i > 0 and j > 0 and whole[i, j] == whole[i - 1, j - 1] + step:
            if is_equal:
                pairs.append((i - 1, j - 1))
            i, j = i - 1, j - 1
        elif whole[i, j] == in_source[i, j]:
            j -= 1
            while in_source[i, j + 1] != whole[i, j] - _OPEN:
                j -= 1
        else:
            while in_claim[i, j] != whole[i - 1, j] - _OPEN:
                i -= 1
            i -= 1
    return tuple(reversed(pairs))
