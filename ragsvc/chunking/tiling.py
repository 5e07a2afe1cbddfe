"""The invariant of every chunker: leaves tile the text exactly, parents cover whole leaves."""

from __future__ import annotations

from collections.abc import Sequence

from ragsvc.records import Chunk


def tiling_fault(chunks: Sequence[Chunk], length: int) -> str | None:
    """Say where ``chunks`` break the invariant for a text of ``length`` code points; None when they hold it."""
    position = 0
    for number, chunk in enumerate(chunks):
        if chunk.start >= chunk.end:
            return f"chunk {number} is empty: [{chunk.start}, {chunk.end})"
        if not chunk.is_leaf:
            continue
        if chunk.start != position:
            return f"leaf {number} starts at {chunk.start}, the leaf before it ended at {position}"
        position = chunk.end
        if chunk.parent is not None and not _covers(chunks, chunk.parent, chunk):
            return f"leaf {number} [{chunk.start}, {chunk.end}) is not inside its parent {chunk.parent}"
    return None if position == length else f"leaves end at {position}, the text at {length}"


def _covers(chunks: Sequence[Chunk], parent: int, leaf: Chunk) -> bool:
    if not 0 <= parent < len(chunks):
        return False
    cover = chunks[parent]
    return not cover.is_leaf and cover.start <= leaf.start and leaf.end <= cover.end
