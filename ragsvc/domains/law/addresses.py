"""Places in legal works that a text names: 民法典第五百七十七条第一款, 刑法133条之一, GDPR Art. 17(1)(b).

Every pattern is bounded, so that reading takes time linear in the text.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Container
from heapq import merge

from ragsvc.domains.law import english_addresses
from ragsvc.domains.law.english_parts import find_part as find_english_part
from ragsvc.domains.law.english_parts import is_section
from ragsvc.domains.law.left_edge import Named, named, stored_key
from ragsvc.domains.law.mentions import find_mentions
from ragsvc.domains.law.names import name_table, normal_name, query_keys, short_names, split_edition
from ragsvc.domains.law.numerals import NUMERAL, number, numeral
from ragsvc.domains.law.paragraphs import find_paragraph
from ragsvc.records import Address, DocumentFacts

MAX_RANGE = 20
"""Articles of a range (第十条至第十二条) that are named one by one; of a longer one, the first and the last."""

_S = r"[^\S\n]{0,3}\n?"
_N = rf"{NUMERAL}(?:[^\S\n]?{NUMERAL}){{0,11}}"
_PART = rf"[（(]?{_S}(?:{_N}){_S}[)）]?|[㈠-㈩⑴-⒇]"
_PARAGRAPH = rf"(?:{_S}[之的中]?{_S}第{_S}(?P<paragraph>{_PART}){_S}款)"
_ITEM = rf"(?:{_S}[之的中]?{_S}(?:第{_S}(?P<item>{_PART})|(?P<bracketed>[（(]{_S}{_N}{_S}[)）]|[㈠-㈩⑴-⒇])){_S}项)"
_EU_POINT = r"[（(](?P<eu_paragraph>\d{1,2})[)）][（(](?P<eu_item>[a-z])[)）]"
_MORE = rf"(?={_S}(?:[、,，和与及或至到~～—-]{_S}第?{_S}{_N}{_S}){{1,20}}条)"
_PLACE = re.compile(
    rf"(?:(?P<mark>第){_S}|(?<!{NUMERAL})(?<!第))(?P<n>{_N})"
    rf"(?:{_S}(?P<dash>[-－—–~～之至到]){_S}第?{_S}(?P<m>{_N}))?{_S}"
    rf"(?:条(?![件理约例码])(?:{_S}之{_S}(?P<of>{NUMERAL}{{1,3}})(?![般定切种个起直并致样款项]))?|{_MORE})"
    rf"(?:{_EU_POINT}|{_PARAGRAPH}?(?:{_ITEM}|[（(](?P<point>[a-z])[)）])?)(?:{_S}第{_S}(?:{_PART}){_S}目)?"
)
_INNER_PLACE = re.compile(rf"(?=[第（(㈠-㈩⑴-⒇]){_PARAGRAPH}?{_ITEM}?")
_JOINED = re.compile(r"\s{0,3}(?:[、,，;；和与及或]|以及|或者?|并|同时)?\s{0,3}$")
_RANGE = re.compile(r"\s{0,3}(?:[至到~～—–－-]|以至)\s{0,3}$")
# 第三条 counts threads, lines and messages as well as articles.
_COUNTED = re.compile(
    r"\s?(?:路|线|腿|船|鱼|狗|裤|河|街|命|带|纹|蛇|龙|消息|短信|留言|评论|回复|建议|新闻|信息|染色体|肋|神经|血管|边|生产线|内裤)"
)
# After these 3条 is an article; 规定3条 may be three rules, unless the name is long enough to be one.
_COUNTLESS = ("法", "典", "条例")
_LONG_NAME = 5
# 法释〔2020〕17号 belongs to a text; 主席令第45号 to the order that published it.
_OWN_NUMBER = re.compile(r"[〔\[(（]\d{4}[〕\])）]")


class LawGrammar:
    """Reads addresses in Chinese and English; see ``protocols.AddressGrammar``."""

    def find(self, text: str) -> list[Address]:
        """Return every address in ``text``, in order, without overlaps (the articles of a range share its span)."""
        return _Reader(text).read()

    def name_keys(self, facts: DocumentFacts) -> list[str]:
        """Return the normal forms of the title, of the names that follow from it, and of the document number."""
        title = split_edition(facts.title)[0]
        number = (facts.number,) if _OWN_NUMBER.search(facts.number) else ()
        names = (title, *facts.aliases, *short_names(title), *number)
        return list(dict.fromkeys(key for name in names if (key := normal_name(name))))

    def work_keys(self, name: str) -> list[str]:
        """Return the keys under which the work that someone calls ``name`` may be stored, the surest first."""
        return query_keys(split_edition(name)[0])

    def stored_key(self, address: Address, stored: Container[str]) -> str | None:
        """Return the key among ``stored`` of the work that the address names; None when none of them is meant."""
        if address.left and address.left.isascii():
            return english_addresses.stored_key(address.left, stored)
        if address.left:
            return stored_key(split_edition(address.left.rstrip())[0], stored)
        return self._first_stored(address.work, stored)

    def _first_stored(self, work: str, stored: Container[str]) -> str | None:
        return next((key for key in self.work_keys(work) if key in stored), None)

    def successor_keys(self, name: str) -> list[str]:
        """Return the keys of the work that took the place of a repealed one: 民法典 for 合同法."""
        successors = name_table().successors
        return [successors[key] for key in self.work_keys(name) if key in successors]

    def find_part(self, article: str, address: Address) -> tuple[int, int] | None:
        """Return the range of the paragraph and item in the article's text."""
        path = tuple(filter(None, (address.paragraph, *address.item.split("."))))
        if path and is_section(article):
            return find_english_part(article, path)
        found = find_paragraph(article, address.paragraph, address.item)
        return found or (find_english_part(article, path) if path and "Article" in article[:40] else None)

    def part_locator(self, article: str, address: Address) -> str:
        """Return 第一百条第一款第（二）项, Article 17(1)(b), § 5(a)(2)(A), Schedule 2 paragraph 4."""
        paragraph, item = address.paragraph, address.item
        if not article.endswith("条") and "条之" not in article:
            if article.startswith("Schedule") and paragraph:
                article, paragraph = f"{article} paragraph {paragraph}", ""
            return article + "".join(f"({part})" for part in (paragraph, *item.split(".")) if part)
        if paragraph.isdecimal():
            article += f"第{numeral(int(paragraph))}款"
        return article + (f"第（{numeral(int(item))}）项" if item.isdecimal() else "")


class _Reader:
    """One pass over a text. ``_named`` is what the last article belongs to; lists and 该法 go on with it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._mentions = find_mentions(text)
        self._mention_ends = [mention.end for mention in self._mentions]
        self._found: list[Address] = []
        self._named = Named("bare")
        self._named_at = -1
        self._end = 0

    def read(self) -> list[Address]:
        chinese = ((m.start(), 0, m) for m in _PLACE.finditer(self._text))
        inner = ((m.start(), 1, m) for m in _INNER_PLACE.finditer(self._text) if m[0])
        english = ((m.start(), 2, m) for m in english_addresses.ARTICLES.finditer(self._text))
        readers = (self._chinese, self._inner, self._english)
        for start, kind, match in merge(chinese, inner, english):
            if start >= self._end:
                readers[kind](match)
        return self._with_works_alone()

    # --- Chinese articles ---

    def _chinese(self, match: re.Match[str]) -> None:
        gap = self._text[self._end : match.start()] if self._end else None
        goes_on = gap is not None and len(gap) < 12
        in_range = goes_on and self._is_article_before() and _RANGE.match(gap or "")
        in_list = goes_on and _JOINED.match(gap or "")
        if not (in_range or in_list) and not self._enter(match):
            return
        if self._named.kind == "other":
            self._end = match.end()
            return
        articles = _articles(match)
        if not articles:
            return
        start = self._named.start if not (in_range or in_list) and self._named_at == match.start() else match.start()
        if in_range:
            previous = self._found[-1]
            between = _between(previous.article, articles[0])
            start = previous.start
            self._found[-1] = _respan(previous, start, match.end())
            articles = [*between, *articles]
        for article in articles:
            self._add(article, match, start)
        self._end = match.end()

    def _enter(self, match: re.Match[str]) -> bool:
        """Find out what the article belongs to; False when it is no article after all."""
        found = named(self._text, match.start(), self._end)
        if not match["mark"] and not _may_lack_mark(found, match["n"]):
            return False
        if found.kind in ("bare", "carry", "unrelated"):
            if found.kind != "carry" and _COUNTED.match(self._text, match.end()):
                return False
            self._named = Named("unrelated") if found.kind == "unrelated" else self._topic(match.start())
        else:
            self._named, self._named_at = found, match.start()
        return True

    def _topic(self, position: int) -> Named:
        """The law that was named last before ``position``; bare when none was."""
        at = bisect_right(self._mention_ends, position) - 1
        last = self._named if self._named.kind in ("marked", "open") else Named("bare")
        if at >= 0 and self._mention_ends[at] > self._named_at:
            return Named("marked", work=self._mentions[at].work)
        return last

    def _is_article_before(self) -> bool:
        return bool(self._found) and self._found[-1].end == self._end and not self._found[-1].paragraph

    def _inner(self, match: re.Match[str]) -> None:
        """第二款 after 第一款: another place in the same article."""
        if not self._found or self._found[-1].end != self._end or self._named.kind == "other":
            return
        if len(gap := self._text[self._end : match.start()]) >= 12 or not _JOINED.match(gap) or not gap:
            return
        previous = self._found[-1]
        paragraph = _part(match["paragraph"]) or (previous.paragraph if not match["paragraph"] else "")
        self._add(previous.article, match, match.start(), paragraph)
        self._end = match.end()

    def _add(self, article: str, match: re.Match[str], start: int, paragraph: str | None = None) -> None:
        groups = match.groupdict()
        if paragraph is None:
            paragraph = _part(groups["paragraph"]) or groups.get("eu_paragraph") or ""
        item = _part(groups["item"] or groups["bracketed"]) or groups.get("eu_item") or groups.get("point") or ""
        self._append(Address(work="", article=article, paragraph=paragraph, item=item, start=start, end=match.end()))

    def _append(self, address: Address) -> None:
        work, edition = split_edition(self._named.work)
        edition = edition or self._named.edition
        self._found.append(
            Address(
                work=work,
                article=address.article,
                paragraph=address.paragraph,
                item=address.item,
                edition=edition,
                left=self._named.left,
                unit=address.unit,
                start=address.start,
                end=address.end,
            )
        )

    # --- English articles ---

    def _english(self, match: re.Match[str]) -> None:
        read = english_addresses.read(self._text, match, self._end)
        if read.work:
            self._named, self._named_at = Named("marked", work=read.work, left=read.left), match.start()
        elif match["brief"]:  # "s 4" is a section only beside a name
            return
        else:
            self._named = self._topic(match.start())
        for address in read.addresses:
            self._append(address)
        self._end = read.end

    # --- works alone ---

    def _with_works_alone(self) -> list[Address]:
        """Add the works that are named without an article."""
        spans = [(address.start, address.end) for address in self._found]
        starts = [start for start, _ in spans]
        alone = []
        for mention in self._mentions:
            at = bisect_right(starts, mention.start) - 1
            follows = at + 1 < len(spans) and spans[at + 1][0] < mention.end
            if not follows and (at < 0 or spans[at][1] <= mention.start):
                alone.append(mention)
        return list(merge(self._found, alone, key=lambda address: address.start))


def _articles(match: re.Match[str]) -> list[str]:
    """Canonical numbers of the article or range that a match names; empty when it is no number."""
    n = number(match["n"])
    if not n:
        return []
    if match["m"]:
        m = number(match["m"])
        if not m:
            return []
        if match["dash"] != "之" and m > n:
            return [str(n), *_between(str(n), str(m)), str(m)]
        return [f"{n}-{m}"] if match["dash"] not in "至到" else [str(n), str(m)]
    of = number(match["of"] or "")
    return [f"{n}-{of}" if of else str(n)]


def _between(first: str, last: str) -> list[str]:
    if not (first.isdecimal() and last.isdecimal()) or int(last) - int(first) > MAX_RANGE:
        return []
    return [str(n) for n in range(int(first) + 1, int(last))]


def _part(written: str | None) -> str:
    """第（二）项, 第2项, ㈡: "2"."""
    if not written:
        return ""
    value = number(unicodedata.normalize("NFKC", written).strip("() \n\t"))
    return str(value) if value else ""


def _respan(address: Address, start: int, end: int) -> Address:
    return Address(
        work=address.work,
        article=address.article,
        edition=address.edition,
        left=address.left,
        start=start,
        end=end,
    )


def _may_lack_mark(found: Named, numeral: str) -> bool:
    """577条 without 第 is an article only right after a name: 三条建议 and 5条腿 are none."""
    if found.kind not in ("marked", "open"):
        return False
    if unicodedata.normalize("NFKC", numeral).isascii():
        work = normal_name(found.work)
        is_name = work.endswith(_COUNTLESS) or work in name_table().known or len(work) > _LONG_NAME
        return found.kind == "marked" or is_name
    return len(numeral) > 2
