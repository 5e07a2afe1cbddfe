"""Puts the pieces that a parser finds into one text, and notes where each came to stand."""

from __future__ import annotations

import re

from ragsvc.records import Block, BlockKind

SEPARATOR = "\n\n"
"""Between blocks, as in Markdown: a chunker sees the same shape whatever the file format was."""

# What no text should hold: C0 and C1 controls but tab and newline, lone surrogates, non-characters.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class TextAssembly:
    """Collects blocks in reading order. ``text[block.start:block.end]`` is what was added.

    ``title`` and ``warnings`` are as in ``LoadedDocument``.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self.blocks: list[Block] = []
        self.title = ""
        self.warnings: list[str] = []

    def add(self, kind: BlockKind, text: str, *, level: int = 0, page: int | None = None) -> None:
        """Append a block; white space around it is dropped, and a block of nothing else altogether."""
        text = _UNWANTED.sub("", text).strip()
        if not text:
            return
        if self._pieces:
            self._pieces.append(SEPARATOR)
            self._length += len(SEPARATOR)
        start = self._length
        self._pieces.append(text)
        self._length += len(text)
        self.blocks.append(Block(kind=kind, start=start, end=self._length, level=level, page=page))

    @property
    def text(self) -> str:
        """All blocks, ``SEPARATOR`` between them."""
        return "".join(self._pieces)


def table_text(rows: list[list[str]]) -> str:
    """Return rows as lines ``a | b | c``: each cell once, its own line breaks as spaces, empty rows left out."""
    lines = (" | ".join(" ".join(cell.split()) for cell in row) for row in rows)
    return "\n".join(line for line in lines if line.strip(" |"))
