"""Filings with the U.S. Securities and Exchange Commission, as EDGAR keeps them: HTML, since 2019 with inline XBRL.

Parts and items of a form (10-K, 10-Q, 8-K, 20-F) are headings, and so are short bold lines. Tables are set with spacer
columns, with "$", "%" and ")" in cells of their own; here a row is a line of label and figures. What inline XBRL tags
becomes ``Fact``s with unit and period; its format: https://www.xbrl.org/specification/inlinexbrl-part1/rec-2013-11-18/
"""

from __future__ import annotations

import re
from typing import Any

from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.filing_facts import MARKS, FactTags, with_facts
from ragsvc.loading.filing_tables import grid_rows

_IS_INLINE_XBRL = re.compile(r"xmlns:ix=|<ix:header", re.IGNORECASE)
_IS_FORM = re.compile(r"SECURITIES\s+AND\s+EXCHANGE\s+COMMISSION.{0,5000}FORM\s*(?:10|20|8|6)\s*-\s*[KQF]", re.S | re.I)
_TYPE = re.compile(r"<TYPE>\s*(?:10|20|8|6|S|DEF)\b", re.IGNORECASE)
_HEAD_CHARS = 30_000
_TAG = re.compile(r"<[^>]*>|&nbsp;|&#160;")
_PART = re.compile(r"PART\s+(?:I{1,3}|IV)\b(?!.*[.;]$)", re.IGNORECASE)
_ITEM = re.compile(r"ITEMS?\s+\d{1,2}(?:\.\d\d)?[A-C]?\b[.:—–\s-]*(?!.*\b(?:of|in) (?:this|our|the))", re.IGNORECASE)
_HEADING_CHARS = 200
_BOLD_CHARS = 120
_BLOCKS = frozenset(
    {
        "div",
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "table",
        "ul",
        "ol",
        "li",
        "hr",
        "center",
        "blockquote",
        "pre",
        "section",
        "body",
        "dl",
        "dt",
        "dd",
    }
)
_BOLD = re.compile(r"font-weight:\s*(?:bold|[6-9]00)", re.IGNORECASE)
_HIDDEN = re.compile(r"display:\s*none", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"(?:F-|S-)?\d{1,3}|[ivx]{1,5}")
_BULLET = re.compile(r"[•●○▪■◦·*–—-]|\(?[a-z0-9ivx]{1,4}[.)]")


def is_filing(source: str) -> bool:
    """Whether a page is a filing: it has inline XBRL, EDGAR's own head, or the form's cover."""
    head = source[:_HEAD_CHARS]
    return bool(_IS_INLINE_XBRL.search(head) or _TYPE.search(head[:500]) or _IS_FORM.search(_TAG.sub(" ", head)))


def read_filing(source: str) -> TextAssembly:
    """Return the filing; page numbers and links to the contents are left out."""
    from lxml import html

    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    root = html.document_fromstring(source.translate(MARKS.removed).encode("utf-8"), parser=parser)
    filing = _Filing(FactTags(root))
    body = root.find("body")
    filing.add(root if body is None else body)
    if filing.left_out:
        filing.assembly.warnings.append(f"left out {filing.left_out} page numbers and links to the contents")
    return with_facts(filing.assembly, filing.tags)


class _Filing:
    """Walks the page in reading order."""

    def __init__(self, tags: FactTags) -> None:
        self.assembly = TextAssembly()
        self.tags = tags
        self.left_out = 0

    def add(self, element: Any) -> None:
        """Add what is in an element; text between blocks is a paragraph of its own."""
        run = [element.text or ""]
        is_bold = _is_bold(element)
        for child in element:
            if not isinstance(child.tag, str) or _is_hidden(child):
                pass
            elif child.tag == "table":
                self._flush(run, is_bold)
                self._table(child)
            elif child.tag in _BLOCKS or any(inner.tag in _BLOCKS for inner in child.iterdescendants()):
                self._flush(run, is_bold)
                self.add(child)
            else:
                run.append(self._text(child))
            run.append(child.tail or "")
        self._flush(run, is_bold or _all_bold(element))

    def _flush(self, run: list[str], is_bold: bool) -> None:
        text = " ".join("".join(run).split())
        run.clear()
        if text:
            self._paragraph(text, is_bold)

    def _paragraph(self, text: str, is_bold: bool) -> None:
        if _PAGE_NUMBER.fullmatch(text) or text.lower() == "table of contents":
            self.left_out += 1
        elif level := _heading_level(text, is_bold):
            self.assembly.add("heading", text, level=level)
        else:
            self.assembly.add("list" if _BULLET.match(text.split(" ")[0]) else "paragraph", text)

    def _text(self, element: Any) -> str:
        pieces = [element.text or ""]
        for child in element:
            if isinstance(child.tag, str) and not _is_hidden(child):
                is_apart = child.tag in _BLOCKS or child.tag == "br"
                pieces.append(f" {self._text(child)} " if is_apart else self._text(child))
            pieces.append(child.tail or "")
        return self.tags.marked(element, "".join(pieces))

    def _table(self, table: Any) -> None:
        rows = grid_rows(table, lambda cell: " ".join(self._text(cell).split()))
        widest = max((sum(map(bool, row)) for row in rows), default=0)
        if widest <= 1:
            for cell in table.iter("td", "th"):
                if next(cell.iterdescendants("table"), None) is None:
                    self.add(cell)
        elif len(rows) == 1 or all(_BULLET.fullmatch(next(filter(None, row))) for row in rows if any(row)):
            for row in rows:
                self._paragraph(" ".join(filter(None, row)), is_bold=len(rows) == 1 and _all_bold(table))
        else:
            self.assembly.add_table(rows)


def _heading_level(text: str, is_bold: bool) -> int:
    """1 for a part, 2 for an item, 3 for a bold line, else 0."""
    if len(text) <= _HEADING_CHARS and _PART.match(text):
        return 1
    if len(text) <= _HEADING_CHARS and _ITEM.match(text) and (is_bold or text[:4].isupper() or len(text) < 100):
        return 2
    is_line = 2 < len(text) <= _BOLD_CHARS and text[-1] not in ".;,:" and any(char.isalpha() for char in text)
    return 3 if is_bold and is_line else 0


def _is_hidden(element: Any) -> bool:
    return element.tag in ("script", "style", "title", "head", "ix:header") or bool(
        _HIDDEN.search(element.get("style", ""))
    )


def _is_bold(element: Any) -> bool:
    return element.tag in ("b", "strong", "h1", "h2", "h3", "h4", "h5", "h6") or bool(
        _BOLD.search(element.get("style", ""))
    )


def _all_bold(element: Any) -> bool:
    """Whether every letter in the element is bold."""
    if _is_bold(element):
        return True
    if (element.text or "").strip():
        return False
    children = [child for child in element if isinstance(child.tag, str) and child.text_content().strip()]
    return bool(children) and all(not (child.tail or "").strip() and _all_bold(child) for child in children)
