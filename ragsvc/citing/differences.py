"""Whether a claim that is laid along a source says what it says: what differs, and whether the difference counts.

A number, a duty that became a permission, a negation, a bound, a party, an opposite, an "and" for an "or", and two runs
of words that changed places count, where the words around them are the source's own. Other words may be a paraphrase,
which nothing here can judge.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from ragsvc.citing.alignment import Alignment, Gap, Word, align, words_of
from ragsvc.citing.exchanges import find_exchange

DifferenceKind = Literal["number", "modality", "negation", "bound", "party", "order", "opposite", "connective"]

NEAR, WORDS_AROUND = 12, 8
"""Of the ``NEAR`` words on each side of a difference, so many in all must be equal for it to count."""
LONGEST, LONGEST_NEGATION = 8, 3
"""Words that may stand for each other in a difference that counts; more of them are another way to say it."""
FULL_COVERAGE = 0.95
"""Share of the claim's words from which the source says all of it, if nothing that counts differs."""
MISQUOTE_WORDS, MISQUOTE_COVERAGE = 12, 0.85
"""Equal words, and share of equal words, from which a passage is what a claim misquotes without naming it."""
EXCHANGED_COVERAGE = 0.6
"""Share of equal words from which it is looked for what changed places."""
FEWEST_WORDS = 4
"""A claim of fewer words than this says nothing that could be checked."""

_TABLE = tomllib.loads(Path(__file__).with_name("opposed_words.toml").read_text(encoding="utf-8"))
_FREE = frozenset(" ".join(_TABLE["free"].values()).split())
_LEADS = re.compile(
    r"(?:根据|依据|依照|按照|参照|参见|详见|基于)|(?:的|之)?(?:相关|有关|具体)?规定(?:[：:，,]|$)"
    r"|(?:明确|有)?规定(?:了|如下|[：:，,])|[（(][一二三四五六七八九十\d]{1,3}[）)]|我国|现行|法律|司法解释|您好|你好"
    r"|首先|其次|再次|最后|另外|此外|同时|因此|所以|综上(?:所述)?|即[：:，,]?"
    r"|\b(?:according to|under|pursuant to|provides? that|states? that|says? that|as required by)\b",
    re.IGNORECASE,
)
_SAYS = re.compile(r"规定|[（(]|that$|says|states|required")
"""Of these, what may come after a name (and the sign of an item): 同时 there goes on with what is claimed."""

_NOT = re.compile(r"不论|无论|不仅|不但|不管|是否|能否|可否|有无|除非")
_NEGATIONS = re.compile(r"没有|[不未无非没勿否莫]|失(?=效)|禁止|严禁|\b(?:not|no|never|without|neither|nor|cannot)\b")
_OPPOSITES = [pair.split("/") for pairs in _TABLE["opposites"].values() for pair in pairs.split()]
_PARTY = re.compile(r"(?:[人者方院会社民员东]|机关|机构|单位|公司|企业|部门|政府|银行|组织|原告|被告)$")
_PARTY_REACH = 3
_PLACES = (" article", " paragraph", " item")


class Difference(Struct, frozen=True, kw_only=True):
    """What the claim has and what the source has in its place, each as written; one of them may be empty."""

    kind: DifferenceKind
    claim: str
    source: str


class Comparison(Struct, frozen=True, kw_only=True):
    """A claim beside one source. ``span`` is the range of the source's text that it follows or differs from."""

    coverage: float
    """Share of the claim's words that the source has in that order."""
    n_words: int
    """Words of the claim that count; a Latin word or a number says as much as two characters and counts twice."""
    n_equal: int
    span: tuple[int, int]
    n_left_out: int = 0
    """Words of the source inside ``span`` that the claim leaves out."""
    differences: tuple[Difference, ...] = ()
    """Those that count; with any, the claim contradicts the source."""
    has_foreign_number: bool = False
    """Whether the claim has a number that the source has not in that place."""

    @property
    def is_supported(self) -> bool:
        """Whether the source says all of the claim."""
        return self.coverage >= FULL_COVERAGE and not self.differences and not self.has_foreign_number

    def is_misquoted(self, n_words: int, coverage: float) -> bool:
        """Whether the claim repeats the source, by these bounds, and differs from it."""
        return bool(self.differences) and self.n_equal >= n_words and self.coverage >= coverage


def claim_words(text: str, mentions: Sequence[tuple[int, int]] = ()) -> tuple[Word, ...]:
    """Return the words of a sentence that claim something: without names of places and phrases that introduce them.

    A phrase introduces where it begins the sentence or stands beside a name, or beside another such phrase: inside the
    sentence, 依照法律规定 belongs to what is claimed.
    """
    return words_of(text, [*mentions, *_introductions(text, mentions)])


def _introductions(text: str, mentions: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found = [match.span() for match in _LEADS.finditer(text)]
    leads = [(*lead, False) for lead in found if not any(start <= lead[0] < end for start, end in mentions)]
    kept: list[tuple[int, int]] = []
    run: list[tuple[int, int]] = []
    introduces, is_named, end = True, False, 0  # of the run so far; the sentence's beginning introduces
    for start, stop, is_name in sorted([*leads, *((*mention, True) for mention in mentions)]):
        says = _SAYS.search(text, start, stop) is not None
        if any(char.isalnum() for char in text[end:start]) or (is_named and not is_name and not says):
            kept += run if introduces else []
            run, introduces, is_named = [], False, False
        introduces, is_named = introduces or is_name, is_named or is_name
        run += [] if is_name else [(start, stop)]
        end = max(end, stop)
    return kept + (run if introduces else [])


def compare(claim_text: str, claim: Sequence[Word], source_text: str, source: Sequence[Word]) -> Comparison | None:
    """Lay a claim along a source; None when they have next to nothing in common."""
    alignment = align(claim, source)
    if alignment is None:
        return None
    paired = {i for i, _ in alignment.pairs}
    counted = {i: 1 + word.key.isascii() for i, word in enumerate(alignment.claim) if word.key not in _FREE}
    equal = sum(weight for i, weight in counted.items() if i in paired)
    start, end = alignment.span
    differences = []
    has_foreign_number = any(
        word.is_number and i not in paired and word.key.split(" ")[1] for i, word in enumerate(alignment.claim)
    )
    for gap in alignment.gaps():
        if _is_embedded(alignment, gap) and (kind := _kind(alignment, gap)):
            for word in alignment.source[slice(*gap.source)]:
                start, end = min(start, word.start), max(end, word.end)
            differences.append(
                Difference(
                    kind=kind,
                    claim=_written(claim_text, alignment.claim[slice(*gap.claim)]),
                    source=_written(source_text, alignment.source[slice(*gap.source)]),
                )
            )
    if lost := _lost_negation(alignment):
        start = min(start, lost.start)
        differences.append(Difference(kind="negation", claim="", source=_written(source_text, [lost])))
    found = Comparison(
        coverage=equal / max(sum(counted.values()), 1),
        n_words=sum(counted.values()),
        n_equal=equal,
        span=(start, end),
        n_left_out=_left_out(alignment),
        differences=tuple(differences),
        has_foreign_number=has_foreign_number,
    )
    return found if differences or found.coverage < EXCHANGED_COVERAGE else _exchanged(claim_text, alignment, found)


def _lost_negation(alignment: Alignment) -> Word | None:
    """A negation right before the source's words that the claim begins with: 按照规定 of 未按照规定."""
    first, at = alignment.pairs[0]
    before = alignment.source[max(0, at - 2) : at]
    if first or not before or before[-1].is_last or _NOT.search(_joined(before)):
        return None
    return before[-1] if _NEGATIONS.fullmatch(before[-1].key) else None


def _left_out(alignment: Alignment) -> int:
    """Words of the source between the first and the last that are equal, and that the claim has not."""
    first, last = alignment.pairs[0][1], alignment.pairs[-1][1]
    paired = {j for _, j in alignment.pairs}
    return sum(j not in paired and alignment.source[j].key not in _FREE for j in range(first, last))


def _exchanged(text: str, alignment: Alignment, found: Comparison) -> Comparison:
    """Add what changed places, as seen from the claim's words in the order of the claim."""
    claim, source = alignment.claim, alignment.source
    gaps = find_exchange(text, claim, source)
    if gaps is None:
        return found
    runs = [
        (
            "".join(word.key for word in claim[slice(*gap.claim)]),
            "".join(word.key for word in source[slice(*gap.source)]),
        )
        for gap in gaps
    ]
    start = min(found.span[0], source[gaps[0].source[0]].start)
    end = max(found.span[1], source[gaps[1].source[1] - 1].end)
    return msgspec.structs.replace(
        found,
        coverage=max(found.coverage, FULL_COVERAGE),
        n_equal=found.n_words,
        span=(start, end),
        differences=tuple(Difference(kind="order", claim=ours, source=theirs) for ours, theirs in runs),
    )


def _written(text: str, words: Sequence[Word]) -> str:
    return text[words[0].start : words[-1].end] if words else ""


def _is_embedded(alignment: Alignment, gap: Gap) -> bool:
    """Whether the words around the gap are the source's own, so that the claim repeats the source there."""
    if max(gap.claim[1] - gap.claim[0], gap.source[1] - gap.source[0]) > LONGEST:
        return False
    before = sum(
        gap.claim[0] - NEAR <= i < gap.claim[0] and gap.source[0] - NEAR <= j < gap.source[0]
        for i, j in alignment.pairs
    )
    after = sum(
        gap.claim[1] <= i < gap.claim[1] + NEAR and gap.source[1] <= j < gap.source[1] + NEAR
        for i, j in alignment.pairs
    )
    left = len(alignment.claim) - gap.claim[1]
    is_joined = before >= min(2, gap.claim[0]) and after >= min(2, left)
    return is_joined and before + after >= WORDS_AROUND


def _kind(alignment: Alignment, gap: Gap) -> DifferenceKind | None:
    claim, source = alignment.claim[slice(*gap.claim)], alignment.source[slice(*gap.source)]
    if _numbers_differ(claim, source):
        return "number"
    if not claim and gap.source[1] - gap.source[0] > 2:
        return None  # words left out
    around = _around(alignment.claim, gap.claim), _around(alignment.source, gap.source)
    inside = _joined(claim), _joined(source)
    kinds: tuple[DifferenceKind, ...] = ("modality", "bound")
    for kind in kinds:
        ours, theirs = (_classes(text, kind) for text in around)
        if ours and theirs and not ours & theirs:
            return kind
    if _differ_by_negation(claim, source) and _count_negations(around[0]) % 2 != _count_negations(around[1]) % 2:
        return "negation"
    if any(_swapped(around, inside, *pair) for pair in _OPPOSITES):
        return "opposite"
    if claim and source and _is_other_party(alignment, gap):
        return "party"
    ours, theirs = (_classes(text, "connective") for text in inside)
    if len(ours) == len(theirs) == 1 and ours != theirs:
        return "connective"
    return None


def _numbers_differ(claim: Sequence[Word], source: Sequence[Word]) -> bool:
    """Whether amounts differ; numbers of places are compared elsewhere, and 一 is mostly no amount (一般)."""
    ours, theirs = ({word.key for word in words if _is_amount(word)} for words in (claim, source))
    if not ours or not theirs or ours <= theirs:
        return False
    return any(map(_has_unit, ours)) == any(map(_has_unit, theirs))


def _is_amount(word: Word) -> bool:
    return word.is_number and not word.key.endswith(_PLACES)


def _has_unit(key: str) -> bool:
    return not key.endswith(" ")


def _joined(words: Iterable[Word]) -> str:
    """Han characters without and Latin words with spaces between them."""
    text = ""
    for word in words:
        text += f" {word.key} " if word.key.isascii() else word.key
    return text


def _around(words: Sequence[Word], span: tuple[int, int]) -> str:
    """The words with one more on each side, so that a changed character is seen in its word."""
    return _joined(words[max(0, span[0] - 1) : span[1] + 1])


@cache
def _class_words(group: str) -> list[tuple[str, str]]:
    """The words of a group of the table with their classes, the longest first."""
    words = [(word, name) for name, line in _TABLE[group].items() for word in line.split()]
    return sorted(words, key=lambda word: -len(word[0]))


def _classes(text: str, group: str) -> set[str]:
    """Return the classes whose words are in ``text``; what a longer word has taken is gone (不可以 is no 可以)."""
    found = set()
    for word, name in _class_words(group):
        if word.isascii():
            if re.search(rf"\b{word}\b", text):
                found.add(name)
        elif word in text:
            found.add(name)
            text = text.replace(word, "·")
    return found


def _differ_by_negation(claim: Sequence[Word], source: Sequence[Word]) -> bool:
    """Whether little but a negation is between them: 不予 and 予以, 未 and 已."""
    rest = [_NEGATIONS.sub("", _joined(words)).split() for words in (claim, source)]
    lengths = [sum(1 if part.isascii() else len(part) for part in parts) for parts in rest]
    is_short = max(len(claim), len(source)) <= LONGEST_NEGATION
    return is_short and abs(lengths[0] - lengths[1]) <= 1 and not any(word.is_number for word in (*claim, *source))


def _count_negations(text: str) -> int:
    return len(_NEGATIONS.findall(_NOT.sub("", text)))


def _swapped(around: tuple[str, str], inside: tuple[str, str], one: str, other: str) -> bool:
    """Whether the claim has ``one`` where the source has ``other``, or the other way round."""
    for ours, theirs in ((one, other), (other, one)):
        is_here = _has(around[0], ours) and not _has(around[1], ours)
        is_there = _has(around[1], theirs) and not _has(around[0], theirs)
        if is_here and is_there and any(inside):
            return True
    return False


def _has(text: str, word: str) -> bool:
    return bool(re.search(rf"\b{word}\b", text)) if word.isascii() else word in text


def _is_other_party(alignment: Alignment, gap: Gap) -> bool:
    """Whether the claim has another party in this place, one that the source speaks of."""
    ours, theirs = _party(alignment.claim, gap.claim), _party(alignment.source, gap.source)
    in_source = "".join(word.key for word in alignment.source)
    is_another = len(ours) > 1 and len(theirs) > 1 and ours not in theirs and theirs not in ours
    return is_another and ours in in_source


def _party(words: Sequence[Word], span: tuple[int, int]) -> str:
    """The changed words with the ending that makes a party of them, if they have one: 出 of 出租人."""
    changed = "".join(word.key for word in words[slice(*span)])
    if _PARTY.search(changed):
        return changed
    rest = ""
    for word in words[span[1] : span[1] + _PARTY_REACH]:
        rest += word.key
        if _PARTY.search(rest):
            return changed + rest
    return ""
