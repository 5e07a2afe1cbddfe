"""A file becomes text with structure: ``load_file``, ``iter_files`` for folders, ``read_beir_corpus`` for test sets.

Text, Markdown and JSON lines are read in this process; everything else in a child that may die (``process.py``).
"""

from __future__ import annotations

from pathlib import Path

from ragsvc.loading.beir import read_beir_corpus
from ragsvc.loading.folder import iter_files
from ragsvc.loading.formats import EXTENSIONS, HEAD_BYTES, detect_format, read_bytes
from ragsvc.loading.limits import DEFAULT_LIMITS, LoadingLimits
from ragsvc.loading.process import ParserProcess, shown_name
from ragsvc.loading.text import load_text
from ragsvc.records import LoadedDocument

__all__ = ["EXTENSIONS", "LoadingLimits", "ParserProcess", "iter_files", "load_file", "read_beir_corpus"]


def load_file(path: Path, *, name: str | None = None, parser: ParserProcess | None = None) -> LoadedDocument:
    """Return the document in one file.

    Args:
        path: The file.
        name: What to call it when the path is a temporary one; its extension counts.
        parser: Where to parse what is neither text nor Markdown, and whose limits hold. Without one, a process is
            started for this file alone, which takes about half a second.

    Raises:
        UnreadableFile: for whatever reason this file gives no text; no other exception stands for a bad file.
    """
    shown = shown_name(path, name)
    limits = parser.limits if parser else DEFAULT_LIMITS
    file_format = detect_format(shown, read_bytes(path, shown, limits, HEAD_BYTES))
    if file_format in ("text", "markdown"):
        return load_text(read_bytes(path, shown, limits), shown, file_format)
    if parser:
        return parser.parse(path, name=shown)
    with ParserProcess(limits) as own:
        return own.parse(path, name=shown)
