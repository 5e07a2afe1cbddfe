"""What holds for the cells of a table in a report: column labels, unit, scale, currency, period.

A unit is stated in the table's head, in the lines before it, or once for the whole report ("除特别说明外，金额单位为
万元人民币", "All amounts in millions of euros unless stated otherwise"); the nearest statement counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from ragsvc.citing.cells import row_cells, row_key
from ragsvc.records import Fact, TableFrame

_SCALES = {"亿": 10**8, "千万": 10**7, "百万": 10**6, "十万": 10**5, "万": 10**4, "千": 10**3, "百": 100, "": 1}
_CURRENCIES = {
    "人民币": "CNY", "美元": "USD", "港元": "HKD", "港币": "HKD", "欧元": "EUR", "日元": "JPY", "英镑": "GBP",
    "dollar": "USD", "usd": "USD", "u.s.$": "USD", "$": "USD", "euro": "EUR", "eur": "EUR", "€": "EUR",
    "sterling": "GBP", "pound": "GBP", "gbp": "GBP", "£": "GBP", "yen": "JPY", "¥": "JPY",
    "rmb": "CNY", "renminbi": "CNY", "yuan": "CNY", "cny": "CNY",
}  # fmt: skip
_ZH = re.compile(
    r"(?:金额)?单位(?:均)?(?:为|是|[:：])?\s*(?:人民币)?\s*(?P<zh>(?:亿|千万|百万|十万|万|千|百)?(?P<coin>元|美元|港元|欧元|日元|英镑|股))"
    r"(?P<tail>\s?人民币)?(?:.{0,12}?币种[:：]?\s*(?P<kind>[\u4e00-\u9fff]{2,4}))?"
)
_EN = re.compile(
    r"\b(?P<lead>(?:all\s)?(?:amounts?|figures|dollars|numbers)?[^.()\n]{0,24}?)\b(?:in|of)\s(?:(?P<before>US|U\.S\.|RMB|USD|EUR|€|\$|£)\s?)?"
    r"(?P<scale>thousands|millions|billions|thousand|million|billion)(?:\sof\s(?P<of>(?:U\.?S\.?\s)?[A-Za-z.$]{2,12}(?:\ssterling)?))?",
    re.IGNORECASE,
)
_EN_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_GENERAL = re.compile(
    r"除.{0,12}(?:说明|注明|指明)|均以|unless\s(?:otherwise\s)?(?:stated|noted|indicated|specified)|unless\sstated",
    re.I,
)
_PERIOD = re.compile(
    r"报告期(?:间)?(?:为|是|指|[:：])?\s*(?P<zh>\d{4}年\d{1,2}月\d{1,2}日?\s*(?:至|-|—|到)\s*(?:\d{4}年)?\d{1,2}月\d{1,2}日?|\d{4}年度?)"
    r"|(?P<en>(?:(?:financial|fiscal)\s)?(?:years?|quarters?|months)\sended\s(?:\d{1,2}\s)?[A-Z][a-z]+\s(?:\d{1,2},\s)?\d{4})",
    re.IGNORECASE,
)
_WORDS = {10**3: "thousands", 10**6: "millions", 10**9: "billions"}
_NEAR_CHARS = 300
_GENERAL_CHARS = 6_000
_DATA = re.compile(r"[(（$€£¥\-–—\s]*\d[\d,.]*\s?[)）%]*")
_YEAR_OR_DATE = re.compile(r"(?:19|20)\d\d(?:年.{0,8})?|.*\b(?:19|20)\d\d")
MAX_HEAD_ROWS = 4


def frame_of(text: str, start: int, end: int, facts: Sequence[Fact] = ()) -> TableFrame:
    """Return what holds for the table ``text[start:end]`` of a report.

    Args:
        text: of the whole report.
        start: of the table.
        end: of the table.
        facts: the figures in the table that the file tags; what they say of the scale goes before what is printed.
    """
    rows = [row for line in text[start:end].split("\n") if (row := row_cells(line))]
    n_head = _n_head(rows)
    columns = _columns(rows[:n_head], max(map(len, rows), default=0))
    head = "\n".join(" ".join(row) for row in rows[:n_head])
    first = text[start:end].split("\n", 1)[0]
    near = text[max(0, start - _NEAR_CHARS) : start]
    general = _general(text, start)
    places = (head, first, *reversed(near.split("\n")[-4:]), general)
    stated = next((found for place in places if (found := _unit(place))), None)
    unit, scale, currency = stated or ("", None, "")
    if tagged := _tagged_scale(text, facts):
        unit, scale = (unit, scale) if scale == tagged[0] else (_WORDS.get(tagged[0], ""), tagged[0])
        currency = tagged[1]
    currency = currency or _currency_sign(text[start:end]) or next((c for p in places if (c := _coin(p))), "")
    period = next((said for place in (head, near, general) if (said := _period(place))), "")
    return TableFrame(
        columns=columns, unit=unit, scale=scale, currency=currency, period=period, own_units=_own_units(text[start:end])
    )


def _tagged_scale(text: str, facts: Sequence[Fact]) -> tuple[int, str] | None:
    """The scale of most amounts of money in the table, and their currency."""
    votes: Counter[tuple[int, str]] = Counter()
    for fact in facts:
        digits = text[fact.start : fact.end].replace(",", "").strip("()$€£¥ —–-")
        try:
            printed, value = Decimal(digits), abs(Decimal(fact.value))
        except InvalidOperation:
            continue
        if len(fact.unit) == 3 and fact.unit.isupper() and printed and value % printed == 0:
            votes[int(value / printed), fact.unit] += 1
    return votes.most_common(1)[0][0] if votes else None


def _own_units(table: str) -> dict[str, str]:
    """Rows per share or of shares, by their own label or that of the row without figures above them."""
    found: dict[str, str] = {}
    above = ""
    for line in table.split("\n"):
        row = row_cells(line) or [line.strip()]
        has_figures = any(cell for cell in row[1:])
        unit = _unit_of_label(row[0]) or (above if has_figures else "")
        if not has_figures:
            above = unit
        elif unit:
            found[row_key(row)] = unit
        else:
            above = ""
    return found


def _unit_of_label(label: str) -> str:
    # "Dividends ($0.94 per share)" states a rate beside amounts, not the unit of the figures.
    if re.search(r"(?<!\d\s)per[\s-](?:common\s|ordinary\s)?share", label, re.IGNORECASE):
        return "per share"
    if "每股" in label:
        return "元/股"
    return "shares" if re.search(r"\bshares\b.*(?:outstanding|computing|used)|average.*\bshares\b", label, re.I) else ""


def columns_of(table: str) -> tuple[str, ...]:
    """Return the labels of a table's columns."""
    rows = [row for line in table.split("\n") if (row := row_cells(line))]
    return _columns(rows[: _n_head(rows)], max(map(len, rows), default=0))


def _n_head(rows: Sequence[Sequence[str]]) -> int:
    """How many rows are heads: those before the first that has a label and a figure which is no year."""
    for at, row in enumerate(rows[: MAX_HEAD_ROWS + 1]):
        figures = [cell for cell in row[1:] if cell]
        is_data = bool(row[0]) and any(_DATA.fullmatch(cell) and not _YEAR_OR_DATE.fullmatch(cell) for cell in figures)
        if is_data and at:
            return at
    return min(1, len(rows))


def _columns(heads: Sequence[Sequence[str]], width: int) -> tuple[str, ...]:
    """Labels by column, upper rows first; an upper label reaches over the empty cells to its right."""
    labels = [""] * width
    for n, row in enumerate(heads):
        label = ""
        for at in range(width):
            cell = row[at] if at < len(row) else ""
            label = cell or (label if at and n + 1 < len(heads) else "")
            labels[at] = f"{labels[at]} {label}".strip()
    return tuple(labels)


def _general(text: str, start: int) -> str:
    """The lines at the document's beginning that state something for all tables."""
    head = text[: min(start, _GENERAL_CHARS)]
    kept = [line for line in head.split("\n") if _GENERAL.search(line) or _PERIOD.search(line)]
    return "\n".join(kept)


def _unit(place: str) -> tuple[str, int | None, str] | None:
    """Unit as written, its scale and currency; where exceptions follow, what is not excepted stands first."""
    if found := _ZH.search(place):
        written = found["zh"]
        scale = _SCALES.get(written.removesuffix(found["coin"]), 1)
        named = found["kind"] or ("人民币" if "人民币" in found[0] else found["coin"])
        return written, scale, _CURRENCIES.get(named, "")
    if found := _EN.search(place):
        word = found["scale"].casefold()
        coin = (found["of"] or found["before"] or "").casefold().strip(" .")
        unit = f"{word} of {found['of']}" if found["of"] else word
        return unit, _EN_SCALES[word.removesuffix("s")], _coin(coin) or _coin(found["lead"])
    return None


def _last(form: re.Pattern[str], place: str) -> re.Match[str] | None:
    found = None
    for match in form.finditer(place):
        found = match
    return found


def _coin(words: str) -> str:
    words = words.casefold()
    return next((code for name, code in _CURRENCIES.items() if name in words), "")


def _currency_sign(table: str) -> str:
    return next((_CURRENCIES[sign] for sign in "$€£¥" if sign in table), "")


def _period(place: str) -> str:
    found = _last(_PERIOD, place)
    return " ".join((found["zh"] or found["en"]).split()) if found else ""
