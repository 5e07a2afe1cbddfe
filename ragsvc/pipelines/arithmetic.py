"""Figures that follow from figures of the sources: worked out by code, and shown as they were worked out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import permutations

from ragsvc.citing.amounts import Number, numbers
from ragsvc.citing.sentences import split_sentences
from ragsvc.domains.gates import Calculation, Finding
from ragsvc.errors import InvalidInput
from ragsvc.prompting import Language
from ragsvc.records import Passage
from ragsvc.strategies.calculator import calculate

MOST_OPERANDS = 6
MOST_PASSAGES = 3
_FROM = re.compile(r"(?:由|从|自|\bfrom\b)\s*\D{0,12}$", re.IGNORECASE)
_EARLIER = re.compile(
    r"(?:上年|去年|上期|同期|上一年|上季|年初|期初|prior|previous|last year|year[- ]earlier|year ago"
    r"|compared (?:with|to)|versus|vs\.?)[^\d]{0,24}$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_SHOWN = {
    "zh": "按所引数字计算：{name} = {shown}。",
    "en": "Worked out from the figures cited: {name} = {shown}.",
}


def shown_calculation(known: Sequence[Calculation], claim: str, wanted: Number, operands: Sequence[Number]) -> str:
    """Return the calculation by which ``wanted`` follows from two of the operands of its sentence; empty = it does not.

    The value is compared as precisely as it is written: 20 % for anything from 19.5 to 20.5.
    """
    decimals = len(wanted.value.partition(".")[2])
    nearest = Decimal(5).scaleb(-decimals - 1)
    for calculation in known:
        if not re.search(calculation.words, claim, re.IGNORECASE):
            continue
        for new, old in permutations([n for n in operands if not _is_year(n)][:MOST_OPERANDS], 2):
            if new.unit != old.unit or wanted.unit != (calculation.unit or new.unit) or _is_reversed(claim, new, old):
                continue
            value = _value(calculation.formula, new, old)
            if value is not None and abs(value - Decimal(wanted.value)) <= nearest:
                return f"{_written(calculation, new, old)} = {wanted.written.strip()}"
    return ""


def worked_out(
    question: str, passages: Sequence[Passage], known: Sequence[Calculation], language: Language
) -> Finding | None:
    """Return the calculation that a question asks for, where one sentence of a passage has just its two figures.

    They are of one unit and of two years, which say which is the new one.
    """
    asked = next((one for one in known if re.search(one.asks, question, re.IGNORECASE)), None) if known else None
    for number, passage in enumerate(passages[:MOST_PASSAGES], 1) if asked else ():
        assert asked is not None
        for start, end in split_sentences(passage.text):
            pair = _pair(passage.text[start:end])
            value = _value(asked.formula, *pair) if pair else None
            if pair is None or value is None:
                continue
            shown = f"{_written(asked, *pair)} = {round(value, 2).normalize():f}{asked.unit}"
            text = _SHOWN[language].format(name=asked.name[language], shown=shown)
            return Finding(
                kind="calculation", severity="info", topic=asked.topic, text=text, places=((number, start, end),)
            )
    return None


def _pair(sentence: str) -> tuple[Number, Number] | None:
    """The two figures of a sentence, the newer first; None where it has not just two of one unit and of two years."""
    found = numbers(sentence)
    years = [n for n in found if _is_year(n)]
    figures = [n for n in found if not _is_year(n) and n.unit not in ("%", "month", "day")]
    units = {n.unit for n in figures}
    if len(years) != 2 or len(figures) != 2 or len(units) != 1 or "" in units or years[0].value == years[1].value:
        return None
    return (figures[0], figures[1]) if int(years[0].value) > int(years[1].value) else (figures[1], figures[0])


def _is_year(number: Number) -> bool:
    return number.unit in ("", "year") and _YEAR.fullmatch(number.value) is not None


def _is_reversed(claim: str, new: Number, old: Number) -> bool:
    """Whether the sentence says that ``new`` is the earlier one: "from X to Y", "X in the prior year"."""
    before_new, before_old = claim[: new.start], claim[: old.start]
    if _FROM.search(before_new) or _EARLIER.search(before_new):
        return not (_FROM.search(before_old) or _EARLIER.search(before_old))
    years = [n for n in numbers(claim) if _is_year(n)]
    if len(years) == 2 and not (_FROM.search(before_old) or _EARLIER.search(before_old)):
        first_is_newer = int(years[0].value) > int(years[1].value)
        return first_is_newer != (new.start < old.start)
    return False


def _value(formula: str, new: Number, old: Number) -> Decimal | None:
    try:
        return Decimal(calculate(formula.format(new=new.value, old=old.value)))
    except InvalidInput:  # a division by nothing
        return None


def _written(calculation: Calculation, new: Number, old: Number) -> str:
    return calculation.shown.format(new=new.written.strip(), old=old.written.strip())
