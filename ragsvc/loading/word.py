"""Word documents (.docx) by python-docx: every paragraph and table of the body, in reading order.

The body is walked as XML, since python-docx passes over text in content controls, text boxes and tracked insertions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from ragsvc.errors import UnreadableFile
from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.containers import check_zip
from ragsvc.loading.limits import LoadingLimits
from ragsvc.loading.word_numbering import Numbering

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
# Deleted or moved-away text, a second copy of a drawing for old readers, a phonetic guide, and field codes.
_PASSED_OVER = frozenset(
    {_W + "del", _W + "moveFrom", _MC + "Fallback", _W + "rt", _W + "instrText", _W + "pPr", _W + "rPr"}
)
_BREAKS = {_W + "tab": "\t", _W + "cr": "\n", _W + "noBreakHyphen": "-", _W + "ptab": "\t"}
_HEADING_STYLE = re.compile(r"(?:heading|标题)\s*([1-9])$", re.IGNORECASE)


def read_docx(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return the text of a Word document.

    Raises:
        UnreadableFile: no Word document, encrypted, or larger than the limits once expanded.
    """
    members = check_zip(content, name, limits)
    if "word/document.xml" not in members:
        raise UnreadableFile(name, "is a zip archive but no Word document (it has no word/document.xml)")
    from docx import Document

    document = Document(BytesIO(content))
    assembly = TextAssembly()
    assembly.title = (document.core_properties.title or "").strip()
    body = _Body(assembly, _Styles(document.styles.element), Numbering(_part(document, "numbering")))
    body.add(document.element.body)
    _add_notes(document, assembly)
    return assembly


def _part(document: Any, kind: str) -> Any | None:
    """Return the root element of the part of this kind (numbering, footnotes, endnotes), if there is one."""
    from lxml import etree

    for relation in document.part.rels.values():
        if relation.reltype.endswith(f"/{kind}") and not relation.is_external:
            return etree.fromstring(relation.target_part.blob, etree.XMLParser(resolve_entities=False))
    return None


def _add_notes(document: Any, assembly: TextAssembly) -> None:
    """Footnotes and endnotes come last, in the order in which the text refers to them."""
    for kind in ("footnote", "endnote"):
        notes = _part(document, f"{kind}s")
        if notes is None:
            continue
        texts = {note.get(_W + "id"): note for note in notes.iterfind(f"{_W}{kind}")}
        for reference in document.element.body.iter(f"{_W}{kind}Reference"):
            note = texts.get(reference.get(_W + "id"))
            if note is not None:
                assembly.add("footnote", "\n".join(_text(paragraph) for paragraph in note.iterfind(f"{_W}p")))


class _Body:
    """Adds what a body, a cell or a text box holds to an assembly."""

    def __init__(self, assembly: TextAssembly, styles: _Styles, numbering: Numbering) -> None:
        self._assembly = assembly
        self._styles = styles
        self._numbering = numbering

    def add(self, container: Any) -> None:
        for element in container:
            if element.tag == _W + "p":
                self._add_paragraph(element)
            elif element.tag == _W + "tbl":
                self._add_table(element)
            elif isinstance(element.tag, str) and element.tag not in _PASSED_OVER:
                self.add(element)  # a content control or tracked insertion around blocks

    def _add_paragraph(self, paragraph: Any) -> None:
        level = self._styles.heading_level(paragraph)
        text = _text(paragraph).strip()
        numbered = self._styles.numbering(paragraph)
        if numbered is not None and text:
            text = self._numbering.next(numbered) + text
        self._assembly.add("heading" if level else "paragraph", text, level=level)
        for box in _text_boxes(paragraph):
            self.add(box)

    def _add_table(self, table: Any) -> None:
        rows = list(_rows(table))
        if all(len(row) <= 1 for row in rows):  # a frame around text, no table
            for row in rows:
                for cell in row:
                    self.add(cell)
            return
        texts = [["" if _continues_merge(cell) else self._cell_text(cell) for cell in row] for row in rows]
        self._assembly.add_table(texts)

    def _cell_text(self, cell: Any) -> str:
        inner = TextAssembly()
        _Body(inner, self._styles, self._numbering).add(cell)
        return inner.text


def _text(element: Any) -> str:
    pieces: list[str] = []
    for child in element:
        tag = child.tag
        if tag in (_W + "t", _M + "t"):
            pieces.append(child.text or "")
        elif tag in _BREAKS:
            pieces.append(_BREAKS[tag])
        elif tag == _W + "br":
            pieces.append("\n" if child.get(_W + "type") in (None, "textWrapping") else "")
        elif tag == _W + "sym":
            code = child.get(_W + "char", "")
            pieces.append(chr(int(code, 16)) if re.fullmatch("[0-9A-Fa-f]{1,4}", code) else "")
        elif isinstance(tag, str) and tag not in _PASSED_OVER and tag != _W + "txbxContent":
            pieces.append(_text(child))
    return "".join(pieces)


def _text_boxes(element: Any) -> Iterator[Any]:
    for child in element:
        if child.tag == _W + "txbxContent":
            yield child
        elif isinstance(child.tag, str) and child.tag not in _PASSED_OVER:
            yield from _text_boxes(child)


def _rows(table: Any) -> Iterator[list[Any]]:
    for row in table.iterfind(f"{_W}tr"):
        yield [cell for cell in row.iter(f"{_W}tc") if next(cell.iterancestors(f"{_W}tr")) is row]


def _continues_merge(cell: Any) -> bool:
    merge = cell.find(f"{_W}tcPr/{_W}vMerge")
    return merge is not None and merge.get(_W + "val", "continue") == "continue"


class _Styles:
    """What a paragraph's own properties or its style (or the style that one is based on) say of it."""

    def __init__(self, styles: Any) -> None:
        self._by_id = {style.get(_W + "styleId"): style for style in styles.iterfind(f"{_W}style")}

    def heading_level(self, paragraph: Any) -> int:
        """Level 1 to 9; 0 for what is no heading."""
        for properties, style in self._inherited(paragraph):
            outline = None if properties is None else properties.find(_W + "outlineLvl")
            if outline is not None:
                level = int(outline.get(_W + "val"))
                return level + 1 if level < 9 else 0
            name = None if style is None else style.find(_W + "name")
            named = None if name is None else _HEADING_STYLE.match(name.get(_W + "val"))
            if named:
                return int(named[1])
        return 0

    def numbering(self, paragraph: Any) -> Any | None:
        """Return the ``numPr`` that holds for the paragraph."""
        for properties, _ in self._inherited(paragraph):
            numbered = None if properties is None else properties.find(_W + "numPr")
            if numbered is not None and numbered.find(_W + "numId") is not None:
                return numbered
        return None

    def _inherited(self, paragraph: Any) -> Iterator[tuple[Any | None, Any | None]]:
        properties = paragraph.find(_W + "pPr")
        yield properties, None
        named = None if properties is None else properties.find(_W + "pStyle")
        seen: set[str] = set()
        while named is not None and (name := named.get(_W + "val")) in self._by_id and name not in seen:
            seen.add(name)
            style = self._by_id[name]
            yield style.find(_W + "pPr"), style
            named = style.find(_W + "basedOn")
