"""Numbers as Chinese statutes write them: 第一百三十三条, 二○○九年, ５７７."""

from __future__ import annotations

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "Ｏ": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_OLD_TENS = str.maketrans({"廿": "二十", "卅": "三十"})

NUMERAL = "[零〇○一二两三四五六七八九十廿卅百千0-9０-９]"
"""One character of a number, as a regular expression class."""


def number(numeral: str) -> int | None:
    """Return the value of a Chinese, Arabic or full-width numeral below 10,000; None when it is not one.

    Digits in a row are read by place: 二○○九 is 2009, 一九八四 is 1984.
    """
    numeral = "".join(numeral.split()).translate(_OLD_TENS)
    if not numeral:
        return None
    if numeral.isdigit() and numeral.isdecimal():
        return int(numeral)
    if not any(c in _UNITS for c in numeral):
        digits = [_DIGITS.get(c, int(c) if c.isdecimal() else None) for c in numeral]
        return None if None in digits else int("".join(map(str, digits)))
    total = digit = 0
    for c in numeral:
        if c in _UNITS:
            total += (digit or 1) * _UNITS[c]
            digit = 0
        elif c in _DIGITS:
            digit = _DIGITS[c]
        else:
            return None
    return total + digit


def numeral(value: int) -> str:
    """Return ``value`` as a Chinese numeral: 10 is 十, 110 is 一百一十, 1005 is 一千零五; from 10,000 on in digits.

    Raises:
        ValueError: ``value`` is below 1.
    """
    if value < 1:
        raise ValueError(f"a numeral from 1 on was asked for, got {value}")
    if value >= 10_000:
        return str(value)
    written, gap = "", False
    for unit, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if not digit:
            gap = bool(written)
            continue
        written += ("零" if gap else "") + "零一二三四五六七八九"[digit] + sign
        gap = False
    return written.removeprefix("一") if written.startswith("一十") else written
