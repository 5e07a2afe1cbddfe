"""Statutes in English that are no European acts: sections, articles and schedules with their addresses."""

from __future__ import annotations

import re
from calendar import month_name  # in English, unless a program sets a locale, which this one does not
from collections.abc import Sequence
from datetime import date

from msgspec.structs import replace

from ragsvc.chunking.lines import has_content
from ragsvc.chunking.structure import PASSAGE_CHARS_EN, chunks_of, plain_pieces, title_of
from ragsvc.domains.law.english_outline import Mark, increases, outline, unambiguous
from ragsvc.domains.law.english_parts import parts_of
from ragsvc.records import Chunk, DocumentFacts, LoadedDocument

_HEAD_CHARS = 3_000
_MONTHS = month_name[1:]
_MONTH = "|".join(_MONTHS)
_DATE = (
    rf"(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s(?P<m>{_MONTH}),?\s(?P<y>\d{{4}})"
    rf"|(?P<m2>{_MONTH})\s(?P<d2>\d{{1,2}}),\s(?P<y2>\d{{4}}))"
)
_ADOPTED = re.compile(
    rf"(?:[Aa]dopted|[Ee]nacted|[Aa]pproved|[Pp]assed|[Rr]oyal [Aa]ssent)\b[^.\n]{{0,30}}?{_DATE}"
    r"|enacted:\s(?P<iso>\d{4}-\d\d-\d\d)"
)
_APPLIES = re.compile(
    r"(?:applies|shall apply|(?:comes?|enters?) into (?:force|effect)|(?:takes?|shall take) effect|is effective)"
    rf"\s(?:from|on|as (?:of|from))\s{_DATE}"
)
_CITED_AS = re.compile(r"may be (?:cited|referred to) as (?:the )?[“\"‘'](?P<name>[^”\"’'\n]{4,120})[”\"’']")
_CODE_TITLE = re.compile(
    r"(?:United States Code|U\.?\s?S\.?\s?C(?:ode|\.)).{0,200}?\bTitle\s(?P<n>\d{1,2})\b"
    r"|^\W*Title\s(?P<m>\d{1,2})\s?[—–-]",
    re.I | re.S,
)


def describe_english(document: LoadedDocument) -> DocumentFacts | None:
    """Return the facts of an English statute; None when the text is not one."""
    marks = outline(document)
    if not marks or not increases(marks):
        return None
    head = document.text[:_HEAD_CHARS]
    adopted, applies = _date(_ADOPTED.search(head)), _date(_APPLIES.search(document.text))
    if applies and adopted and applies < adopted:
        applies = None
    title = title_of(document)
    return DocumentFacts(
        title=title,
        kind="act",
        promulgated=adopted,
        effective_from=applies or adopted,
        validity_source="stated" if applies else "inferred" if adopted else "unknown",
        language="en",
        aliases=_aliases(title, document.text),
    )


def chunk_english(document: LoadedDocument) -> list[Chunk]:
    """Return headings, sections and schedules that tile the text; empty when it is no English statute."""
    marks = outline(document)
    return _Builder(document.text).build(unambiguous(marks)) if marks and increases(marks) else []


class _Builder:
    """Turns marks into chunks while following the divisions."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._headings: list[tuple[int, str]] = []
        self._chunks: list[Chunk] = []

    def build(self, marks: Sequence[Mark]) -> list[Chunk]:
        first = marks[0].start if has_content(self._text, 0, marks[0].start) else 0
        self._passages(0, first, (), "front")
        ends = [mark.start for mark in marks[1:]] + [len(self._text)]
        for n, (mark, end) in enumerate(zip(marks, ends, strict=True)):
            start = 0 if n == 0 and not first else mark.start
            if mark.kind == "division":
                self._division(mark, start, end)
            elif mark.kind == "contents":
                self._chunks.append(Chunk(kind="contents", start=start, end=end, locator=mark.label))
            elif mark.kind == "schedule":
                self._headings.clear()
                self._schedule(mark, start, end)
            else:
                self._section(mark, start, end)
        return self._chunks

    def _here(self) -> tuple[str, ...]:
        return tuple(title for _, title in self._headings)

    def _division(self, mark: Mark, start: int, end: int) -> None:
        stop = mark.stop if has_content(self._text, mark.stop, end) else end
        while self._headings and self._headings[-1][0] >= mark.level:
            self._headings.pop()
        self._chunks.append(Chunk(kind="heading", start=start, end=stop, locator=mark.label, heading_path=self._here()))
        self._headings.append((mark.level, mark.label))
        self._passages(stop, end, self._here(), "section")

    def _section(self, mark: Mark, start: int, end: int) -> None:
        path = (*self._here(), mark.title) if mark.title else self._here()
        section = Chunk(
            kind="article", start=start, end=end, locator=mark.label, address=mark.address, heading_path=path
        )
        self._with_parts(section, mark)

    def _schedule(self, mark: Mark, start: int, end: int) -> None:
        label = f"{mark.label} {mark.title}".strip()
        schedule = Chunk(
            kind="annex", start=start, end=end, locator=mark.label, address=mark.address, heading_path=(label,)
        )
        self._with_parts(schedule, mark)

    def _with_parts(self, whole: Chunk, mark: Mark) -> None:
        """The section, or, when it is long, the section over its subsections, the heading with the first of them."""
        text = self._text[whole.start : whole.end]
        if len(text) <= PASSAGE_CHARS_EN:
            self._chunks.append(whole)
            return
        parts = [part for part in parts_of(text) if len(part.path) == 1]
        position = len(self._chunks)
        self._chunks.append(replace(whole, is_leaf=False))
        if len(parts) < 2:
            leaves = chunks_of(plain_pieces(self._text, whole.start, whole.end), self._text, PASSAGE_CHARS_EN)
            for leaf in leaves:
                kind = leaf.kind if leaf.kind == "table" else "paragraph"
                self._chunks.append(
                    replace(leaf, kind=kind, locator=mark.label, heading_path=whole.heading_path, parent=position)
                )
            return
        opening = has_content(text, max(mark.stop - whole.start, 0), parts[0].start)
        starts = [0 if n == 0 and not opening else part.start for n, part in enumerate(parts)]
        if opening:
            self._chunks.append(
                replace(whole, kind="paragraph", end=whole.start + starts[0], address="", parent=position)
            )
        for part, begin, end in zip(parts, starts, [*starts[1:], len(text)], strict=True):
            self._chunks.append(
                Chunk(
                    kind="paragraph",
                    start=whole.start + begin,
                    end=whole.start + end,
                    locator=f"{mark.label}({part.path[0]})"
                    if whole.kind == "article"
                    else f"{mark.label} paragraph {part.path[0]}",
                    address=f"{mark.address}.{part.path[0].casefold()}" if mark.address else "",
                    heading_path=whole.heading_path,
                    parent=position,
                )
            )

    def _passages(self, start: int, end: int, path: tuple[str, ...], kind: str) -> None:
        if start < end:
            pieces = plain_pieces(self._text, start, end)
            self._chunks.extend(chunks_of(pieces, self._text, PASSAGE_CHARS_EN, path, kind))  # type: ignore[arg-type]


def _aliases(title: str, text: str) -> tuple[str, ...]:
    """The short title that the act gives itself, and how a title of the United States Code is cited."""
    names = [found["name"].strip(" ,.") for found in _CITED_AS.finditer(text[:20_000])][:1]
    if code := _CODE_TITLE.search(f"{title}\n{text[:500]}"):
        number = code["n"] or code["m"]
        names += [
            f"{number} U.S.C.",
            f"{number} U.S. Code",
            f"Title {number}",
            f"Title {number} of the United States Code",
        ]
    return tuple(name for name in names if name != title)


def _date(found: re.Match[str] | None) -> date | None:
    if found is None:
        return None
    written = found.groupdict()
    try:
        if iso := written.get("iso"):
            return date.fromisoformat(iso)
        month = _MONTHS.index(written["m"] or written["m2"]) + 1
        return date(int(written["y"] or written["y2"]), month, int(written["d"] or written["d2"]))
    except ValueError:
        return None
