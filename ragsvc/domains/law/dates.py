"""From when a Chinese legal text holds: the dates it states, and which of them can be believed.

An amended law keeps the last article of its first version ("本法自1995年1月1日起施行"). Read naively, that date would
put the amended text in force years before it was written. So a stated date counts only if it is not earlier than
the promulgation of this version, which is the last passing, revision or amendment that the head names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from ragsvc.domains.law.numerals import NUMERAL, number
from ragsvc.records import ValiditySource

_YEAR = r"(?:\d{4}|[０-９]{4}|[零〇○一二三四五六七八九]{4})"
_DATE = rf"({_YEAR})\s*年\s*({NUMERAL}{{1,3}})\s*月\s*({NUMERAL}{{1,3}})\s*[日号]"
_DATE_RE = re.compile(_DATE)
_FORCE = r"(?:正式|开始|公布|公告|颁布)?(?:施行|实施|生效|执行|适用)"
_ENACTED = re.compile(r"通过|修订|修正|公布|公告|发布|批准|颁布|修改|印发|制定")
_IN_FORCE_FROM = re.compile(rf"[自于从]\s*{_DATE}\s*(?:零时)?起?\s*{_FORCE}")
_DATE_IN_FORCE = re.compile(rf"{_DATE}\s*起?{_FORCE}")
_DATE_PUBLISHED_IN_FORCE = re.compile(rf"{_DATE}[^，。；\n]{{0,40}}(?:公布|发布)施行")
_TAKES_EFFECT = re.compile(rf"\s*(?:零时)?(?:起\s*|{_FORCE})")
_SIGNED = re.compile(r"\s*(?:[）)\n]|$|\S{0,6}〔\d{2,4}〕)")
_THIS_ACT = r"(?:本[法典条例规则定办解释细决安排范意见通知批复修正案公约实施章程]{1,8}|以上规定)"
_BODY_FROM = re.compile(rf"{_THIS_ACT}[^。；\n]{{0,60}}?[自于从]\s*{_DATE}\s*(?:零时)?起?\s*{_FORCE}")
_FROM_PUBLICATION = re.compile(
    rf"(?:{_THIS_ACT}|现予(?:公布|发布)|[日号](?:公布|发布))[^。；\n]{{0,20}}?自(?:公布|发布|颁布|印发|下发|公告|通过)之日起?{_FORCE}"
)
_UNTIL = re.compile(rf"有效期(?:至|截至|截止到?|到)\s*{_DATE}")
_NAME_DATE = re.compile(r"[(（_]\s*(\d{4})-?(\d{2})-?(\d{2})\s*[)）]?(?:\.[A-Za-z]+)?$")


class Validity(NamedTuple):
    """What the dates of a text come to; ``until`` is the first day no longer in force."""

    promulgated: date | None
    effective_from: date | None
    until: date | None
    source: ValiditySource


class _Event(NamedTuple):
    day: date
    clause: str


def validity_of(head: str, closing: str, name: str) -> Validity:
    """Decide from the head of a text, its closing articles and its file name.

    The file name is a hint: its date is taken as the promulgation where the text states none as late, as happens
    when a head names the session that passed an act but not the day of its publication.
    """
    enacted = list(_events(head))
    stated = max((e.day for e in enacted), default=None)
    named = date_in_name(name)
    promulgated = max((d for d in (stated, named) if d), default=None)
    until = _first(_UNTIL, closing)
    until = date.fromordinal(until.toordinal() + 1) if until else None
    in_force = [d for d in _in_force_dates(head, closing) if promulgated is None or d >= promulgated]
    if in_force:
        return Validity(promulgated, min(in_force), until, "stated")
    if promulgated is None:
        return Validity(None, None, until, "unknown")
    # The closing words of an amended text speak of the first version; those of a new or wholly revised one of itself.
    last = max(enacted, key=lambda e: e.day).clause if enacted else ""
    is_own = promulgated == stated and "修正" not in last
    if is_own and (_FROM_PUBLICATION.search(head) or _FROM_PUBLICATION.search(closing)):
        return Validity(promulgated, promulgated, until, "stated")
    return Validity(promulgated, promulgated, until, "inferred")


def date_in_name(name: str) -> date | None:
    """Return the date at the end of a file name, 名称(2018-12-29).md or 名称_20181229.docx."""
    found = _NAME_DATE.search(name)
    return _day(found[1], found[2], found[3]) if found else None


def _events(head: str) -> Iterator[_Event]:
    """Dates of the head on which something was done to the text, each with the words up to the next date."""
    found = list(_DATE_RE.finditer(head))
    for at, m in enumerate(found):
        stop = found[at + 1].start() if at + 1 < len(found) else len(head)
        clause = head[m.end() : min(stop, m.end() + 160)]
        if _TAKES_EFFECT.match(clause):
            continue
        day = _day(m[1], m[2], m[3])
        if day and (_ENACTED.search(clause) or _SIGNED.match(clause)):
            yield _Event(day, clause)


def _in_force_dates(head: str, closing: str) -> Iterator[date]:
    for pattern, text in (
        (_IN_FORCE_FROM, head),
        (_DATE_IN_FORCE, head),
        (_DATE_PUBLISHED_IN_FORCE, head),
        (_BODY_FROM, closing),
    ):
        for m in pattern.finditer(text):
            day = _day(m[1], m[2], m[3])
            if day:
                yield day


def _first(pattern: re.Pattern[str], text: str) -> date | None:
    found = pattern.search(text)
    return _day(found[1], found[2], found[3]) if found else None


def _day(year: str, month: str, day: str) -> date | None:
    values = [number(part) for part in (year, month, day)]
    try:
        return date(values[0] or 0, values[1] or 0, values[2] or 0)
    except ValueError:
        return None
