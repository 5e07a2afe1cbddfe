"""Acts of the European Union as EUR-Lex publishes them in the Official Journal's HTML.

Layout tables hold the points ("(a)" | text), and the class of a paragraph says what it is: ``oj-ti-art`` an article's
number, ``oj-sti-art`` its title, ``oj-ti-section-1`` a chapter or section, ``oj-note`` a footnote. Pages before 2023
have the same classes without ``oj-``.
"""

from __future__ import annotations

import re
from typing import Any

from ragsvc.loading.assembly import TextAssembly
from ragsvc.records import BlockKind

_MARK = re.compile(r'class="(?:oj-)?(?:ti-art|doc-ti)"')
_KINDS: dict[str, BlockKind] = {"doc-ti": "title", "ti-art": "heading", "ti-section-1": "heading", "note": "footnote"}
_SUBTITLES = frozenset({"sti-art", "ti-section-2"})
ARTICLE_LEVEL = 3
"""Chapters are level 1 and sections 2, so articles are 3 whether or not their chapter has sections."""


def is_eurlex(source: str) -> bool:
    """Whether a page has the Official Journal's paragraph classes."""
    return _MARK.search(source) is not None


def read_eurlex(source: str) -> TextAssembly:
    """Return the act. A heading and its title are one block of two lines ("Article 17", "Right to erasure")."""
    from lxml import html

    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)
    act = _Act(TextAssembly())
    act.add(html.document_fromstring(source.encode("utf-8"), parser=parser).find("body"))
    act.finish()
    return act.assembly


class _Act:
    """Walks the page; a heading waits for its title, a point's mark for its text."""

    def __init__(self, assembly: TextAssembly) -> None:
        self.assembly = assembly
        self._heading = ""
        self._level = 0
        self._mark = ""

    def add(self, element: Any) -> None:
        for child in element:
            if child.tag in ("script", "style"):
                continue
            if child.tag == "p" or next(child.iterdescendants("p", "table"), None) is None:
                self._add_paragraph(child)
            elif child.tag == "tr" and self._is_point(child):
                self._mark = f"{self._mark} {_text(child[0])}".strip()
                self.add(child[1])
            else:
                self.add(child)

    def finish(self) -> None:
        self._flush_heading()
        self.assembly.title = " ".join(
            self.assembly.text[block.start : block.end] for block in self.assembly.blocks if block.kind == "title"
        )

    def _is_point(self, row: Any) -> bool:
        return len(row) == 2 and len(_text(row[0])) <= 8

    def _add_paragraph(self, paragraph: Any) -> None:
        name = paragraph.get("class", "").removeprefix("oj-")
        text = _text(paragraph)
        if name in _SUBTITLES and self._heading:
            self._heading += f"\n{text}"
            return
        self._flush_heading()
        kind = _KINDS.get(name, "list" if self._mark else "paragraph")
        if kind == "heading":
            self._heading = text
            self._level = ARTICLE_LEVEL if name == "ti-art" else _division_level(paragraph)
        else:
            self.assembly.add(kind, f"{self._mark} {text}")
            self._mark = ""

    def _flush_heading(self) -> None:
        if self._heading:
            self.assembly.add("heading", self._heading, level=self._level)
            self._heading = ""


def _division_level(paragraph: Any) -> int:
    identifier = next((parent.get("id") for parent in paragraph.iterancestors() if parent.get("id")), "")
    return 2 if ".sct_" in identifier else 1


def _text(element: Any) -> str:
    text = " ".join(element.text_content().split())
    return re.sub(r"\(\s*(\d+)\s*\)", r"(\1)", text)
