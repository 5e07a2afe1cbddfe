"""Names of legal works: their normal form, the short forms that follow from a title, and the table of aliases."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from msgspec import Struct

from ragsvc.domains.law.numerals import numeral

_STATE = re.compile("中华人民共和国|中国人民共和国")  # the second is a common slip
_OFFICIAL_NUMBER_YEAR = re.compile(r"[(\[〔【](\d{4})[)\]〕】](?=第?\d+号)")
_DROPPED = re.compile(r"[\s《》〈〉<>「」『』“”‘’\"'()\[\]{}【】、,，·•.。:：;；_—–-]+")
_ARABIC_ORDINAL = re.compile(r"(解释|规定|意见|批复|修正案)第?(\d{1,2})$")
_EDITION = re.compile(
    r"[(（]\s*([12]\d{3})\s*年?\s*(?:第?[一二三四五六七八九]?次?)?(?:修正|修订|修改|版)(?:版|本)?\s*[)）]$"
)

_ISSUER = re.compile(
    r"(?:(?:最高人民法院|最高人民检察院|最高法院?|最高检|两高|公安部|国家安全部|司法部|国务院(?:办公厅)?"
    r"|全国人民代表大会(?:常务委员会)?|全国人大(?:常委会)?)(?:办公厅)?[、,和与\s]*)+(?=关于|于|《关于)"
)
_COURT = re.compile(r"^(?:最高人民法院|最高人民检察院|最高法院?|最高检|两高)+(?:关于)?(?:适用)?")
_KIND = "解释|规定|批复|意见|决定|安排|通知|纪要"
_ENDING = re.compile(rf"^(?P<rest>.*?的?(?:若干)?(?P<kind>{_KIND}))(?:\((?P<ordinal>[一二三四五六七八九十]+)\))?$")
_APPLYING = re.compile(
    rf"适用《?(?P<law>[^《》]+?)》?(?P<part>(?<=》)[^《》]*?|)(?:(?:具体)?应用的?)?(?:法律)?(?:的?若干)?问?题?的?(?:若干)?(?:{_KIND})$"
)
_HEARING = re.compile(
    r"(?:审理|办理|处理)(?:涉及)?(?P<subject>.+?)(?:具体)?(?:适用|应用)(?:相关)?法律的?(?:若干)?(?:问题)?的?(?:若干)?"
    rf"(?:{_KIND})$"
)
_PLAIN = re.compile(rf"(?P<subject>.+?)(?:的?(?:若干)?(?:具体)?问题)?的?(?:若干)?(?:{_KIND})$")
_TRIAL = re.compile(r"\((?:试行|暂行)\)$")
_EU_ACT = re.compile(
    r"^(?P<number>(?:council |commission )?(?:implementing |delegated )?(?:regulation|directive|decision) \([a-z, ]+\)"
    r" (?:no )?\d+/\d+)",
    re.IGNORECASE,
)
_LAST_BRACKET = re.compile(r"\((?P<name>[A-Z][A-Za-z -]{5,60})\)(?=[^()]*$)")


class NameTable(Struct, frozen=True):
    """``aliases.toml`` in normal forms."""

    titles: dict[str, tuple[str, ...]]
    """Alias -> official titles that it may mean."""
    known: frozenset[str]
    """Every title and alias of the table."""
    extended: frozenset[str]
    """Those with which another known name ends, as 社会保险法 ends with 保险法."""
    successors: dict[str, str]
    """Repealed work -> the work that took its place."""


@cache
def name_table() -> NameTable:
    """Read the table once."""
    table = tomllib.loads(Path(__file__).with_name("aliases.toml").read_text(encoding="utf-8"))
    titles: dict[str, tuple[str, ...]] = {}
    for title, aliases in table["titles"].items():
        for alias in aliases:
            key = normal_name(alias)
            titles[key] = (*titles.get(key, ()), normal_name(title))
    successors = {normal_name(old): normal_name(new) for new, olds in table["repealed"].items() for old in olds}
    known = (
        frozenset(map(normal_name, (*table["titles"], *table["known"]["names"]))) | titles.keys() | successors.keys()
    )
    extended = {name[i:] for name in known for i in range(1, len(name)) if name[i:] in known}
    return NameTable(titles=titles, known=known, extended=frozenset(extended), successors=successors)


def normal_name(name: str) -> str:
    """Return the form under which names are compared.

    Width, case, spaces, brackets and 中华人民共和国 do not count; 〔2020〕 in a document number does; an ordinal at
    the end is Chinese: 《公司法解释(3)》 is 公司法解释三.
    """
    name = unicodedata.normalize("NFKC", name).casefold()
    name = _OFFICIAL_NUMBER_YEAR.sub(r"〔\1〕", name)
    name = without_state(_DROPPED.sub("", name))
    ordinal = _ARABIC_ORDINAL.search(name)
    if ordinal and int(ordinal[2]):
        name = name[: ordinal.start(2)].removesuffix("第") + numeral(int(ordinal[2]))
    return name


def without_state(name: str) -> str:
    """Leave 中华人民共和国 out of a name."""
    return _STATE.sub("", name)


def split_edition(name: str) -> tuple[str, str]:
    """Split the year of an edition from a name: 公司法（2018年修正） is (公司法, 2018)."""
    found = _EDITION.search(name)
    return (name[: found.start()], found[1]) if found else (name, "")


def query_keys(name: str) -> list[str]:
    """Return the keys under which the work that someone calls ``name`` may be stored, the surest first."""
    table = name_table()
    key = normal_name(name)
    keys = [*table.titles.get(key, ()), key]  # what the table says, before a short form that happens to be the same
    for length in range(len(key) - 1, 1, -1):  # 民诉法解释 is about the 民事诉讼法
        if key[:length] in table.titles:
            keys += [title + key[length:] for title in table.titles[key[:length]]]
            break
    rest = _COURT.sub("", key)  # 最高人民法院担保制度解释, 最高法关于适用婚姻家庭编的解释一
    if rest != key and len(rest) > 3:
        keys += [*table.titles.get(rest, ()), rest]
    return list(dict.fromkeys(keys))


def short_names(title: str) -> list[str]:
    """Return the shorter names that follow from an official title, for the catalogue to know the work by.

    最高人民法院关于审理民间借贷案件适用法律若干问题的规定 is also 民间借贷规定, 民间借贷司法解释.
    """
    title = without_state(unicodedata.normalize("NFKC", title)).replace("〈", "《").replace("〉", "》").strip()
    names = dict.fromkeys(_short_names(title))
    own = normal_name(title)
    return [name for name in names if len(name) > 2 and normal_name(name) != own]


def _short_names(title: str) -> Iterator[str]:
    if _TRIAL.search(title):
        yield _TRIAL.sub("", title)
    eu = _EU_ACT.match(title)
    if eu:
        yield eu["number"]
        named = _LAST_BRACKET.search(title)
        if named:
            yield named["name"]
        return
    issuer = _ISSUER.match(title)
    if not issuer:
        return
    rest = title[issuer.end() :]
    yield rest
    rest = rest.removeprefix("关于").removeprefix("于")
    yield rest
    ending = _ENDING.match(rest)
    if not ending:
        return
    is_judicial = "最高" in issuer[0] and ending["kind"] in ("解释", "规定")
    kinds = ("解释", "司法解释", "的解释", "规定") if is_judicial else (ending["kind"],)
    ordinals = [ending["ordinal"] or ""]
    if ordinals == ["一"]:
        ordinals.append("")  # the first of a series is mostly cited without its number
    for subject in _subjects(ending["rest"]):
        for ordinal in ordinals:
            for kind in kinds:
                yield f"{subject}{kind}{ordinal}"


def _subjects(rest: str) -> Iterator[str]:
    """What a title is about, from the full wording to the briefest that still tells works apart."""
    applying = _APPLYING.match(rest)
    if applying:
        law, part = applying["law"], applying["part"].removeprefix("有关").removesuffix("的").removesuffix("若干问题")
        yield law + part
        if law == "民法典" and part.endswith(("编", "通则", "制度")):
            yield part
        return
    found = _HEARING.match(rest) or _PLAIN.match(rest)
    if not found:
        return
    subject = found["subject"]
    yield subject
    for tail in ("中", "案件", "刑事", "民事", "纠纷"):
        if subject.endswith(tail) and len(subject) > len(tail) + 1:
            subject = subject.removesuffix(tail)
            yield subject
