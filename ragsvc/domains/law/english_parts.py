"""Places inside a section of an English statute: (b)(2)(A)(i), by the marks at the beginnings of its lines.

A mark belongs where it continues a sequence, else where it begins one: (i) after (h) is a letter, elsewhere a numeral.
What continues nothing is a cross-reference.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ragsvc.chunking.lines import lines_of

_MARK = re.compile(r"\((\d{1,3}[A-Z]?|[a-z]{1,5}|[A-Z]{1,5})\)|(\d{1,3}[A-Z]?)\.?(?=\s)")
_MARKS = re.compile(
    r"(?:\((?:\d{1,3}[A-Z]?|[a-z]{1,5}|[A-Z]{1,5})\)\s?){1,5}|\d{1,3}[A-Z]?\.?\s+(?:\(\w{1,4}\)\s?){0,3}"
)
_RUN_IN = re.compile(r"(?:[.:]?[—–]\s?|\.\s)(?=\((?:1|a|A|i|I)\))")
_NUMBERED_HEAD = re.compile(r"\W*\d[^\n]*\n")
_HEAD = re.compile(
    r"[#*_\s]*(?:§|(?:Sec|SEC|Section|SECTION|Schedule|SCHEDULE|Rule|RULE|Regulation)\b|\d+[A-Za-z]{0,3}\.?\s+[A-Z“])"
)
_ROMANS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xvi")


class Part(NamedTuple):
    """A part of a section: ``path`` is ("b", "2"); ``start`` counts in the section's text, a part ends at the next."""

    path: tuple[str, ...]
    start: int


def is_section(text: str) -> bool:
    """Whether ``text`` begins as a section or schedule does that is no ``Article``."""
    return _HEAD.match(text) is not None


def parts_of(section: str) -> list[Part]:
    """Return the numbered parts of a section in order, nested ones too; ``section`` is its text, heading included."""
    parts: list[Part] = []
    path: tuple[str, ...] = ()
    for label, start in _labels(section):
        placed = _place(path, label)
        if placed is not None:
            path = placed
            parts.append(Part(path, start))
    return parts


def find_part(section: str, path: tuple[str, ...]) -> tuple[int, int] | None:
    """Return the range of the part that ``path`` names, its own parts included; None when it is not there.

    Letters are compared as written, and without regard to case where no part is named just so.
    """
    parts = parts_of(section)
    for same in (lambda a, b: a == b, _same_letters):
        for at, part in enumerate(parts):
            if same(part.path, path):
                depth = len(part.path)
                end = next((p.start for p in parts[at + 1 :] if len(p.path) <= depth), len(section))
                end = end if depth == 1 else _end_of_last(section, part.start, end)
                return part.start, part.start + len(section[part.start : end].rstrip())
    return None


def _end_of_last(section: str, start: int, end: int) -> int:
    """What stands unmarked below the last of a list ("No fee is due.") belongs to what the list is part of."""
    before = ""
    for line in lines_of(section, start, end):
        if line.content and before.endswith((".", ";", " and", " or", ",")) and not _MARKS.match(line.content):
            return line.start
        before = line.content or before
    return end


def _same_letters(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return tuple(map(str.casefold, one)) == tuple(map(str.casefold, other))


def _labels(section: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    head = _NUMBERED_HEAD.match(section)
    for line in lines_of(section, head.end() if head else 0):
        begin = len(line.content) - len(line.content.lstrip("*_#> "))
        starts = [begin, *(m.end() for m in _RUN_IN.finditer(line.content))]
        for start in starts:
            if marks := _MARKS.match(line.content, start):
                found += [
                    (m[1] or m[2], line.content_start + m.start()) for m in _MARK.finditer(line.content, *marks.span())
                ]
    return found


def _place(path: tuple[str, ...], label: str) -> tuple[str, ...] | None:
    """The path of ``label`` after ``path``: the next of a sequence that is open, the innermost first, or a new one."""
    for depth in range(len(path), 0, -1):
        if _follows(path[depth - 1], label):
            return (*path[: depth - 1], label)
    return (*path, label) if label in ("1", "a", "A", "i", "I") else None


def _follows(before: str, label: str) -> bool:
    """Whether ``label`` comes right after ``before``: 2 after 1, 2A after 2, b after a, aa after z, ii after i."""
    if before[0].isdecimal() and label[0].isdecimal():
        n, m = (int(re.match(r"\d+", text)[0]) for text in (before, label))  # type: ignore[index]
        return m == n + 1 or (m == n and label > before)
    if before.isdecimal() or label.isdecimal() or before.islower() != label.islower():
        return False
    low_before, low = before.casefold(), label.casefold()
    if low_before in _ROMANS[:-1] and low == _ROMANS[_ROMANS.index(low_before) + 1]:
        return True
    is_letter = len(low) == len(low_before) and low == chr(ord(low_before[0]) + 1) * len(low)
    return is_letter or (low_before == "z" and low == "aa")
