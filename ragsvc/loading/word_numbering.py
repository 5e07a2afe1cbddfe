"""The numbers that Word computes and does not write into the text: "第二章", "一、", "(a)".

A paragraph names a list (``numId``) and a level; the list's definition says how its counters are written. Without
them a rule that is numbered this way loses the number by which it is cited.
Format: ECMA-376 part 1, 17.9.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from msgspec import Struct

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PLACE = re.compile(r"%([1-9])")
_DIGITS = "零一二三四五六七八九"
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"))
_ROMAN_ONES = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")


class _Level(Struct):
    text: str
    number_format: str
    start: int
    suffix: str


class Numbering:
    """Counts the numbered paragraphs of one document; ask for each, in reading order."""

    def __init__(self, definitions: Any | None) -> None:
        self._levels: dict[str, dict[int, _Level]] = {}
        self._list_of: dict[str, str] = {}
        self._restarts: dict[str, dict[int, int]] = {}
        self._counters: dict[str, dict[int, int]] = defaultdict(dict)
        if definitions is not None:
            for abstract in definitions.iterfind(f"{_W}abstractNum"):
                self._levels[abstract.get(_W + "abstractNumId")] = dict(map(_level, abstract.iterfind(f"{_W}lvl")))
            for number in definitions.iterfind(f"{_W}num"):
                self._read_list(number)

    def _read_list(self, number: Any) -> None:
        identifier = number.get(_W + "numId")
        self._list_of[identifier] = number.find(f"{_W}abstractNumId").get(_W + "val")
        self._restarts[identifier] = {
            int(override.get(_W + "ilvl")): int(start.get(_W + "val"))
            for override in number.iterfind(f"{_W}lvlOverride")
            if (start := override.find(f"{_W}startOverride")) is not None
        }

    def next(self, properties: Any) -> str:
        """Return the number of a paragraph with these ``numPr``, with what parts it from the text; "" for a bullet."""
        identifier, depth = _value(properties, "numId"), int(_value(properties, "ilvl") or 0)
        name = self._list_of.get(identifier, "")
        levels = self._levels.get(name, {})
        if depth not in levels:
            return ""
        counters = self._counters[name]
        restart = self._restarts[identifier].pop(depth, None)
        counters[depth] = restart if restart is not None else counters.get(depth, levels[depth].start - 1) + 1
        for deeper in [at for at in counters if at > depth]:
            del counters[deeper]
        return _written(levels, counters, depth)


def _level(element: Any) -> tuple[int, _Level]:
    level = _Level(
        text=_value(element, "lvlText"),
        number_format=_value(element, "numFmt") or "decimal",
        start=int(_value(element, "start") or 1),
        suffix=_value(element, "suff") or "tab",
    )
    return int(element.get(_W + "ilvl")), level


def _value(element: Any, name: str) -> str:
    child = element.find(_W + name)
    return "" if child is None else child.get(_W + "val") or ""


def _written(levels: dict[int, _Level], counters: dict[int, int], depth: int) -> str:
    level = levels[depth]
    if level.number_format in ("bullet", "none"):
        return ""

    def counter(place: re.Match[str]) -> str:
        at = int(place[1]) - 1
        if at not in levels:
            return ""
        return _FORMATS.get(levels[at].number_format, str)(counters.get(at, levels[at].start))

    number = _PLACE.sub(counter, level.text)
    is_joined = level.suffix == "nothing" or number.endswith(("、", "）", "．"))
    return number if is_joined or not number else f"{number} "


def _chinese(number: int) -> str:
    """1 to 9,999 as a statute writes it: 十, 二十一, 一百零五."""
    if not 0 < number < 10_000:
        return str(number)
    text, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            text += ("零" if gap and text else "") + _DIGITS[digit] + name
        gap = not digit
    return text.removeprefix("一") if text.startswith("一十") else text


def _digits(number: int) -> str:
    return "".join("〇一二三四五六七八九"[int(digit)] for digit in str(number))


def _letter(number: int) -> str:
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)


def _roman(number: int) -> str:
    text = ""
    for value, letters in _ROMAN:
        text, number = text + letters * (number // value), number % value
    return text + _ROMAN_ONES[number]


def _circled(number: int) -> str:
    return chr(0x2460 + number - 1) if 1 <= number <= 20 else f"({number})"


_FORMATS: dict[str, Callable[[int], str]] = {
    "chineseCounting": _chinese,
    "chineseCountingThousand": _chinese,
    "japaneseCounting": _chinese,
    "taiwaneseCountingThousand": _chinese,
    "ideographDigital": _digits,
    "lowerLetter": _letter,
    "upperLetter": lambda number: _letter(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
    "decimalZero": lambda number: f"{number:02}",
}
