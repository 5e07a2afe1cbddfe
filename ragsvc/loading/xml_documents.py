"""XML that publishers agreed on, read by its structure: which element is a division, a heading, a paragraph is data.

Known are MedQuAD (NIH health pages), SPL (DailyMed drug labels, HL7 v3), JATS (articles), Akoma Ntoso (statutes, OASIS
LegalDocML), USLM (the United States Code) and the topics of MedlinePlus. Any other XML comes out as its texts in order.
No entity is ever resolved and nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.limits import LoadingLimits
from ragsvc.loading.medlineplus import TOPIC, read_topic
from ragsvc.loading.xml_heads import HEADS
from ragsvc.loading.xml_parsing import parse_xml
from ragsvc.loading.xml_vocabularies import OTHER, VOCABULARIES, Vocabulary


def read_xml(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return the text of an XML document.

    Raises:
        UnreadableFile: not well-formed, or it declares entities.
    """
    root = parse_xml(content, name)
    if root.tag == TOPIC:
        return read_topic(root)
    found = next((known for known in VOCABULARIES if known.is_root(_local(root), _namespace(root))), OTHER)
    walk = _Walk(found)
    for kind, text in HEADS[found.name](root):
        walk.assembly.add(kind, text)
        if kind == "title":
            walk.assembly.title = text
    in_head = [] if found is OTHER else [child for child in root if _local(child) == "title"]
    walk.children(root, 1, in_head)
    walk.finish()
    return walk.assembly


def _local(element: Any) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _namespace(element: Any) -> str:
    return str(element.tag[1:].partition("}")[0]) if element.tag.startswith("{") else ""


_BLANK_LINE = re.compile(r"\n\s*\n")


def _one_line(text: str) -> str:
    return " ".join(text.split())


class _Unit(Struct):
    """Number and heading of a division, as written."""

    number: str
    heading: str


class _Walk:
    """Adds a tree to an assembly; the mark of a numbered unit waits for its text, notes wait for the end."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.assembly = TextAssembly()
        self._known = vocabulary
        self._blocks = vocabulary.blocks
        self._mark = ""
        self._notes: list[Any] = []

    def finish(self) -> None:
        self._flush_mark()
        for note in self._notes:
            self.assembly.add("footnote", _one_line(self._text(note)))

    def children(self, element: Any, level: int, done: Iterable[Any] = ()) -> None:
        """Add the blocks in an element, and the text between them as paragraphs."""
        passed_over = set(done)
        run = [element.text or ""]
        for child in element:
            if child in passed_over or _local(child) in self._known.skipped:
                pass
            elif _local(child) in self._known.notes:
                self._notes.append(child)
            elif self._is_block(child):
                self._paragraph("".join(run))
                run = []
                self._block(child, level)
            elif isinstance(child.tag, str):
                run.append(self._text(child))
            run.append(child.tail or "")
        self._paragraph("".join(run))

    def _is_block(self, element: Any) -> bool:
        if self._known is OTHER:
            return isinstance(element.tag, str) and not (element.getparent().text or "").strip()
        return any(_local(inner) in self._blocks for inner in element.iter())

    def _block(self, element: Any, level: int) -> None:
        name = _local(element)
        if name == "table":
            self._flush_mark()
            self._table(element)
        elif name in self._known.divisions:
            self._flush_mark()
            unit, parts = self._unit(element)
            if not self._has_text(element):
                return
            heading = " ".join(filter(None, (unit.number, unit.heading))) or self._known.name_of(element)
            self.assembly.add("heading", heading, level=level)
            self.children(element, level + 1 if heading else level, parts)
            self._flush_mark()
        elif name in self._known.units:
            unit, parts = self._unit(element)
            self._mark = " ".join(filter(None, (self._mark, unit.number, unit.heading)))
            self.children(element, level, parts)
        elif name in self._known.titles:
            self._flush_mark()
            self.assembly.add("heading", _one_line(self._text(element)), level=level)
        elif name in self._known.paragraphs and not self._has_inner_block(element):
            for text in _BLANK_LINE.split(self._text(element)):
                self._paragraph(text)
        else:
            self.children(element, level)

    def _has_text(self, element: Any) -> bool:
        return bool((element.text or "").strip()) or any(
            (_local(child) not in self._known.skipped and self._has_text(child)) or (child.tail or "").strip()
            for child in element
        )

    def _has_inner_block(self, element: Any) -> bool:
        return any(
            _local(inner) not in self._known.notes and (_local(inner) in self._blocks or self._has_inner_block(inner))
            for inner in element
        )

    def _unit(self, element: Any) -> tuple[_Unit, list[Any]]:
        parts = [child for child in element if _local(child) in (*self._known.numbers, *self._known.titles)]
        numbers = [_one_line(self._text(part)) for part in parts if _local(part) in self._known.numbers]
        titles = [_one_line(self._text(part)) for part in parts if _local(part) in self._known.titles]
        return _Unit(" ".join(filter(None, numbers)), " ".join(filter(None, titles))), parts

    def _paragraph(self, text: str) -> None:
        text = _one_line(text)
        if text and text != self.assembly.title:
            self.assembly.add("list" if self._mark else "paragraph", f"{self._mark} {text}")
            self._mark = ""

    def _flush_mark(self) -> None:
        self.assembly.add("list", self._mark)
        self._mark = ""

    def _table(self, table: Any) -> None:
        for part in table:
            if _local(part) in ("caption", "title"):
                self.assembly.add("paragraph", _one_line(self._text(part)))
        rows = [row for row in table.iter() if _local(row) in ("tr", "row")]
        cells = [[self._text(cell) for cell in row if isinstance(cell.tag, str)] for row in rows]
        self.assembly.add_table(cells)

    def _text(self, element: Any) -> str:
        """All text in an element, blank lines kept; notes in it wait for the end."""
        pieces = [element.text or ""]
        for child in element:
            name = _local(child)
            if name in self._known.notes:
                self._notes.append(child)
            elif name and name not in self._known.skipped:
                is_apart = name in self._blocks or name in ("br", "eol")
                pieces.append(f" {self._text(child)} " if is_apart else self._text(child))
            pieces.append(child.tail or "")
        return "".join(pieces)
