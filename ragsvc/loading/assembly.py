"""Puts the pieces that a parser finds into one text, and notes where each came to stand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ragsvc.records import Block, BlockKind, Fact

SEPARATOR = "\n\n"
"""Between blocks, as in Markdown: a chunker sees the same shape whatever the file format was."""

TABLE_CHARS = 1500
"""Characters of a table block, from which on it is continued in another."""
_HEAD_CHARS = 400

# What no text should hold: C0 and C1 controls but tab and newline, lone surrogates, non-characters.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class TextAssembly:
    """Collects blocks in reading order. ``text[block.start:block.end]`` is what was added.

    ``facts``, ``title``, ``language`` and ``warnings`` are as in ``LoadedDocument``.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self.blocks: list[Block] = []
        self.facts: list[Fact] = []
        self.title = ""
        self.language = ""
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

    def append(self, other: TextAssembly) -> None:
        """Append the blocks of another assembly, which lie side by side."""
        for block in other.blocks:
            self.add(block.kind, other.text[block.start : block.end], level=block.level, page=block.page)

    def replace(self, text: str, blocks: list[Block]) -> None:
        """Take a text whose blocks are known in place of what was added so far."""
        self._pieces, self._length, self.blocks = [text], len(text), blocks

    def add_table(self, rows: Sequence[Sequence[str]], *, page: int | None = None) -> None:
        """Append rows as lines ``a | b | c``.

        A table that is longer than a passage becomes several blocks, each with the column heads again above its rows:
        a row that is found and quoted alone has them in the same block. Heads are the first row, or all rows before
        the first one that has a label.
        """
        lines = table_text(rows).split("\n")
        n_head = max(1, next((at for at, line in enumerate(lines) if not line.startswith(" |")), 1))
        head = [*lines[:n_head]] if sum(map(len, lines[:n_head])) <= _HEAD_CHARS else []
        part: list[str] = []
        length = 0
        for line in lines:
            if len(part) > len(head) and length + len(line) > TABLE_CHARS:
                self.add("table", "\n".join(part), page=page)
                part = [*head]
                length = sum(map(len, head))
            part.append(line)
            length += len(line) + 1
        self.add("table", "\n".join(part), page=page)

    @property
    def text(self) -> str:
        """All blocks, ``SEPARATOR`` between them."""
        return "".join(self._pieces)


def table_text(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines ``a | b | c``: each cell once, its own line breaks as spaces, empty rows left out."""
    lines = (" | ".join(" ".join(cell.split()) for cell in row) for row in rows)
    return "\n".join(line for line in lines if line.strip(" |"))
