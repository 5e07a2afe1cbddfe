"""What a sentence repeats and what it talks about: quotations, names of works, content."""

from __future__ import annotations

import re
import unicodedata

from msgspec import Struct

from ragsvc.citing.sentences import QUOTES

_ELLIPSIS = re.compile(r"…+|\.{3,}|\[…\]|\[\.\.\.\]")
_WORK = re.compile(r"《([^《》\n]{1,80})》")
_HAN_OR_WORD = re.compile(r"[\u3400-\u9fff]|[A-Za-z]+")


def quoted_ranges(text: str) -> list[tuple[int, int]]:
    """Return the ranges inside outermost quotation marks; a quotation that is not closed is none."""
    ranges: list[tuple[int, int]] = []
    closer, depth, start = "", 0, 0
    for i, char in enumerate(text):
        if not closer:
            if char in QUOTES:
                closer, depth, start = QUOTES[char], 1, i + 1
            continue
        if char == closer:
            depth -= 1
        elif QUOTES.get(char) == closer:
            depth += 1
        if depth == 0:
            ranges.append((start, i))
            closer = ""
    return ranges


def is_quotation(inside: str) -> bool:
    """Whether words in quotation marks repeat a text: six Han characters or three words; fewer are a term."""
    found = _HAN_OR_WORD.findall(inside)
    return sum(len(word) == 1 and word > "\u3400" for word in found) >= 6 or (len(found) >= 3 and found[0] < "\u3400")


def works_named(text: str) -> list[str]:
    """Return what stands in 《》."""
    return _WORK.findall(text)


class SearchableText(Struct, frozen=True):
    """A text in which a quotation is found whatever white space and invisible characters it was copied with."""

    text: str
    squeezed: str
    places: tuple[int, ...]
    """Place in ``text`` of each character of ``squeezed``."""

    @classmethod
    def of(cls, text: str) -> SearchableText:
        kept = [i for i, char in enumerate(text) if not _is_blank(char)]
        return cls(text, "".join(text[i] for i in kept), tuple(kept))

    def find(self, quotation: str) -> tuple[int, int] | None:
        """Return the range of ``text`` that ``quotation`` repeats; "…" in it stands for words left out."""
        start = end = -1
        for part in _ELLIPSIS.split(quotation):
            wanted = squeeze(part)
            found = self.squeezed.find(wanted, max(end, 0))
            if found < 0:
                # A writer ends a quotation with the stop of his own sentence.
                wanted = wanted.rstrip("。，；,.;")
                found = self.squeezed.find(wanted, max(end, 0))
            if found < 0:
                return None
            start = found if start < 0 and wanted else start
            end = found + len(wanted)
        return (self.places[start], self.places[end - 1] + 1) if 0 <= start < end else None


def squeeze(text: str) -> str:
    """Return ``text`` without white space and invisible characters."""
    return "".join(char for char in text if not _is_blank(char))


def _is_blank(char: str) -> bool:
    return char.isspace() or (char > "\x7f" and unicodedata.category(char) == "Cf")


_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]{3,}")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_FUNCTION = frozenset(
    "的了是在和与及或等其该之以为于对不可应当有无也就都而但如若则并且被把将从由向让给这那个你我他她们"
)
_FUNCTION_WORDS = frozenset(
    """the and for are was were has have had not but with that this these those from into shall must may can will would
    should which who whom whose where when what how why any all each every such other than then its their his her our
    your you they been being there here under upon also only more most some""".split()  # noqa: SIM905
)


def content(text: str) -> frozenset[str]:
    """Return pairs of Han characters and Latin words of ``text``, without those that only join others."""
    pairs = {
        run[i : i + 2]
        for run in _HAN.findall(text)
        for i in range(len(run) - 1)
        if run[i] not in _FUNCTION and run[i + 1] not in _FUNCTION
    }
    words = {word for match in _LATIN.findall(text) if (word := match.lower()) not in _FUNCTION_WORDS}
    return frozenset(pairs | words)
