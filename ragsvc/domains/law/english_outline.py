"""Which lines of an English statute open something: a part, a section, a schedule. Reads lines, makes no chunks.

Sections are written ``§ 1983.``, ``Sec. 5.``, ``Section 12A``, ``Article 7``, or, where the format says that the line
is a heading, by the number alone (``12A Interpretation``). A cross-reference may start a line as well ("Section 5 of
this Act applies…"): what follows the number decides, and whether the line is set apart as a heading.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from ragsvc.chunking.lines import Line, has_content, lines_of
from ragsvc.records import Block, LoadedDocument


class Mark(NamedTuple):
    """Something starts at ``start``; ``stop`` is where its heading ends; ``level`` orders divisions.

    ``address`` is "12a" for a section, "sch2" for a schedule.
    """

    start: int
    kind: Literal["division", "section", "schedule", "contents"]
    label: str = ""
    address: str = ""
    title: str = ""
    level: int = 0
    stop: int = 0
    is_firm: bool = False
    """Set apart as a heading, or marked by §."""


NUMBER = r"\d{1,5}[A-Za-z]{0,3}(?:[-–.]\d{1,4}[a-z]?){0,3}"
_WORDS = r"(?:Section|SECTION|Sec|SEC|Article|ARTICLE|Art|ART|Rule|RULE|Regulation)\b\.?|§"
_SECTION = re.compile(rf"(?P<word>{_WORDS})\s{{0,3}}(?P<n>{NUMBER})(?![A-Za-z0-9(])(?P<rest>.*)")
_NUMBERED = re.compile(rf"(?P<n>{NUMBER})(?![A-Za-z0-9(%])(?P<rest>(?:\.?\s+|[.:—–]\s*)[A-Z“\"'‘\[].*)")
_DIVISION = re.compile(
    r"(?P<word>DIVISION|Division|TITLE|Title|SUBTITLE|Subtitle|PART|Part|SUBPART|Subpart|CHAPTER|Chapter|SUBCHAPTER|Subchapter)"
    r"\s(?P<n>[IVXLC]{1,7}|\d{1,4}[A-Z]?|[A-Z]{1,2})\b(?P<rest>.*)"
)
_LEVELS = ("division", "title", "subtitle", "part", "chapter", "subchapter", "subpart")
_SCHEDULE = re.compile(
    r"(?P<word>SCHEDULE|Schedule|ANNEX|Annex|APPENDIX|Appendix)(?:\s(?P<n>\d{1,3}[A-Z]?|[IVXLC]{1,6}|[A-Z]))?\b(?P<rest>.*)"
)
_LEAD = re.compile(r"[#>*_\s]*")
_DASHES = " \t.:—–-*_"
# "Section 5 of this Act", "Article 3 or Article 5", "section 7, subsection (2)", "Schedule 2 has effect"
_REFERENCE = re.compile(r"\s*[,;)(]|\s+(?:[a-z]|to\b)|\s+(?:Article|Section|Schedule|Part|Chapter)s?\b")
_TITLE_CHARS = 160
MIN_SECTIONS = 2
"""With fewer sections, unless they are set apart as such, a text is no statute."""


def outline(document: LoadedDocument) -> list[Mark]:
    """Return what starts where, in text order; empty when the text has no sections that count up."""
    lines = list(lines_of(document.text))
    headings = _heading_starts(document.blocks)
    marks = [mark for line in lines if line.content and (mark := _read(line, headings))]
    marks = _without_contents(document.text, marks)
    sections = [mark for mark in marks if mark.kind == "section"]
    return marks if len(sections) >= MIN_SECTIONS or any(mark.is_firm for mark in sections) else []


def _heading_starts(blocks: Sequence[Block]) -> frozenset[int]:
    return frozenset(block.start for block in blocks if block.kind in ("heading", "title"))


def _read(line: Line, headings: frozenset[int]) -> Mark | None:
    skip = len(_LEAD.match(line.content)[0])  # type: ignore[index]  # matches the empty string too
    content = line.content[skip:].rstrip("*_ #")
    is_heading = line.content.startswith("#") or line.content_start in headings
    is_bold = line.content.startswith(("**", "__"))
    start = line.content_start
    if found := _SECTION.match(content):
        return _section(found, line, start, is_heading or is_bold)
    if is_heading and (found := _NUMBERED.match(content)):
        return _section(found, line, start, True)
    if found := _SCHEDULE.match(content):
        return _schedule(found, line, is_heading)
    if found := _DIVISION.match(content):
        return _division(found, line, is_heading)
    return None


def _section(found: re.Match[str], line: Line, start: int, is_apart: bool) -> Mark | None:
    rest = found["rest"]
    if _REFERENCE.match(rest) or (not is_apart and not _opens(rest)):
        return None
    word = found.groupdict().get("word") or "Section"
    word = "§" if word == "§" else "Section" if word.casefold().startswith("sec") else word.rstrip(".").capitalize()
    label = f"{'Article' if word == 'Art' else word} {found['n']}"
    title, is_whole = _title(rest)
    stop = line.end if is_whole or not rest.strip(_DASHES) else line.content_start
    address = found["n"].casefold().replace("–", "-")
    return Mark(start, "section", label, address, title, 0, stop, is_firm=is_apart or word == "§")


def _opens(rest: str) -> bool:
    """Whether what follows the number of a line that nothing sets apart reads as a title, not as a sentence's rest."""
    if not rest.strip(_DASHES):
        return True
    if rest[0] in ".:—–":
        return bool(re.match(r"[.:—–]+\s*[\[A-Z“\"‘'(]", rest))
    return _is_title(rest.strip(_DASHES))


def _is_title(text: str) -> bool:
    has_verb = re.search(r"\b(?:shall|applies|apply|does|is|are|has|may|must|means|provides?)\b", text)
    return 0 < len(text) <= _TITLE_CHARS and text[0].isupper() and text[-1] not in ".;,:" and not has_verb


def _title(rest: str) -> tuple[str, bool]:
    """The section's title, and whether the line is nothing else: text may follow it (Sec. 5. Penalties. Whoever …)."""
    text = rest.strip(_DASHES)
    if len(text) <= _TITLE_CHARS and not re.search(r"\.[—–\s]", text):
        is_sentence = rest.rstrip().endswith((".", ";", ":", ",")) and not text.isupper() and not _is_title(text)
        return ("", False) if is_sentence else (text, True)
    head = re.split(r"\.[—–\s]", text, maxsplit=1)[0]
    return (head, False) if _is_title(head) else ("", False)


def _schedule(found: re.Match[str], line: Line, is_heading: bool) -> Mark | None:
    rest = found["rest"]
    if not is_heading and (_REFERENCE.match(rest) or not _opens(rest) or rest.rstrip().endswith(".")):
        return None
    number = found["n"] or ""
    label = f"{found['word'].capitalize()} {number}".strip()
    address = f"sch{number.casefold()}" if found["word"].casefold() == "schedule" else ""
    return Mark(line.content_start, "schedule", label, address, rest.strip(_DASHES), 0, line.end)


def _division(found: re.Match[str], line: Line, is_heading: bool) -> Mark | None:
    rest = found["rest"]
    if _REFERENCE.match(rest) or (not is_heading and not _opens(rest)) or len(line.content) > _TITLE_CHARS:
        return None
    title = rest.strip(_DASHES)
    label = f"{found['word'].capitalize()} {found['n']} {title}".strip()
    level = 1 + _LEVELS.index(found["word"].casefold()) if found["word"].casefold() in _LEVELS else len(_LEVELS)
    return Mark(line.content_start, "division", label, "", title, level, line.end)


def _without_contents(text: str, marks: list[Mark]) -> list[Mark]:
    """A table of contents names the sections again: lines that have nothing below them, three or more in a row."""
    if not marks:
        return []
    ends = [mark.start for mark in marks[1:]] + [len(text)]
    bare = [
        mark.kind == "section" and mark.stop > mark.start and not has_content(text, mark.stop, end)
        for mark, end in zip(marks, ends, strict=True)
    ]
    again = {mark.address for mark, is_bare in zip(marks, bare, strict=True) if mark.kind == "section" and not is_bare}
    listed = [is_bare and mark.address in again for mark, is_bare in zip(marks, bare, strict=True)]
    if sum(listed) < 3:
        return marks
    first, last = listed.index(True), len(listed) - 1 - listed[::-1].index(True)
    if not all(
        flag or mark.kind != "section" for flag, mark in zip(listed[first : last + 1], marks[first:], strict=False)
    ):
        return marks
    first = next((n for n in range(first, -1, -1) if n == 0 or has_content(text, marks[n - 1].stop, marks[n].start)), 0)
    return [*marks[:first], Mark(marks[first].start, "contents", "Contents"), *marks[last + 1 :]]


def unambiguous(marks: Sequence[Mark]) -> list[Mark]:
    """Return the marks, those without address whose address another has as well: it names no one place."""
    counts: dict[str, int] = {}
    for mark in marks:
        counts[mark.address] = counts.get(mark.address, 0) + 1
    return [mark._replace(address="") if counts[mark.address] > 1 else mark for mark in marks]


def increases(marks: Sequence[Mark]) -> bool:
    """Whether the numbers of the sections mostly go up: in a text that only refers to sections they jump about."""
    numbers = [int(re.match(r"\d+", mark.address)[0]) for mark in marks if mark.kind == "section"]  # type: ignore[index]
    ups = sum(after >= before for before, after in pairwise(numbers))
    return ups >= 0.9 * (len(numbers) - 1)
