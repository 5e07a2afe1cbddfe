"""A text as lines that tile it. Knows nothing of what the lines mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_BLANKS = " \t\r\f\v\u00a0\u2002\u2003\u200b\u200c\u200d\u2060\u3000\ufeff"


class Line(NamedTuple):
    """One line: ``text[start:end]`` with its line break, ``content`` without blanks at both ends."""

    start: int
    end: int
    content: str
    content_start: int


def has_content(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` holds more than blanks, line breaks and Markdown marks."""
    return any(line.content.strip("#*>") for line in lines_of(text, start, end))


def lines_of(text: str, start: int = 0, end: int | None = None) -> Iterator[Line]:
    """Yield the lines of ``text[start:end]``; joined they equal it. Only a line feed ends a line."""
    end = len(text) if end is None else end
    position = start
    while position < end:
        found = text.find("\n", position, end)
        stop = end if found < 0 else found + 1
        raw = text[position:stop].rstrip("\n")
        content = raw.lstrip(_BLANKS)
        yield Line(position, stop, content.rstrip(_BLANKS), position + len(raw) - len(content))
        position = stop
