"""Compiles a character map into the form that the ``Precompiled`` normaliser of tokenizers reads.

Format (SentencePiece's ``precompiled_charsmap``): the byte length of a double-array trie as a little-endian
uint32, the trie's uint32 units, then the replacements as zero-terminated UTF-8. The trie (darts-clone's layout)
maps the UTF-8 bytes of a character to the offset of its replacement. A unit holds its own label in bits 0-7, "a
value follows" in bit 8, and in bits 10-30 the XOR between its position and the base of its children; a child with
label c stands at base ^ c, the value at base ^ 0, marked by bit 31.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

_HAS_VALUE = 1 << 8
_IS_VALUE = 1 << 31
_OFFSET_SHIFT = 10

_Node = dict[int, "_Node | int"]
"""Label -> child; label 0 -> value."""


def compile_charsmap(replacements: Mapping[str, str]) -> bytes:
    """Return the compiled map of single characters to their replacements (U+0000 cannot be mapped)."""
    blob = bytearray()
    root: _Node = {}
    for character, replacement in sorted(replacements.items()):
        node = root
        for byte in character.encode():
            node = node.setdefault(byte, {})  # type: ignore[assignment]  # label 0 is no byte of a character
        node[0] = len(blob)
        blob += replacement.encode() + b"\0"
    units = _place(root)
    return struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + bytes(blob)


def _place(root: _Node) -> list[int]:
    """Lay the trie out in one array: first fit, parents before children."""
    units: list[int] = [0]
    taken = {0}
    bases: set[int] = set()  # two nodes of one base could not be told apart
    next_base: dict[tuple[int, ...], int] = {}  # what failed for these labels fails for ever
    queue: list[tuple[_Node, int]] = [(root, 0)]
    for node, position in queue:
        labels = tuple(node)
        base = next_base.get(labels, 1)
        while base in bases or any(base ^ label in taken for label in labels):
            base += 1
        next_base[labels] = base + 1
        bases.add(base)
        taken.update(base ^ label for label in labels)
        units.extend([0] * (base + 256 - len(units)))  # a reader may look at any base ^ byte
        units[position] |= (position ^ base) << _OFFSET_SHIFT | (_HAS_VALUE if 0 in node else 0)
        for label, child in node.items():
            if isinstance(child, int):
                units[base ^ label] = child | _IS_VALUE
            else:
                units[base ^ label] = label
                queue.append((child, base ^ label))
    return units + [0] * (-len(units) % 256)
