"""What two texts of one document say differently: articles by their numbers, other texts by heading and paragraph.

Only letters, digits and the marks of numbers count: a text that was saved in another format or set with other spaces
or quotation marks is the same text.
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from ragsvc.chunking.lines import lines_of
from ragsvc.records import Chunk
from ragsvc.store.identity import letters

SAME_ARTICLE = 0.6
"""Likeness (Indel, 0 to 1) from which two places with different numbers are one that was renumbered and changed."""
SAME_NUMBER = 0.4
"""The same where both have the same number; below it, one went and another came in its place."""
CONTAINED, CONTAINED_LETTERS = 0.95, 16
"""How much of a text, and of how many letters at least, stands in another one that has sentences more."""
MOST_CONTAINED = 20_000
"""Pairs looked at for that, a slow comparison; where more are left, the text was written anew."""
SAME_NUMBER_BONUS = 0.1
"""What the same number counts for where a place is about as much like another one."""
SHORT_RUN = 2
"""Equal words between two changes, up to which they are shown as one."""
_WORDS = re.compile(r"第[〇零一二三四五六七八九十百千\d]+[编章节条款项]|[a-zA-Z]+|\d+(?:[.,]\d+)*|\s+|.", re.DOTALL)


class Place(Struct, frozen=True, kw_only=True):
    """A part of a version: ``version.text[start:end]``. ``address`` is empty where the text has no numbers."""

    address: str
    locator: str
    heading_path: tuple[str, ...]
    start: int
    end: int
    text: str


class WordChange(Struct, frozen=True):
    """Words that stand for each other; one of the two may be empty."""

    old: str
    new: str


class Change(Struct, frozen=True, kw_only=True):
    """A place of the old text and what became of it. ``words`` is empty when only the number changed."""

    old: Place
    new: Place
    words: tuple[WordChange, ...]


class TextDiff(Struct, frozen=True, kw_only=True):
    """Every place of two texts, each once. ``renumbered`` may be changed as well; ``changed`` kept its number."""

    added: tuple[Place, ...]
    changed: tuple[Change, ...]
    repealed: tuple[Place, ...]
    renumbered: tuple[Change, ...]
    unchanged: int


def places_of(text: str, chunks: Iterable[Chunk]) -> list[Place]:
    """Return what is compared of a text: its articles, and of all else but the front of a statute the paragraphs."""
    chunks = [chunk for chunk in chunks if chunk.kind not in ("heading", "contents")]
    articles = [chunk for chunk in chunks if _is_article(chunk)]
    places = [_article(text, chunk) for chunk in articles]
    spans = sorted((chunk.start, chunk.end) for chunk in articles)
    for chunk in chunks:
        before = bisect_right(spans, (chunk.start, len(text)))
        is_inside = before > 0 and chunk.end <= spans[before - 1][1]
        is_front = bool(articles) and chunk.kind == "front"
        if chunk.is_leaf and not is_front and not is_inside:
            places += _paragraphs(text, chunk)
    return sorted(places, key=lambda place: place.start)


def diff_places(old: Sequence[Place], new: Sequence[Place]) -> TextDiff:
    """Match the places of two texts: what is the same first, then what is most alike."""
    pairs, unchanged = _equal_pairs(old, new)
    for likeness in (_likeness, _containment):
        pairs |= _alike_pairs(old, new, pairs, likeness)
    pairs |= _rewritten_pairs(old, new, pairs)
    taken = set(pairs.values())
    changes = [
        Change(old=old[i], new=new[j], words=_changed_words(body_of(old[i]), body_of(new[j])))
        for i, j in sorted(pairs.items(), key=lambda pair: pair[1])
        if (i, j) not in unchanged
    ]
    return TextDiff(
        added=tuple(place for at, place in enumerate(new) if at not in taken),
        changed=tuple(change for change in changes if change.old.address == change.new.address),
        repealed=tuple(place for at, place in enumerate(old) if at not in pairs),
        renumbered=tuple(change for change in changes if change.old.address != change.new.address),
        unchanged=len(unchanged),
    )


def _is_article(chunk: Chunk) -> bool:
    return chunk.kind == "article" and bool(chunk.address)


def _article(text: str, chunk: Chunk) -> Place:
    return Place(
        address=chunk.address,
        locator=chunk.locator,
        heading_path=chunk.heading_path,
        start=chunk.start,
        end=chunk.end,
        text=text[chunk.start : chunk.end].strip(),
    )


def _paragraphs(text: str, chunk: Chunk) -> list[Place]:
    return [
        Place(
            address="",
            locator=chunk.locator,
            heading_path=chunk.heading_path,
            start=chunk.start + line.start,
            end=chunk.start + line.end,
            text=line.content,
        )
        for line in lines_of(text[chunk.start : chunk.end])
        if letters(line.content)
    ]


def body_of(place: Place) -> str:
    """The text without its own number."""
    return place.text.removeprefix(place.locator).strip() if place.address else place.text


def _equal_pairs(old: Sequence[Place], new: Sequence[Place]) -> tuple[dict[int, int], set[tuple[int, int]]]:
    """Return all pairs of equal texts (old position -> new), and those of them that kept their number as well."""
    by_text: dict[tuple[bool, str], list[int]] = defaultdict(list)
    for j, place in enumerate(new):
        by_text[bool(place.address), letters(body_of(place))].append(j)
    keys = [(bool(place.address), letters(body_of(place))) for place in old]
    pairs: dict[int, int] = {}
    unchanged: set[tuple[int, int]] = set()
    for i, place in enumerate(old):
        same = next((j for j in by_text[keys[i]] if new[j].address == place.address), None)
        if same is not None:
            by_text[keys[i]].remove(same)
            pairs[i] = same
            unchanged.add((i, same))
    for i in range(len(old)):
        if i not in pairs and by_text[keys[i]]:
            pairs[i] = by_text[keys[i]].pop(0)
    return pairs, unchanged


def _alike_pairs(
    old: Sequence[Place], new: Sequence[Place], pairs: dict[int, int], likeness: Callable[..., NDArray[np.float32]]
) -> dict[int, int]:
    """Pair what has no partner yet, the most alike first: articles with articles, paragraphs within their heading."""
    taken = set(pairs.values())
    groups: dict[object, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, places, partners in ((0, old, pairs.keys()), (1, new, taken)):
        for at, place in enumerate(places):
            if at not in partners:
                groups["articles" if place.address else place.heading_path][side].append(at)
    candidates: list[tuple[float, int, int, int]] = []
    for ours, theirs in groups.values():
        if ours and theirs:
            matrix = likeness([letters(body_of(old[i])) for i in ours], [letters(body_of(new[j])) for j in theirs])
            candidates += _candidates(old, new, matrix, ours, theirs)
    found: dict[int, int] = {}
    for _, _, i, j in sorted(candidates, reverse=True):
        if i not in found and j not in taken:
            found[i] = j
            taken.add(j)
    return found


def _likeness(ours: list[str], theirs: list[str]) -> NDArray[np.float32]:
    """What two texts have in common, in order, as a share of both."""
    shares = process.cdist(ours, theirs, scorer=fuzz.ratio, score_cutoff=100 * SAME_NUMBER)
    return np.asarray(shares / 100, np.float32)


def _containment(ours: list[str], theirs: list[str]) -> NDArray[np.float32]:
    """As ``_likeness``, where one text stands whole in the other, which has sentences more."""
    if len(ours) * len(theirs) > MOST_CONTAINED:
        return np.zeros((len(ours), len(theirs)), np.float32)
    shares = process.cdist(ours, theirs, scorer=fuzz.partial_ratio, score_cutoff=100 * CONTAINED) / 100
    is_long = np.minimum.outer([len(text) for text in ours], [len(text) for text in theirs]) >= CONTAINED_LETTERS
    return np.asarray(np.where(is_long, shares, 0), np.float32)


def _rewritten_pairs(old: Sequence[Place], new: Sequence[Place], pairs: dict[int, int]) -> dict[int, int]:
    """Pair what kept its number between neighbours that are pairs: a place that was wholly rewritten."""
    taken = set(pairs.values())
    at = {place.address: j for j, place in enumerate(new) if place.address and j not in taken}
    around = {-1: -1, len(old): len(new)} | pairs
    found = {i: at[place.address] for i, place in enumerate(old) if i not in pairs and place.address in at}
    return {i: j for i, j in found.items() if around.get(i - 1) == j - 1 and around.get(i + 1) == j + 1}


def _candidates(
    old: Sequence[Place], new: Sequence[Place], likeness: NDArray[np.float32], ours: list[int], theirs: list[int]
) -> Iterator[tuple[float, int, int, int]]:
    """Yield (likeness, nearness, i, j) of what may be a pair."""
    for a, b in np.argwhere(likeness):
        i, j, score = ours[a], theirs[b], float(likeness[a, b])
        same = bool(old[i].address) and old[i].address == new[j].address
        if score >= (SAME_NUMBER if same else SAME_ARTICLE):
            yield score + SAME_NUMBER_BONUS * same, -abs(i - j), i, j


def _changed_words(old: str, new: str) -> tuple[WordChange, ...]:
    """Return what differs between two wordings, in order; a Han character counts as a word."""
    ours, theirs = _WORDS.findall(old), _WORDS.findall(new)
    runs: list[list[int]] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if runs and i1 - runs[-1][1] <= SHORT_RUN:
            runs[-1][1], runs[-1][3] = i2, j2
        else:
            runs.append([i1, i2, j1, j2])
    changes = (WordChange(_joined(ours[i1:i2]), _joined(theirs[j1:j2])) for i1, i2, j1, j2 in runs)
    return tuple(change for change in changes if letters(change.old) != letters(change.new))


def _joined(words: Sequence[str]) -> str:
    return " ".join("".join(words).split())
