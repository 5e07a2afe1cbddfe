"""Numbers in a sentence, read alike however they are written: amounts, periods, dates, shares, article numbers."""

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
    "money": "元 人民币 RMB CNY EUR USD dollars euros euro",
    "mg": "毫克 mg",
    "ml": "毫升 ml mL",
    "kg": "公斤 千克 kg",
    "g": "克 g",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_UNIT = "|".join(re.escape(word) for word in sorted(_UNIT_OF, key=len, reverse=True))
_SCALE = {"万": 10_000, "亿": 100_000_000, "million": 1_000_000, "billion": 1_000_000_000, "千": 1000, "百": 100}
_ARABIC = r"\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?|\d{1,20}(?:\.\d{1,20})?"
_CHINESE = r"[零〇○一二三四五六七八九十百千万亿两]{1,20}"
_WRITTEN = re.compile(
    rf"(?P<percent>百分之)(?P<of100>{_CHINESE}|{_ARABIC})"
    r"|(?P<date>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"
    r"|\b(?:Articles?|Arts?\.?|§{1,2})\s*(?P<article>\d+[a-z]?)"
    rf"|(?P<ordinal>第)?(?<![同统任某每])(?P<chinese>{_CHINESE})(?P<cunit>{_UNIT})(?:之(?P<csub>[一二三四五六七八九十]+))?"
    rf"|(?P<currency>[€$£¥￥])?(?P<dordinal>第)?(?<![A-Za-z0-9_.])(?P<digits>{_ARABIC})\s?(?P<scale>万|亿|百|千|million|billion)?"
    rf"\s?(?P<dunit>(?:{_UNIT})(?![a-z]))?(?:之(?P<dsub>[一二三四五六七八九十]+))?"
)
_PLACES = ("article", "paragraph", "item")
_WORDS = {word: i for i, word in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], 1)}
_WORDS |= {
    "ten": 10,
    "twelve": 12,
    "fourteen": 14,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "sixty": 60,
    "ninety": 90,
}
_WORD = re.compile(rf"\b({'|'.join(_WORDS)})[ -](?P<unit>{_UNIT})", re.IGNORECASE)
_LIST_SIGN = re.compile(r"(?m)^[ \t>*#-]*(?:[（(]?(?:\d{1,3}|[一二三四五六七八九十]{1,3})[)）.、:：])(?!\d)")
_COUNTS = frozenset("0123456789")
"""Without a unit, such a number counts things of the sentence itself ("3 conditions")."""


def numbers(text: str) -> list[Number]:
    """Return the amounts, dates, periods, shares and article numbers in ``text``, but not signs of a list."""
    text = unicodedata.normalize("NFKC", _LIST_SIGN.sub(lambda sign: " " * len(sign[0]), text))
    found = [number for match in _WRITTEN.finditer(text) for number in _read(match)]
    return found + [Number(str(_WORDS[m[1].lower()]), _UNIT_OF[m["unit"].lower()], m[0]) for m in _WORD.finditer(text)]


def unfound_numbers(wanted: Iterable[Number], known: frozenset[tuple[str, str]]) -> list[str]:
    """Return, as written, the numbers that are not ``known``; a number whose unit is unknown matches any."""
    values = {value for value, _ in known}
    return [
        n.written
        for n in wanted
        if (n.value, n.unit) not in known and (n.value, "") not in known and (n.unit or n.value not in values)
    ]


def _read(match: re.Match[str]) -> list[Number]:
    written = match[0].strip()
    if match["percent"]:
        return [Number(_value(match["of100"]), "%", written)]
    if match["date"]:
        parts = (match["date"], "year"), (match["m"], "month"), (match["d"], "day")
        return [Number(_value(value), unit, written) for value, unit in parts]
    if match["article"]:
        return [Number(match["article"], "article", written)]
    digits = match["chinese"] or match["digits"]
    unit = _UNIT_OF[match["cunit"] or match["dunit"]] if match["cunit"] or match["dunit"] else ""
    is_ordinal = bool(match["ordinal"] or match["dordinal"])
    if is_ordinal != (unit in _PLACES) and not (unit == "article" and match["digits"]):
        return []  # 第一年 is an order, not an amount; 三项 counts, only 第三项 is a place
    value = _value(digits, _SCALE.get(match["scale"] or "", 1))
    if sub := match["csub"] or match["dsub"]:
        value += f"-{_value(sub)}"
    if match["currency"]:
        unit = "money"
    if not unit and not match["scale"] and value in _COUNTS:
        return []
    return [Number(value, unit, written)]


def _value(numeral: str, scale: int = 1) -> str:
    """Return the canonical decimal form of an Arabic or Chinese numeral; digits in a row are read by place."""
    try:
        number = Decimal(re.sub("[, ]", "", numeral))
    except InvalidOperation:
        number = Decimal(_chinese(numeral))
    return f"{(number * scale).normalize():f}"


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
