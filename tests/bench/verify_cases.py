"""Labelled claims from real statutes: true ones, and ones made false in one place. Shares nothing with the checker.

Reads the Markdown of the statutes by itself (title, articles, versions from the file names), draws sentences by lot and
changes them by its own rules. A case knows which classes are right for it.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

WRONG = frozenset({"CONTRADICTED", "WRONG ARTICLE", "SUPERSEDED", "NOT FOUND"})
"""Classes that warn a reader."""

TRUE_ONES = 4
"""So many true claims of each kind for one false claim of each kind."""


class Case(NamedTuple):
    """A text with one claim; ``right`` are the classes that are right for it."""

    kind: str
    text: str
    right: frozenset[str]
    source: str


class Law(NamedTuple):
    """One version of a law; articles by their number as written."""

    title: str
    dated: str
    articles: dict[str, str]


_FILE = re.compile(r"(.+?)(?:\((\d{4}-\d{2}-\d{2})\))?$")
_HEAD = re.compile(r"(第[一二三四五六七八九十百千零]+条(?:之[一二三四五六七八九十]+)?)[\s　]+")
_SENTENCE = re.compile(r"[^。；：\n]{18,110}。")
_NAMES_OTHERS = re.compile(r"本[法条例规定办解释]|前[款条]|第.{1,8}[条款项]|下列|上述")


def read_laws(folder: Path) -> list[Law]:
    """Return every law that has articles, in the order of file names."""
    laws = []
    for path in sorted(folder.rglob("*.md")):
        name = _FILE.match(path.stem)
        text = path.read_text(encoding="utf-8")
        title = re.match(r"#\s*(.+)", text)
        if path.name == "README.md" or not name or not title:
            continue
        articles: dict[str, str] = {}
        current = ""
        for line in text.split("<!-- INFO END -->")[-1].splitlines():
            if head := _HEAD.match(line):
                current = head[1]
                articles.setdefault(current, line[head.end() :])
            elif line.startswith("#"):
                current = ""
            elif current and line.strip():
                articles[current] += "\n" + line.strip()
        if len(articles) > 3:
            laws.append(Law(title[1].strip(), name[2] or "", articles))
    return laws


# --- changes: each returns a changed sentence, or None where it has nothing to change ---

Change = Callable[[str, random.Random], str | None]
_NUMERALS = "一二三四五六七八九"


def _replaced(pairs: list[tuple[str, str]], keep: str = r"(?!)") -> Change:
    """Put one word for another, in one place, but never where ``keep`` matches."""

    def change(sentence: str, lot: random.Random) -> str | None:
        places = [
            (match.start(), old, new)
            for old, new in pairs
            for match in re.finditer(re.escape(old), sentence)
            if not any(k.start() <= match.start() < k.end() for k in re.finditer(keep, sentence))
        ]
        if not places:
            return None
        at, old, new = lot.choice(places)
        return sentence[:at] + new + sentence[at + len(old) :]

    return change


def _other_number(sentence: str, lot: random.Random) -> str | None:
    """三十日 -> 六十日: the first numeral of an amount becomes another."""
    found = list(
        re.finditer(
            r"([一二三四五六七八九])(?=(?:十|百|千|万)*(?:个月|日|年|万?元|周岁|个工作日|倍|人以上|次))", sentence
        )
    )
    found = [m for m in found if sentence[m.start() - 1 : m.start()] not in ("第", "之")]
    if not found:
        return None
    match = lot.choice(found)
    new = lot.choice([n for n in _NUMERALS if n != match[1]])
    return sentence[: match.start()] + new + sentence[match.end() :]


def _arabic_number(sentence: str, lot: random.Random) -> str | None:
    """The same, written in digits as lawyers do: 三十日 -> 45日."""
    found = [
        m
        for m in re.finditer(
            r"(?<![第之一二三四五六七八九十百千万])[二三四五六七八九十]{1,3}(?=个月|日|年|周岁|个工作日)", sentence
        )
        if not sentence.startswith(("第", "条"), m.end())
    ]
    if not found:
        return None
    match = lot.choice(found)
    return sentence[: match.start()] + str(lot.choice([31, 37, 41, 45, 53, 97])) + sentence[match.end() :]


def _other_date(sentence: str, lot: random.Random) -> str | None:
    """2017年6月1日 -> 2017年9月1日: another year or month."""
    found = list(re.finditer(r"(?<!\d)(\d{4})年(?:(\d{1,2})月)?", sentence))
    if not found:
        return None
    match = lot.choice(found)
    part = lot.choice([1, 2] if match[2] else [1])
    value = int(match[part])
    other = lot.choice([v for v in (range(1, 13) if part == 2 else range(value - 9, value + 9)) if v != value])
    return sentence[: match.start(part)] + str(other) + sentence[match.end(part) :]


def _other_unit(sentence: str, lot: random.Random) -> str | None:
    """三年 -> 三个月: the unit of a period becomes another."""
    found = list(re.finditer(r"(?<=[一二三四五六七八九十百])(年|个月|日|周岁)(?!日|月|起|度|来)", sentence))
    if not found:
        return None
    match = lot.choice(found)
    new = lot.choice([unit for unit in ("年", "个月", "日") if unit != match[1]])
    return sentence[: match.start()] + new + sentence[match.end() :]


def _negated(sentence: str, lot: random.Random) -> str | None:
    """Add or take away a negation."""
    changes = [
        ("不予", "予以"), ("不得", "可以"), ("不承担", "承担"), ("应当承担", "不应当承担"), ("未经", "经"),
        ("可以", "不可以"), ("不符合", "符合"), ("有权", "无权"), ("不能", "能"), ("没有", "有"), ("未按照", "按照"),
        ("应当", "不应当"),
    ]  # fmt: skip
    return _replaced(changes)(sentence, lot)


def _other_party(sentence: str, lot: random.Random) -> str | None:
    """Let two persons of the sentence change places, but not where 与 joins them: either order says the same there."""
    if "《" in sentence:
        return None
    persons = re.findall(
        r"出租人|承租人|债权人|债务人|保证人|买受人|出卖人|委托人|受托人|劳动者|用人单位|发包人|承包人|保险人|投保人|被保险人|抵押人|抵押权人"
        r"|申请人|被申请人|经营者|消费者|人民法院|人民检察院|公安机关|行政机关|当事人|监护人|托运人|承运人|定作人|承揽人|出质人|质权人|受益人|股东|董事",
        sentence,
    )
    persons = list(dict.fromkeys(persons))
    if len(persons) < 2:
        return None
    one, other = lot.sample(persons, 2)
    joined = "(?:[与和或、及]|以及|或者)"
    if one in other or other in one or re.search(f"{one}{joined}{other}|{other}{joined}{one}", sentence):
        return None
    return sentence.replace(one, "\0").replace(other, one).replace("\0", other)


CHANGES: dict[str, Change] = {
    "number": _other_number,
    "number in digits": _arabic_number,
    "date": _other_date,
    "modality": _replaced(
        [("应当", "可以"), ("可以", "应当"), ("不得", "可以"), ("必须", "可以"), ("应当", "不得")], r"不应当|不可以"
    ),
    "bound": _replaced([("以上", "以下"), ("以下", "以上"), ("不超过", "超过"), ("之前", "之后"), ("不满", "满")]),
    "negation": _negated,
    "scale": _replaced([("万元", "元"), ("万元", "亿元"), ("千元", "万元")]),
    "unit": _other_unit,
    "party": _other_party,
}


def make_cases(folder: Path, n: int, seed: int = 0) -> list[Case]:
    """Return ``n`` cases of each kind, as far as the statutes have them."""
    lot = random.Random(seed)
    laws = read_laws(folder)
    latest: dict[str, Law] = {}
    versions: dict[str, list[Law]] = defaultdict(list)
    for law in laws:
        versions[law.title].append(law)
        if law.title not in latest or law.dated > latest[law.title].dated:
            latest[law.title] = law
    alone = [latest[title] for title in latest if len({v.dated for v in versions[title]}) == 1]
    cases = [*_true(alone, lot, n), *_changed(alone, lot, n), *_misplaced(alone, lot, n)]
    cases += _misattributed(alone, lot, n)
    cases += _invented(laws, lot, n)
    cases += _old({title: held for title, held in versions.items() if len({v.dated for v in held}) > 1}, lot, n)
    return cases


def _sentences(laws: list[Law], lot: random.Random) -> Iterator[tuple[Law, str, str]]:
    """Draw sentences without end that stand for themselves."""
    while True:
        law = lot.choice(laws)
        number, text = lot.choice(list(law.articles.items()))
        found = [s for s in _SENTENCE.findall(text) if not _NAMES_OTHERS.search(s) and s.count("“") == s.count("”")]
        if found:
            yield law, number, lot.choice(found)


def _said(law: Law, number: str, sentence: str, lot: random.Random) -> str:
    title = law.title.removeprefix("中华人民共和国")
    forms = (
        f"《{law.title}》{number}规定：{sentence}",
        f"根据《{title}》{number}的规定，{sentence}",
        f"依据《{title}》{number}，{sentence}",
        f"《{title}》{number}明确规定，“{sentence[:-1]}”。",
    )
    return lot.choice(forms)


def _true(laws: list[Law], lot: random.Random, n: int) -> Iterator[Case]:
    drawn = _sentences(laws, lot)
    for _ in range(TRUE_ONES * n):
        law, number, sentence = next(drawn)
        yield Case("true, named", _said(law, number, sentence, lot), frozenset({"SUPPORTED"}), sentence)
    for _ in range(TRUE_ONES * n):
        law, number, sentence = next(drawn)
        yield Case("true, not named", sentence, frozenset({"SUPPORTED"}), law.title + number)


def _changed(laws: list[Law], lot: random.Random, n: int) -> Iterator[Case]:
    for kind, change in CHANGES.items():
        made = 0
        for tried, (law, number, sentence) in enumerate(_sentences(laws, lot)):
            changed = change(sentence, lot)
            if changed and changed != sentence and changed not in law.articles[number]:
                made += 1
                yield Case(kind, _said(law, number, changed, lot), frozenset({"CONTRADICTED"}), sentence)
            if made == n or tried > 300 * n:
                break


def _misplaced(laws: list[Law], lot: random.Random, n: int) -> Iterator[Case]:
    drawn = _sentences(laws, lot)
    for _ in range(n):
        law, number, sentence = next(drawn)
        other = lot.choice([a for a, text in law.articles.items() if a != number and sentence not in text])
        yield Case("wrong article", _said(law, other, sentence, lot), frozenset({"WRONG ARTICLE"}), number)


def _misattributed(laws: list[Law], lot: random.Random, n: int) -> Iterator[Case]:
    """The words of one law under the name of another, which has such an article."""
    drawn = _sentences(laws, lot)
    for _ in range(n):
        law, number, sentence = next(drawn)
        others = [
            o for o in laws if number in o.articles and sentence not in o.articles[number] and o.title != law.title
        ]
        yield Case(
            "wrong law", _said(lot.choice(others), number, sentence, lot), frozenset({"WRONG ARTICLE"}), law.title
        )


def _invented(laws: list[Law], lot: random.Random, n: int) -> Iterator[Case]:
    titles = {law.title.removeprefix("中华人民共和国") for law in laws}
    drawn = _sentences(laws, lot)
    not_found = frozenset({"NOT FOUND"})
    for _ in range(n):
        law, _, sentence = next(drawn)
        yield Case("no such article", _said(law, f"第{lot.randint(1301, 2999)}条", sentence, lot), not_found, law.title)
    for _ in range(n):
        law, number, sentence = next(drawn)
        while True:
            name = "".join(
                lot.sample(
                    ["星际", "海底", "元宇宙", "宠物", "骆驼", "彩虹", "月球", "快闪", "盲盒", "露营", "风筝"], 2
                )
            )
            title = name + lot.choice(["管理条例", "促进法", "保护法", "登记办法", "监督管理规定"])
            if title not in titles:
                break
        yield Case("no such law", _said(law._replace(title=title), number, sentence, lot), not_found, title)


def _old(versions: dict[str, list[Law]], lot: random.Random, n: int) -> Iterator[Case]:
    """Sentences of an earlier version which the latest has no more."""
    pool = []
    for held in versions.values():
        old, new = (sorted(held, key=lambda law: law.dated)[i] for i in (0, -1))
        now = re.sub(r"\s", "", "".join(new.articles.values()))
        for number, text in old.articles.items():
            pool += [
                (old, number, sentence)
                for sentence in _SENTENCE.findall(text)
                if re.sub(r"\s", "", sentence) not in now
                and not _NAMES_OTHERS.search(sentence)
                and sentence.count("“") == sentence.count("”")
            ]
    for law, number, sentence in lot.sample(pool, min(n, len(pool))):
        yield Case("old version", _said(law, number, sentence, lot), frozenset({"SUPERSEDED"}), law.dated)
