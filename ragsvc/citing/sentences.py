"""Cuts streamed text into sentences, each with the citation marks that follow it.

Every character passes through one state machine, so the cut does not depend on how the stream was cut, and the
sentences joined are the text.
"""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

MAX_HELD = 4_000
"""Characters held back for the end of a sentence or of an open quotation; then they are cut there."""

QUOTES = {"“": "”", "「": "」", "『": "』", '"': '"'}
"""Opening and closing signs of a quotation."""

_NUMBER = r"(?:(?:来源|资料|段落|[Ss]ource|[Pp]assage)\s?)?\^?[0-9０-９]{1,3}\^?"
MARK = rf"[\[［【]{{1,2}}{_NUMBER}(?:\s?[,，、;；\-–—~～]\s?{_NUMBER})*[\]］】]{{1,2}}"
"""A citation mark: [1] ［1］ 【1】 [1, 2] [1-3] [[1]] [来源1] [^1^]. A year is none, nor is "[ 1 ]"."""

_LONGEST_MARK = 26
_OPEN_MARK = r"[\[［【][^\]］】\n]{0,24}"
_CLOSERS = r"[”’」』）)》】*_]*"
_TAIL = re.compile(rf"{_CLOSERS}(?:[ \t]*{MARK})*(?:[ \t]*{_OPEN_MARK}|\s*)")
_WHOLE_TAIL = re.compile(rf"{_CLOSERS}(?:[ \t]*{MARK})*\s*")
_SPACES = re.compile(r"\s*")
_SPACE_OR_MARK = re.compile(rf"{_CLOSERS}(?:\s|[ \t]*{MARK})")
_LATE_MARK = re.compile(rf"{_OPEN_MARK}\Z")
_FENCE = re.compile(r"[ \t]*```")
_NOT_AN_END = re.compile(
    r"(?:\b(?:[Aa]rts?|[Nn]os?|[Pp]aras?|[Ss]ecs?|[Cc]h|[Pp]p?|vs?|cf|e\.g|i\.e|Dr|Mrs?|Ms|Fig|Inc|Ltd|Co|et al|approx)"
    r"|\b[A-Z]|(?:^|\n)\s*\d{1,3})\.\Z"
)


class Sentence(Struct, frozen=True):
    """A sentence with the white space and the marks after it. In a code block nothing is a claim or a mark."""

    text: str
    is_code: bool = False


class SentenceCutter:
    """Takes text piece by piece and gives sentences back as soon as their end is certain."""

    def __init__(self) -> None:
        self._held = ""
        self._closer = ""  # sign that closes the open quotation or code span
        self._depth = 0
        self._block: Literal["text", "fence", "code"] = "text"
        self._at_line_start = True  # whether the held text starts a line
        self._end: int | None = None  # where the sentence may have ended; what follows is its tail or the next one
        self._end_is_sure = False

    def feed(self, text: str) -> list[Sentence]:
        """Take a piece of text; return the sentences that it completes."""
        done: list[Sentence] = []
        waiting = list(reversed(text))
        while waiting:
            again = self._take(waiting.pop(), done)
            waiting.extend(reversed(again))
        return done

    def finish(self) -> list[Sentence]:
        """Return what is held, as the last sentence."""
        done: list[Sentence] = []
        if self._held:
            self._emit(self._held, done)
        return done

    def _take(self, char: str, done: list[Sentence]) -> str:
        """Add one character; return characters that are to be taken again because a decision fell before them."""
        if self._end is not None:
            has_room = len(self._held) < MAX_HELD + _LONGEST_MARK
            if has_room and self._tail(_TAIL).fullmatch(self._held + char, self._end):
                self._held += char
                return ""
            return self._decide(done) + char
        if self._held.lstrip(" \t") == "`" and self._at_line_start and char != "`":
            self._closer, self._depth = "`", 1
        self._held += char
        if self._block != "text":
            if char == "\n":
                self._end_code_line(done)
        elif self._closer:
            self._follow_quotation(char)
        elif self._at_line_start and _FENCE.fullmatch(self._held):
            self._block = "fence"
        elif char in QUOTES or (char == "`" and not (self._at_line_start and not self._held.strip(" \t`"))):
            self._closer, self._depth = QUOTES.get(char, char), 1
        elif char in "。！？；\n" or (char in ".!?" and not _NOT_AN_END.search(self._held[-40:])):
            self._set_end(is_sure=char not in ".!?")
        if len(self._held) >= MAX_HELD and self._end is None:
            is_in_a_mark = _LATE_MARK.search(self._held[-_LONGEST_MARK:])
            if not is_in_a_mark or len(self._held) >= MAX_HELD + _LONGEST_MARK:
                self._set_end(is_sure=True)
        return ""

    def _tail(self, pattern: re.Pattern[str]) -> re.Pattern[str]:
        """A mark at the start of a line belongs to that line, not to the one before."""
        return _SPACES if self._end and self._held[self._end - 1] == "\n" else pattern

    def _set_end(self, *, is_sure: bool) -> None:
        self._end, self._end_is_sure = len(self._held), is_sure

    def _decide(self, done: list[Sentence]) -> str:
        """End the sentence with its tail or go on with it; return what was held beyond.

        A Latin stop or a closed quotation ends a sentence only before white space or a mark: not in 3.5 or “A。”的.
        """
        end, self._end = self._end or 0, None
        if self._end_is_sure or _SPACE_OR_MARK.match(self._held, end):
            self._end = end
            tail = self._tail(_WHOLE_TAIL).match(self._held, end)
            end = tail.end() if tail else end
            rest = self._held[end:]
            self._emit(self._held[:end], done)
            return rest
        rest, self._held = self._held[end:], self._held[:end]
        return rest

    def _emit(self, text: str, done: list[Sentence]) -> None:
        done.append(Sentence(text, self._block != "text"))
        self._held, self._end, self._closer, self._depth = "", None, "", 0
        self._at_line_start = text.rstrip(" \t").endswith("\n")

    def _end_code_line(self, done: list[Sentence]) -> None:
        closes = self._block == "code" and self._held.strip() == "```"
        self._emit(self._held, done)
        self._block = "text" if closes else "code"

    def _follow_quotation(self, char: str) -> None:
        """Inside a quotation or a code span no sentence ends; a straight quote or a code span ends with its line."""
        if char == self._closer:
            self._depth -= 1
        elif QUOTES.get(char) == self._closer:
            self._depth += 1
        if char == "\n" and self._closer in '"`':
            self._depth = 0
        if self._depth == 0:
            self._closer = ""
            if char == "\n":
                self._set_end(is_sure=True)
            elif self._held[-2:-1] in (*"。！？；.!?",):
                self._set_end(is_sure=False)


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return the ranges of the sentences of ``text`` without the white space around them; empty ones are left out."""
    cutter = SentenceCutter()
    ranges, start = [], 0
    for sentence in cutter.feed(text) + cutter.finish():
        body = sentence.text.strip()
        first = start + len(sentence.text) - len(sentence.text.lstrip())
        if body:
            ranges.append((first, first + len(body)))
        start += len(sentence.text)
    return ranges
