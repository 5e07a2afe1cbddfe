"""Numbers in a sentence, read alike however they are written: amounts, doses, periods, dates, shares, articles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from msgspec import Struct


class Number(Struct, frozen=True):
    """A number with its unit, written alike however it was written: 三十日, 30 天 and 30 days are ("30", "day")."""

    value: str
    unit: str
    """Empty when no known unit follows."""
    written: str
    start: int = 0
    """``text[start:end]`` is where it stands."""
    end: int = 0


_DIGITS = {char: i % 10 for i, char in enumerate("零一二三四五六七八九〇")} | {"○": 0, "两": 2}
_POWERS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_UNITS = {
    "day": "日 天 days day",
    "month": "个月 月 months month",
    "year": "周年 年 years year",
    "week": "星期 周 weeks week",
    "hour": "个小时 小时 hours hour",
    "minute": "分钟 minutes minute",
    "age": "周岁 岁",
    "article": "条",
    "paragraph": "款",
    "item": "项",
    "%": "% ％ percent",
    "times": "倍",
    "money": "元 人民币 RMB CNY yuan",
    "usd": "美元 USD dollars dollar",
    "eur": "欧元 EUR euros euro",
    "gbp": "英镑 GBP pounds",
    "hkd": "港元 港币 HKD",
    "jpy": "日元 JPY yen",
    "mcg": "微克 mcg μg ug",
    "mg": "毫克 mg",
    "ml": "毫升 ml mL",
    "l": "升",
    "kg": "公斤 千克 kg",
    "g": "克 g",
    "iu": "国际单位 IU",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_UNIT = "|".join(re.escape(word) for word in sorted(_UNIT_OF, key=len, reverse=True))
_PER = {
    "kg": "公斤 千克 kg",
    "day": "日 天 day d",
    "ml": "毫升 ml mL",
    "l": "升 L l",
    "min": "分钟 min minute",
    "hour": "小时 hour hr h",
    "dose": "次 dose",
    "m2": "平方米 m2",
}
_PER_OF = {word: unit for unit, words in _PER.items() for word in words.split()}
_PER_UNIT = "|".join(sorted(_PER_OF, key=len, reverse=True))
_CURRENCIES = {"€": "eur", "$": "usd", "£": "gbp", "¥": "money", "￥": "money"}
_CURRENCIES |= {"USD": "usd", "US$": "usd", "EUR": "eur", "GBP": "gbp", "RMB": "money", "CNY": "money", "HKD": "hkd"}
_CURRENCY = "|".join(re.escape(sign) for sign in sorted(_CURRENCIES, key=len, reverse=True))
_SCALE = {"万": 10_000, "亿": 100_000_000, "千": 1000, "百": 100, "百万": 10**6, "千万": 10**7, "万亿": 10**12}
_SCALE |= {"thousand": 1000, "million": 10**6, "mn": 10**6, "billion": 10**9, "bn": 10**9, "trillion": 10**12}
_SCALES = "|".join(sorted(_SCALE, key=len, reverse=True))
_ARABIC = r"\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?|\d{1,20}(?:\.\d{1,20})?"
_CHINESE = r"[零〇○一二三四五六七八九十百千万亿两]{1,20}"
_WRITTEN = re.compile(
    rf"(?P<percent>百分之)(?P<of100>{_CHINESE}|{_ARABIC})"
    r"|(?P<date>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"
    r"|\b(?:Articles?|Arts?\.?|§{1,2})\s*(?P<article>\d+[a-z]?)"
    rf"|(?:每|一)(?P<often>日|天|周|月|年)(?P<count>{_CHINESE}|\d{{1,3}})次"
    rf"|(?P<ordinal>第)?(?!(?<=[同统任某每])一)(?P<chinese>{_CHINESE})(?P<cunit>{_UNIT})(?:之(?P<csub>[一二三四五六七八九十]+))?"
    rf"|(?P<currency>(?:{_CURRENCY})\s?)?(?P<dordinal>第)?(?<![A-Za-z0-9_.])(?P<digits>{_ARABIC})\s?"
    rf"(?P<scale>(?:{_SCALES})(?![a-z]))?\s?(?P<dunit>(?:{_UNIT})(?![a-z]))?"
    rf"(?P<per>(?:\s?(?:/|每|per\s)\s?(?:{_PER_UNIT})(?![A-Za-z]))*)(?P<daily>\s(?:daily|a day)\b)?"
    r"(?:之(?P<dsub>[一二三四五六七八九十]+))?"
)
_ONE_PER = re.compile(_PER_UNIT)
_PLACES = ("article", "paragraph", "item")
_WORDS = {word: i for i, word in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], 1)}
_WORDS |= {"ten": 10, "twelve": 12, "fourteen": 14, "fifteen": 15, "sixteen": 16, "eighteen": 18}
_WORDS |= {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "ninety": 90}
_WORD = re.compile(rf"\b({'|'.join(_WORDS)})[ -](?P<unit>{_UNIT})(?![a-z])", re.IGNORECASE)
_TIMES = {"once": 1, "twice": 2, "thrice": 3}
_FREQUENCY = re.compile(
    rf"\b(?:(?P<word>{'|'.join(_TIMES)})|(?P<times>{'|'.join(_WORDS)}|\d{{1,2}}) times)"
    r"[ -](?:(?:a|per|each|every) )?(?P<unit>day|dai|week|month|year)(?:ly)?\b",
    re.IGNORECASE,
)
_ENGLISH_OF = {"日": "day", "天": "day", "dai": "day", "周": "week", "月": "month", "年": "year"}
_LIST_SIGN = re.compile(r"(?m)^[ \t>*#-]*(?:[（(]?(?:\d{1,3}|[一二三四五六七八九十]{1,3})[)）.、:：])(?!\d)")
_COUNTS = frozenset("0123456789")
"""Without a unit, such a number counts things of the sentence itself ("3 conditions")."""


def numbers(text: str) -> list[Number]:
    """Return the amounts, dates, periods, shares and article numbers in ``text``, but not signs of a list."""
    folded, places = _fold(without_list_signs(text))
    often = [_frequency(match) for match in _FREQUENCY.finditer(folded)]
    found = [number for match in _WRITTEN.finditer(folded) for number in _read(match)]
    found += [
        Number(str(_WORDS[m[1].lower()]), _UNIT_OF[m["unit"].lower()], m[0], *m.span()) for m in _WORD.finditer(folded)
    ]
    found = often + [n for n in found if not any(one.start <= n.start < one.end for one in often)]
    return [Number(n.value, n.unit, n.written, places[n.start], places[n.end - 1] + 1) for n in found]


def without_list_signs(text: str) -> str:
    """Return ``text`` with blanks for the signs that begin the items of a list, like 1. and （二）."""
    return _LIST_SIGN.sub(lambda sign: " " * len(sign[0]), text)


def unfound_numbers(wanted: Iterable[Number], known: frozenset[tuple[str, str]]) -> list[str]:
    """Return, as written, the numbers that are not ``known``; a number whose unit is unknown matches any."""
    values = {value for value, _ in known}
    return [
        n.written
        for n in wanted
        if (n.value, n.unit) not in known and (n.value, "") not in known and (n.unit or n.value not in values)
    ]


def _fold(text: str) -> tuple[str, list[int]]:
    """Return ``text`` in its compatible form (NFKC), and the place in ``text`` of each character of that."""
    folded: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        same = char if char < "\x7f" or "\u3400" <= char <= "\u9fff" else unicodedata.normalize("NFKC", char)
        folded.append(same)
        places += [place] * len(same)
    return "".join(folded), places


def _frequency(match: re.Match[str]) -> Number:
    word = (match["word"] or match["times"]).lower()
    value = {**_TIMES, **_WORDS}.get(word, word)
    unit = _ENGLISH_OF.get(match["unit"].lower(), match["unit"].lower())
    return Number(str(value), f"times/{unit}", match[0], *match.span())


def _read(match: re.Match[str]) -> list[Number]:
    written = match[0].strip()
    start = match.start() + len(match[0]) - len(match[0].lstrip())
    end = start + len(written)
    if match["percent"]:
        return [Number(_value(match["of100"]), "%", written, start, end)]
    if match["date"]:
        parts = (match["date"], "year"), (match["m"], "month"), (match["d"], "day")
        return [Number(_value(value), unit, written, start, end) for value, unit in parts]
    if match["article"]:
        return [Number(match["article"], "article", written, start, end)]
    if match["often"]:
        return [Number(_value(match["count"]), f"times/{_ENGLISH_OF[match['often']]}", written, start, end)]
    digits = match["chinese"] or match["digits"]
    unit = _UNIT_OF[match["cunit"] or match["dunit"]] if match["cunit"] or match["dunit"] else ""
    is_ordinal = bool(match["ordinal"] or match["dordinal"])
    if is_ordinal != (unit in _PLACES) and not (unit == "article" and match["digits"]):
        return []  # 第一年 is an order, not an amount; 三项 counts, only 第三项 is a place
    value = _value(digits, _SCALE.get(match["scale"] or "", 1))
    if sub := match["csub"] or match["dsub"]:
        value += f"-{_value(sub)}"
    if match["currency"]:
        unit = _CURRENCIES[match["currency"].strip()]
    if not unit and not match["scale"] and value in _COUNTS:
        return []
    if unit and match["digits"]:
        unit += "".join(f"/{_PER_OF[one]}" for one in _ONE_PER.findall(match["per"]))
        unit += "/day" if match["daily"] else ""
    return [Number(value, unit, written, start, end)]


def _value(numeral: str, scale: int = 1) -> str:
    """Return the canonical decimal form of an Arabic or Chinese numeral; digits in a row are read by place."""
    try:
        number = Decimal(re.sub("[, ]", "", numeral))
    except InvalidOperation:
        number = Decimal(_chinese(numeral))
    return f"{(number * scale).normalize():f}"


def numeral_value(numeral: str) -> str:
    """Return the value of a bare numeral, Arabic or Chinese, in its canonical decimal form."""
    return _value(numeral)


def _chinese(numeral: str) -> int:
    if not any(char in _POWERS for char in numeral):
        return int("".join(str(_DIGITS[char]) for char in numeral))
    total = section = digit = 0
    for char in numeral:
        power = _POWERS.get(char)
        if power is None:
            digit = _DIGITS[char]
        elif power < 10_000:
            section += (digit or 1) * power
            digit = 0
        else:
            carried = total if power > 10_000 else 0  # 一万亿 multiplies what stands before, 一亿二千万 adds
            total += (carried + section + digit or 1) * power - carried
            section = digit = 0
    return total + section + digit
