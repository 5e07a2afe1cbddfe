"""Two runs of words that changed places: the words of the source, all of them, and yet not what it says.

出租人应当通知承租人 and 承租人应当通知出租人 are made of the same words. A window as long as the claim slides over the
source; where it holds the claim's words, what stands at its two ends in the other order was exchanged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ragsvc.citing.alignment import MOST_WORDS, Gap, Word

SHORTEST = 12
"""Words of a claim; a shorter one may have the same words by chance."""
MOST_OTHER = 2
"""Words of the window that the claim has not, and of the claim that the window has not."""
LONGEST_RUN = 12
"""Words of a run that changed places."""
JOINTS = frozenset("与和及或并、或者以及及其andor")
"""Between two runs that only these join, either order says the same."""

_LISTS = tuple("、，,和或及与")


def find_exchange(text: str, claim: Sequence[Word], source: Sequence[Word]) -> tuple[Gap, Gap] | None:
    """Return the two runs of the claim with those of the source in their place; None where none changed places.

    ``claim`` are the words of ``text``, which tells what stands between them.
    """
    claim = claim[:MOST_WORDS]
    if len(claim) < SHORTEST:
        return None
    ours = [word.key for word in claim]
    theirs = [word.key for word in source]
    windows = _windows(ours, theirs)
    fewest = min((n_other for n_other, _ in windows), default=len(ours))
    if fewest > MOST_OTHER:
        return None
    starts = [start for n_other, start in windows if n_other == fewest]
    if any(theirs[start : start + len(ours)] == ours for start in starts):
        return None
    found = next(
        (gaps for start in starts if (gaps := _exchange(ours, theirs[start : start + len(ours)], start))), None
    )
    return None if found and _is_listed(text, claim, found) else found


def _is_listed(text: str, claim: Sequence[Word], gaps: tuple[Gap, Gap]) -> bool:
    """Whether both runs are items of a list, whose order says nothing."""
    first, second = gaps
    after = text[claim[first.claim[1] - 1].end : claim[first.claim[1]].end]
    before = text[claim[second.claim[0] - 1].start : claim[second.claim[0]].start]
    return after[:1] in _LISTS and before[-1:] in _LISTS


def _windows(ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[int, int]]:
    """Return (words of the window that the claim lacks, start) of every window of the claim's length."""
    n = len(ours)
    if len(theirs) < n:
        return []
    missing = Counter(ours)
    missing.subtract(theirs[:n])
    n_other = sum(-count for count in missing.values() if count < 0)
    found = [(n_other, 0)]
    for start in range(1, len(theirs) - n + 1):
        gone, come = theirs[start - 1], theirs[start + n - 1]
        n_other -= missing[gone] < 0
        missing[gone] += 1
        missing[come] -= 1
        n_other += missing[come] < 0
        found.append((n_other, start))
    return found


def _exchange(ours: Sequence[str], theirs: Sequence[str], offset: int) -> tuple[Gap, Gap] | None:
    """Read claim = x A y B z and source = x B y A z, for the longest x and z and runs A and B."""
    n = len(ours)
    first = next((i for i in range(n) if ours[i] != theirs[i]), n)
    last = next((i for i in range(n) if ours[n - 1 - i] != theirs[n - 1 - i]), n)
    mine, other = ours[first : n - last], theirs[first : n - last]
    if not mine:
        return None
    a, b = _common(mine, other), _common(other, mine)
    if not (a and b) or a + b > len(mine) or max(a, b) > LONGEST_RUN:
        return None
    between, also = mine[a : len(mine) - b], other[b : len(other) - a]
    if between != also or all(word in JOINTS for word in between):
        return None
    end = n - last
    return (
        Gap((first, first + a), (offset + first, offset + first + b)),
        Gap((end - b, end), (offset + end - a, offset + end)),
    )


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest beginning of ``one``, shorter than it, that ``other`` ends with."""
    return next((k for k in range(min(len(one) - 1, LONGEST_RUN), 0, -1) if one[:k] == other[-k:]), 0)
