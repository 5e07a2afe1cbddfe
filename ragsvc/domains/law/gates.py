"""Which of two norms prevails, and where a local one holds: said beside an answer when the passages call for it.

Source of the order: 立法法 (2023), articles 98 to 106; for acts of the EU, Articles 290 and 291 TFEU. Which norm
prevails is a rule of law; whether two norms conflict is judged by their words (``citing.differences``).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from datetime import date
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Literal

from msgspec import Struct, convert

from ragsvc.citing.alignment import words_of
from ragsvc.citing.claims import content
from ragsvc.citing.differences import claim_words, compare
from ragsvc.domains.gates import Facts, Finding
from ragsvc.domains.law.facts import kind_of_title
from ragsvc.domains.law.names import normal_name
from ragsvc.prompting import Language
from ragsvc.records import Passage

LEAST_SHARED = 0.25
"""Share of the content of the shorter passage that two passages on one matter have in common, at least."""
LEAST_SCORE = 0.5
"""Of the best passage's score: what is less near to the question is not compared."""
MOST = 2
"""Notices about pairs of norms."""

_LOCAL = "地方性法规"


class _Norms(Struct, frozen=True, forbid_unknown_fields=True):
    rank: dict[str, int]
    title_rank: dict[str, int]
    special: dict[str, list[str]]
    texts: dict[Language, dict[str, str]]
    places: dict[str, str]


class _Norm(Struct, frozen=True):
    """A passage as a norm."""

    number: int
    passage: Passage
    kind: str
    issuer: str
    rank: int | None

    def name(self, language: Language) -> str:
        return (
            f"《{self.passage.work}》{self.passage.locator}"
            if language == "zh"
            else (" ".join(filter(None, (self.passage.work, self.passage.locator))))
        )


@cache
def _norms() -> _Norms:
    return convert(tomllib.loads(Path(__file__).with_name("gates_norms.toml").read_text("utf-8")), _Norms)


def compare_norms(said: str, passages: Sequence[Passage], language: Language, facts: Facts) -> list[Finding]:
    """Return which norm prevails of those that were found on one matter, and where local ones hold."""
    best = max((passage.score for passage in passages), default=0.0)
    near = [(n, p) for n, p in enumerate(passages, 1) if p.score >= LEAST_SCORE * best]
    norms = [_norm(number, passage, facts) for number, passage in near]
    found = [finding for one, other in combinations(norms, 2) if (finding := _pair(one, other, language))]
    conflicts_first = sorted(found, key=lambda finding: finding.severity != "warning")
    return [*_once(conflicts_first)[:MOST], *_once(_local(said, norms, language))]


def _norm(number: int, passage: Passage, facts: Facts) -> _Norm:
    kind, issuer = facts.get(passage.document_id, ("", ""))
    kind = kind or kind_of_title(passage.work)
    rank = _norms().rank.get(kind)
    if rank is None and not kind:
        rank = next((n for pattern, n in _norms().title_rank.items() if re.search(pattern, passage.work)), None)
    return _Norm(number, passage, kind, issuer, rank)


def _pair(one: _Norm, other: _Norm, language: Language) -> Finding | None:
    """Say which of two norms on one matter prevails; nothing where that cannot be told."""
    if one.passage.work == other.passage.work or one.rank is None or other.rank is None:
        return None
    said, its = content(one.passage.text), content(other.passage.text)
    if len(said & its) < LEAST_SHARED * max(min(len(said), len(its)), 1):
        return None
    differ = _differ(one.passage.text, other.passage.text)
    order = _order(one, other, differ=differ)
    if order is None:
        return None
    rule, high, low = order
    texts = _norms().texts[language]
    text = texts[rule].format(
        high=high.name(language),
        low=low.name(language),
        high_kind=high.kind or "–",
        low_kind=low.kind or "–",
        high_day=high.passage.effective_from,
        low_day=low.passage.effective_from,
        how=texts["differ" if differ else "both"],
    )
    places = tuple((norm.number, *_whole(norm.passage.text)) for norm in (high, low))
    severity: Literal["warning", "info"] = "warning" if differ else "info"
    return Finding(kind="hierarchy", severity=severity, topic=rule, text=text, places=places)


def _order(one: _Norm, other: _Norm, *, differ: bool) -> tuple[str, _Norm, _Norm] | None:
    """Return the rule, the norm that prevails and the other one."""
    assert one.rank is not None and other.rank is not None
    if one.rank != other.rank:
        return ("higher", one, other) if one.rank < other.rank else ("higher", other, one)
    if one.kind != other.kind:
        return ("undecided", one, other) if differ and _LOCAL in (one.kind, other.kind) else None
    if one.kind == _LOCAL and one.issuer != other.issuer:
        return None  # of two places each holds in its own
    for general, special in ((one, other), (other, one)):
        if _is_special(special.passage.work, general.passage.work):
            return "special", special, general
    days = one.passage.effective_from, other.passage.effective_from
    if not differ or None in days or days[0] == days[1] or one.issuer != other.issuer:
        return None
    one_is_later = (days[0] or date.min) > (days[1] or date.min)
    return ("later", one, other) if one_is_later else ("later", other, one)


def _is_special(special: str, general: str) -> bool:
    names = {normal_name(name): {normal_name(one) for one in ones} for name, ones in _norms().special.items()}
    return normal_name(special) in names.get(normal_name(general), ())


def _differ(one: str, other: str) -> bool:
    compared = compare(one, claim_words(one), other, words_of(other))
    return compared is not None and bool(compared.differences)


def _local(said: str, norms: Sequence[_Norm], language: Language) -> list[Finding]:
    """Say where the local norms hold that were found."""
    asked = places_in(said)
    texts = _norms().texts[language]
    found = []
    for norm in norms:
        at = places_in(norm.issuer) or places_in(norm.passage.work) if norm.kind == _LOCAL else []
        if not at or any(_holds_in(at[0], place) for place in asked):
            continue
        key = "local_other" if asked else "local_unsaid"
        text = texts[key].format(
            work=norm.name(language), place=at[0], asked=("、" if language == "zh" else ", ").join(asked)
        )
        severity: Literal["warning", "info"] = "warning" if asked else "info"
        place = (norm.number, *_whole(norm.passage.text))
        found.append(Finding(kind="jurisdiction", severity=severity, topic=key, text=text, places=(place,)))
    return found


def places_in(text: str) -> list[str]:
    """Return the provinces and prefectures that a text names; of 广东省深圳市 the narrower one only."""
    found = [
        name for province, cities in _norms().places.items() for name in (province, *cities.split()) if name in text
    ]
    return [name for name in found if not any(other != name and _province(other) == name for other in found)]


def _province(name: str) -> str:
    """The province of a prefecture; of a province itself nothing."""
    return next((province for province, cities in _norms().places.items() if name in cities.split()), "")


def _holds_in(of: str, place: str) -> bool:
    """Whether a norm of one place holds in another: its own, or one that lies in it."""
    return of == place or _province(place) == of


def _whole(text: str) -> tuple[int, int]:
    start = len(text) - len(text.lstrip())
    return start, len(text.rstrip())


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Of findings on the same two works, or the same work, the first."""
    seen: dict[tuple[str, tuple[int, ...]], Finding] = {}
    for finding in findings:
        seen.setdefault((finding.topic, tuple(place[0] for place in finding.places)), finding)
    return list(seen.values())
