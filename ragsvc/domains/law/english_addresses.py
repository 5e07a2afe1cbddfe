"""Articles as English writes them: Article 17(1)(b) GDPR, Arts. 13 and 14 of Regulation (EU) 2016/679, Art 5 para 1."""

from __future__ import annotations

import re

from msgspec import Struct

from ragsvc.domains.law.names import name_table, normal_name
from ragsvc.records import Address

_NUMBER = r"\d{1,4}[a-z]?(?![A-Za-z0-9])(?:\s?\(\s?(?:\d{1,2}|[a-z]{1,4})\s?\)){0,3}"
_INNER = (
    r"(?:,?\s{0,2}(?:para(?:graph|s|\.)?|§)\s{0,2}\(?(?P<paragraph>\d{1,2})\)?)?"
    r"(?:,?\s{0,2}(?:point|lit\.?|letter)\s{0,2}\(?(?P<item>[a-z])\)?(?![a-z]))?"
)
ARTICLES = re.compile(
    rf"(?<![A-Za-z])(?:articles?|arts?\.?|§§?)\s{{0,3}}(?P<list>{_NUMBER}(?:\s{{0,2}}(?:,|;|and|or|to|&|-|–)\s{{0,2}}{_NUMBER}){{0,20}}){_INNER}",
    re.IGNORECASE,
)
_ONE = re.compile(
    r"(?P<to>(?:to|-|–)\s{0,2})?(?P<article>\d{1,4}[a-z]?)(?P<parts>(?:\s?\(\s?\w{1,4}\s?\))*)", re.IGNORECASE
)
_PART = re.compile(r"\(\s?(\w{1,4})\s?\)")

_ACT = r"(?:Regulation|Directive|Decision|Act|Code|Law|Treaty|Convention|Charter|Constitution)"
_WORK = (
    r"(?:(?:Implementing |Delegated )?(?:Regulation|Directive|Decision)\s?\((?:EU|EC|EEC)\)\s?"
    r"(?:No\.?\s?)?\d{2,4}/\d{2,4}"
    r"|(?:Regulation|Directive|Decision)\s?\d{2,4}/\d{2,4}(?:/(?:EU|EC|EEC|JHA))?"
    rf"|(?:[A-Z][A-Za-z’'-]{{0,30}}\s){{1,8}}{_ACT}(?![a-z])|(?:EU\s)?[A-Z]{{3,8}}(?![A-Za-z]))"
)
_AFTER = re.compile(rf"\s{{0,2}},?\s{{0,2}}(?:of|under|in|from)?\s{{0,2}}(?:the\s{{1,2}})?(?P<work>{_WORK})")
_BEFORE = re.compile(rf"(?<![A-Za-z])(?P<work>{_WORK})(?:[’']s)?\s{{0,2}}[,:]?\s{{0,2}}$")
_BEFORE_CHARS = 120


class English(Struct, frozen=True):
    """What one match of ``ARTICLES`` names; ``work`` is empty when no name stands beside it."""

    work: str
    addresses: list[Address]
    end: int


def read(text: str, match: re.Match[str], low: int) -> English:
    """Return the articles of ``match`` and the work named right after or right before them (not before ``low``)."""
    start, end, work = match.start(), match.end(), ""
    after = _AFTER.match(text, end)
    before = _BEFORE.search(text, max(low, start - _BEFORE_CHARS), start)
    if after and _is_name(after["work"]):
        work, end = after["work"], after.end()
    elif before and _is_name(before["work"]):
        work, start = before["work"], before.start()
    found: list[Address] = []
    for one in _ONE.finditer(match["list"]):
        article = one["article"].casefold()
        parts = [part.casefold() for part in _PART.findall(one["parts"])]
        if one["to"] and found and article.isdecimal() and found[-1].article.isdecimal():
            between = range(int(found[-1].article) + 1, int(article))
            found += [Address(work=work, article=str(n)) for n in between if len(between) < 20]
        paragraph, item = _inside(parts)
        found.append(Address(work=work, article=article, paragraph=paragraph, item=item))
    last = found[-1]
    if match["paragraph"] or match["item"]:
        paragraph, item = match["paragraph"] or last.paragraph, (match["item"] or last.item).casefold()
        found[-1] = Address(work=work, article=last.article, paragraph=paragraph, item=item)
    spanned = [
        Address(work=work, article=a.article, paragraph=a.paragraph, item=a.item, start=start, end=end) for a in found
    ]
    return English(work, spanned, end)


def _inside(parts: list[str]) -> tuple[str, str]:
    """Paragraph and item: (1)(b) is point b of paragraph 1; (b) alone is a point."""
    if parts and not parts[0].isdecimal():
        return "", parts[0]
    return (*parts, "", "")[0], (*parts, "", "")[1]


def _is_name(work: str) -> bool:
    """An abbreviation is a name only if the table has it: MUST, SHALL and PDF are words."""
    return not work.replace("EU ", "").isupper() or normal_name(work) in name_table().known
