"""Facts that inline XBRL tags in a filing: what is printed, and what it means.

While the text is put together, the place of each fact is kept by marks around it, private characters that no filing
holds; at the end they are taken out and the places become offsets.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ragsvc.loading.assembly import TextAssembly
from ragsvc.records import Block, Fact


class Marks(Struct, frozen=True):
    """Begin and end of a fact; its number is written in ``digits`` behind the beginning."""

    begin: str = "\ue000"
    end: str = "\ue001"
    digits: str = "\ue010\ue011\ue012\ue013\ue014\ue015\ue016\ue017\ue018\ue019"

    @property
    def removed(self) -> dict[int, None]:
        """For ``str.translate``: text without marks."""
        return dict.fromkeys(map(ord, self.begin + self.end + self.digits))


MARKS = Marks()
_TO_DIGITS = str.maketrans("0123456789", MARKS.digits)
_FROM_DIGITS = str.maketrans(MARKS.digits, "0123456789")


class FactTags:
    """The tagged figures of a page, and the contexts and units that they refer to."""

    def __init__(self, root: Any) -> None:
        self._contexts: dict[str, Any] = {}
        self._units: dict[str, str] = {}
        self._tags: list[Any] = []
        for element in root.iter():
            name = _local(element)
            if name == "context":
                self._contexts[element.get("id", "")] = element
            elif name == "unit":
                self._units[element.get("id", "")] = _unit(element)

    def marked(self, element: Any, text: str) -> str:
        """Return ``text`` with marks around it if the element tags a figure."""
        if _local(element) != "nonfraction" or not text.strip():
            return text
        self._tags.append(element)
        number = str(len(self._tags) - 1).translate(_TO_DIGITS)
        return f"{MARKS.begin}{number}{text}{MARKS.end}"

    def fact(self, number: int, start: int, end: int, printed: str) -> Fact | None:
        """Return what tag ``number`` says of the text printed there; None where its value is no number."""
        tag = self._tags[number]
        value = _value(printed, tag)
        if value is None:
            return None
        first, last, dimensions = _period(self._contexts.get(tag.get("contextref", "")))
        return Fact(
            start=start,
            end=end,
            concept=tag.get("name", ""),
            value=value,
            unit=self._units.get(tag.get("unitref", ""), ""),
            period_start=first,
            period_end=last,
            dimensions=dimensions,
        )


def with_facts(assembly: TextAssembly, tags: FactTags) -> TextAssembly:
    """Return the assembly without marks, its blocks moved accordingly, with the facts that the marks enclosed."""
    text = assembly.text
    removed = MARKS.removed
    at = [position for position, char in enumerate(text) if ord(char) in removed]

    def moved(position: int) -> int:
        return position - bisect_right(at, position - 1)

    facts: list[Fact] = []
    begun: list[int] = []
    for position in at:
        if text[position] == MARKS.begin:
            begun.append(position)
        elif text[position] == MARKS.end and begun:
            start = begun.pop()
            printed = text[start + 1 : position]
            shown = printed.lstrip(MARKS.digits)
            number = int(printed[: len(printed) - len(shown)].translate(_FROM_DIGITS))
            fact = tags.fact(number, moved(start), moved(position), shown.translate(removed))
            if fact:
                facts.append(fact)
    clean = TextAssembly()
    plain = text.translate(removed)
    clean.replace(plain, [kept for block in assembly.blocks if (kept := _moved_block(block, plain, moved))])
    clean.title, clean.warnings = assembly.title, assembly.warnings
    clean.facts = sorted(facts, key=lambda fact: (fact.start, fact.end))
    return clean


def _moved_block(block: Block, text: str, moved: Any) -> Block | None:
    """The block in the text without marks; white space that stood inside marks is no part of it."""
    start, end = moved(block.start), moved(block.end)
    inner = text[start:end].strip()
    start += text[start:end].find(inner)
    return replace(block, start=start, end=start + len(inner)) if inner else None


def _local(element: Any) -> str:
    return element.tag.rpartition(":")[2].lower() if isinstance(element.tag, str) else ""


def _inner(element: Any, name: str) -> str:
    found = next((child for child in element.iter() if _local(child) == name), None)
    return "" if found is None else found.text_content().strip()


def _bare(name: str) -> str:
    return name.strip().rpartition(":")[2]


def _unit(element: Any) -> str:
    measures = [
        child.text_content().strip().rpartition(":")[2] for child in element.iter() if _local(child) == "measure"
    ]
    is_ratio = any(_local(child) == "divide" for child in element.iter())
    joined = ("/" if is_ratio else "*").join(measures)
    return "" if joined == "pure" else joined


def _period(context: Any) -> tuple[date | None, date | None, tuple[tuple[str, str], ...]]:
    if context is None:
        return None, None, ()
    dimensions = tuple(
        (child.get("dimension", ""), child.text_content().strip())
        for child in context.iter()
        if _local(child) == "explicitmember"
    )
    last = _day(_inner(context, "instant")) or _day(_inner(context, "enddate"))
    return _day(_inner(context, "startdate")), last, dimensions


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _value(printed: str, tag: Any) -> str | None:
    """Scale and sign are the tag's; a dash or word that stands for nothing is 0 if the format says so."""
    layout = tag.get("format", "").rpartition(":")[2].lower()
    if "zero" in layout:
        return "0"
    digits = "".join(char for char in printed if char.isdigit() or char in ".,")
    comma_is_decimal = "comma" in layout and "decimal" in layout
    digits = digits.replace(".", "").replace(",", ".") if comma_is_decimal else digits.replace(",", "")
    scale = tag.get("scale", "0")
    try:
        number = Decimal(digits).scaleb(int(scale)) if abs(int(scale)) <= 30 else None
    except (InvalidOperation, ValueError):
        return None
    if number is None:
        return None
    return f"{-number if tag.get('sign') == '-' else number:f}"
