"""Names of uploaded files: what a client calls a file never decides where it is written."""

from __future__ import annotations

import re
import unicodedata

MAX_NAME_BYTES = 200
"""Of UTF-8; file systems allow 255, and the rest is left for what may be put before or after."""

_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.IGNORECASE | re.ASCII)
_UNSAFE = re.compile(r'[<>:"|?*]')


def safe_name(name: str) -> str:
    """Return the last part of ``name`` as a file name that every common file system takes.

    The extension is kept, because it says how the file is to be read. What is left of a hostile name
    (``../``, drive letters, control and bidirectional characters, reserved device names, 255+ bytes) is harmless;
    a name of which nothing is left becomes ``document``.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    # Cc control, Cf invisible and bidirectional marks, Cs lone surrogates
    visible = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    cleaned = _UNSAFE.sub("_", visible).strip(" .")
    if _RESERVED.match(cleaned):
        cleaned = f"_{cleaned}"
    return _shorten(cleaned) or "document"


def _shorten(name: str) -> str:
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > 10:
        stem, dot, extension = name, "", ""
    room = MAX_NAME_BYTES - len((dot + extension).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + extension
