"""Places as English names them: Article 17(1)(b) GDPR, 42 U.S.C. § 1983, Riverton Tenant Privacy Act s 4, Schedule 2.

A section is keyed by its number ("12a", "2000e-5"), a schedule by "sch" and its number. Deeper places than paragraph
and item are written into the item: (b)(2)(A)(i) is paragraph "b", item "2.A.i".
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ragsvc.domains.law.names import name_table, normal_name
from ragsvc.records import Address

_NUMBER = (
    r"\d{1,5}[a-z]{0,3}(?:(?<=[a-z])-\d{1,4}[a-z]?)?(?![A-Za-z0-9])(?:\s?\(\s?(?:\d{1,3}[a-z]?|[a-z]{1,4})\s?\)){0,5}"
)
_INNER = (
    r"(?:,?\s{0,2}(?:para(?:graph|s|\.)?|§)\s{0,2}\(?(?P<paragraph>\d{1,2})\)?)?"
    r"(?:,?\s{0,2}(?:point|lit\.?|letter)\s{0,2}\(?(?P<item>[a-z])\)?(?![a-z]))?"
)
_CODE = r"\d{1,2}\s?U\.?\s?S\.?\s?C(?:ode|\.)?(?:\s?A\.)?(?![A-Za-z])"
_UNITS = r"articles?|arts?\.?|sections?|secs?\.?|rules?|§§?|(?P<brief>ss?\.?)"
_SCHEDULE = (
    r"(?:(?:paragraph|para\.?)\s{1,2}(?P<of_schedule>\d{1,3}[a-z]?(?:\(\w{1,4}\)){0,3})\s(?:of|in)\s(?:the\s)?)?"
    r"(?:schedule|sched?\.)\s{0,2}(?P<schedule>\d{1,3}[a-z]?|[ivxlc]{1,6})(?![A-Za-z0-9])"
    r"(?:,?\s{0,2}(?:paragraph|para\.?)\s{0,2}(?P<in_schedule>\d{1,3}[a-z]?(?:\s?\(\w{1,4}\)){0,3}))?"
)
ARTICLES = re.compile(
    rf"(?<![A-Za-z'’])(?:(?:{_UNITS}|(?<!\d)(?P<code>{_CODE})(?=\s\d))\s{{0,3}}(?P<list>{_NUMBER}(?:\s{{0,2}}(?:,|;|and|or|to|&|-|–)\s{{0,2}}{_NUMBER}){{0,20}}){_INNER}"
    rf"|{_SCHEDULE})",
    re.IGNORECASE,
)
_ONE = re.compile(
    r"(?P<to>(?:to|-|–)\s{0,2})?(?P<article>\d{1,5}[a-z]{0,3}(?:(?<=[a-z])-\d{1,4}[a-z]?)?)(?P<parts>(?:\s?\(\s?\w{1,4}\s?\))*)",
    re.IGNORECASE,
)
_PART = re.compile(r"\(\s?(\w{1,4})\s?\)")

_ACT = r"(?:Regulation|Directive|Decision|Act|Code|Law|Treaty|Convention|Charter|Constitution)"
_WORK = (
    r"(?:(?:Implementing |Delegated )?(?:Regulation|Directive|Decision)\s?\((?:EU|EC|EEC)\)\s?"
    r"(?:No\.?\s?)?\d{2,4}/\d{2,4}"
    r"|(?:Regulation|Directive|Decision)\s?\d{2,4}/\d{2,4}(?:/(?:EU|EC|EEC|JHA))?"
    rf"|{_CODE}"
    rf"|(?:[A-Z][A-Za-z’'-]{{0,30}}\s){{1,8}}{_ACT}(?![a-z])(?:\s\d{{4}}(?!\d))?|(?:EU\s)?[A-Z]{{3,8}}(?![A-Za-z]))"
)
_AFTER = re.compile(rf"\s{{0,2}},?\s{{0,2}}(?:of|under|in|from)?\s{{0,2}}(?:the\s{{1,2}})?(?P<work>{_WORK})")
_BEFORE = re.compile(rf"(?<![A-Za-z0-9])(?P<work>{_WORK})(?:[’']s)?\s{{0,2}}[,:]?\s{{0,2}}$")
_BEFORE_CHARS = 120
# In any case of letters, with small words in it: the health and safety at work act 1974.
_NOUN = r"(?:act|code|law|statute|ordinance|constitution|charter|rules|regulations)(?:\s(?:of\s)?\d{4}(?!\d))?"
_OPEN_BEFORE = re.compile(
    rf"(?P<left>(?:[\w.’'&-]{{1,30}},?\s{{1,2}}){{1,12}}{_NOUN})\s{{0,2}}[,:]?\s{{0,2}}$", re.IGNORECASE
)
_OPEN_AFTER = re.compile(
    rf"\s{{0,2}},?\s{{0,2}}(?:of|under|in|from|to)\s{{1,2}}(?:the\s{{1,2}})?(?P<work>(?:[\w.’'&-]{{1,30}}\s){{1,12}}?{_NOUN})(?![\w-])",
    re.IGNORECASE,
)
# Words after which a name begins; after the joining ones only where none can have gone before.
_LEADING = frozenset(
    re.findall(
        r"\w+",
        "the a an under per see by does do did is are was what which where when why how who whose according pursuant "
        "says say cite cited show me whether than if that with against",
    )
)
_JOINING = frozenset(("of", "and", "or", "for", "to", "at", "in", "on", "from"))
_ACT_WORDS = frozenset(
    ("act", "code", "law", "statute", "ordinance", "constitution", "charter", "rules", "regulations")
)
_VAGUE = _LEADING | _JOINING | {"this", "that", "said", "same", "such", "our", "your", "any", "new"}


class English(Struct, frozen=True):
    """What one match of ``ARTICLES`` names; ``work`` is empty when no name stands beside it."""

    work: str
    addresses: list[Address]
    end: int
    left: str = ""


class _Beside(Struct, frozen=True):
    """A name right before or after a place; ``left`` is the text that ends with one whose beginning is not marked."""

    work: str
    left: str
    start: int
    end: int


def read(text: str, match: re.Match[str], low: int) -> English:
    """Return the articles of ``match`` and the work named right after or right before them (not before ``low``)."""
    name = _name_beside(text, match, low)
    work, start, end = name.work, name.start, name.end
    found = _schedule(match) if match["schedule"] else _sections(match)
    unit: Literal["article", "section"] = "article" if match[0].casefold().startswith("art") else "section"
    spanned = [replace(a, work=work, left=name.left, unit=unit, start=start, end=end) for a in found]
    return English(work, spanned, end, name.left)


def _name_beside(text: str, match: re.Match[str], low: int) -> _Beside:
    start, end = match.span()
    if match["code"]:
        return _Beside(match["code"], "", start, end)
    first = max(low, start - _BEFORE_CHARS)
    after = _AFTER.match(text, end)
    if after and _is_name(after["work"]):
        return _Beside(after["work"], "", start, after.end())
    open_after = _OPEN_AFTER.match(text, end)
    if open_after and not set(open_after["work"].casefold().split()[:-1]) <= _VAGUE:
        return _Beside(open_after["work"], "", start, open_after.end())
    open_before = _OPEN_BEFORE.search(text, first, start)
    before = _BEFORE.search(text, first, start)
    left = open_before["left"] if open_before else ""
    if before and _is_name(before["work"]):
        return _Beside(before["work"], left, before.start(), end)
    words = left.split()
    while words and words[0].casefold().strip(",") in _VAGUE:
        del words[0]
    if len(words) < 2 or open_before is None:
        return _Beside("", "", start, end)
    return _Beside(" ".join(words), left, open_before.start(), end)


def stored_key(left: str, stored: Container[str]) -> str | None:
    """Return the key of the longest stored name that ``left`` ends in, if a name can begin there; else None.

    Clean Water Act is no Water Act, Health and Safety Act no Safety Act; in "under the Water Act" one begins.
    """
    words = left.split()
    for at in range(len(words)):
        key = normal_name(" ".join(words[at:]))
        if key in stored and _may_begin(words[:at]):
            return key
    return None


def _may_begin(before: list[str]) -> bool:
    if not before or before[-1].endswith((",", ";", ":")):
        return True
    last = before[-1].casefold()
    if last in _JOINING:
        earlier = before[-2].casefold().strip(",") if len(before) > 1 else ""
        return not earlier or earlier in _ACT_WORDS or earlier in _LEADING
    return last in _LEADING


def _schedule(match: re.Match[str]) -> list[Address]:
    paragraph, *inner = re.findall(r"\w+", match["in_schedule"] or match["of_schedule"] or "") or [""]
    return [Address(work="", article=f"sch{match['schedule'].casefold()}", paragraph=paragraph, item=".".join(inner))]


def _sections(match: re.Match[str]) -> list[Address]:
    found: list[Address] = []
    for one in _ONE.finditer(match["list"]):
        article = one["article"].casefold()
        parts = _PART.findall(one["parts"])
        if one["to"] and found and article.isdecimal() and found[-1].article.isdecimal():
            between = range(int(found[-1].article) + 1, int(article))
            found += [Address(work="", article=str(n)) for n in between if len(between) < 20]
        paragraph, item = _inside(parts)
        found.append(Address(work="", article=article, paragraph=paragraph, item=item))
    last = found[-1]
    if match["paragraph"] or match["item"]:
        paragraph, item = match["paragraph"] or last.paragraph, (match["item"] or last.item).casefold()
        found[-1] = Address(work="", article=last.article, paragraph=paragraph, item=item)
    return found


def _inside(parts: list[str]) -> tuple[str, str]:
    """Paragraph and item: (1)(b) is point b of paragraph 1; (b) alone is a point; deeper parts stand in the item."""
    if not parts:
        return "", ""
    first, *deeper = parts
    if not first[0].isdecimal() and not deeper:
        return "", first.casefold()
    return first.casefold(), ".".join([*(part.casefold() for part in deeper[:1]), *deeper[1:]])


def _is_name(work: str) -> bool:
    """An abbreviation is a name only if the table has it: MUST, SHALL and PDF are words."""
    return work[0].isdecimal() or not work.replace("EU ", "").isupper() or normal_name(work) in name_table().known
