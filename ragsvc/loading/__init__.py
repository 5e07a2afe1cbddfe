"""A file becomes text with structure: ``load_file``; ``iter_files`` and ``take_apart`` find the files that there are.

Text and Markdown are read in this process, ``read_beir_corpus`` streams test sets; everything else is parsed in a child
that may die (``process.py``).
"""

from __future__ import annotations

from pathlib import Path

from ragsvc.errors import UnreadableFile
from ragsvc.loading.archives import Member, Unpacked
from ragsvc.loading.beir import read_beir_corpus
from ragsvc.loading.folder import iter_files
from ragsvc.loading.formats import EXTENSIONS, HEAD_BYTES, detect_format, read_bytes
from ragsvc.loading.limits import DEFAULT_LIMITS, LoadingLimits
from ragsvc.loading.medlineplus import is_topics
from ragsvc.loading.process import ParserProcess, shown_name
from ragsvc.loading.text import load_text
from ragsvc.records import LoadedDocument

__all__ = [
    "EXTENSIONS",
    "LoadingLimits",
    "Member",
    "ParserProcess",
    "Unpacked",
    "iter_files",
    "load_file",
    "read_beir_corpus",
    "take_apart",
]


def take_apart(path: Path, into: Path, *, parser: ParserProcess, name: str | None = None) -> Unpacked:
    """Return the files to load for one that may be an archive or a message: its members, or the file itself.

    Args:
        path: The file.
        into: Folder for the members of this file alone, made when there are any; they lie there under numbers.
        parser: Where archives are opened.
        name: What to call the file when the path is a temporary one.

    Raises:
        UnreadableFile: an archive that is damaged, protected or beyond the limits. Bad members are in ``refused``.
    """
    shown = shown_name(path, name)
    try:
        head = read_bytes(path, shown, parser.limits, HEAD_BYTES)
        file_format = detect_format(shown, head)
    except UnreadableFile:
        return Unpacked([Member(shown, str(path))], [])  # whoever loads it is told the reason
    if file_format in ("archive", "mail", "outlook") or (file_format == "xml" and is_topics(head)):
        into.mkdir(parents=True, exist_ok=True)
        return parser.unpack(path, into, name=shown)
    return Unpacked([Member(shown, str(path))], [])


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
