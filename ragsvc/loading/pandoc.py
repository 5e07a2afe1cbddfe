"""Books (.epub), .odt and .rtf by Pandoc, which turns them into HTML; unstructured uses it for the same formats.

Called here directly for its ``--sandbox``: it reads nothing but its input. The program comes with pypandoc-binary.
"""

from __future__ import annotations

import re
import subprocess
from html import unescape

from ragsvc.errors import UnreadableFile
from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.containers import check_zip
from ragsvc.loading.html import read_page
from ragsvc.loading.limits import LoadingLimits

_CHINESE_CODE_PAGE = re.compile(rb"\\ansicpg(?:936|54936)\b|\\fcharset134\b")
_CHARACTERS = re.compile(rb"(\\u-?\d+ ?(?:\\'[0-9A-Fa-f]{2})+)|((?:\\'[0-9A-Fa-f]{2})+)")
_BACK_LINK = re.compile(r'<a [^>]*role="doc-backlink"[^>]*>[^<]*</a>')
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


def read_epub(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return the text of a book. Raises UnreadableFile."""
    check_zip(content, name, limits, office=False)
    return _read(content, name, limits, "epub")


def read_odt(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return the text of an OpenDocument text. Raises UnreadableFile."""
    check_zip(content, name, limits)
    return _read(content, name, limits, "odt")


def read_rtf(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return the text of a Rich Text document. Raises UnreadableFile."""
    if _CHINESE_CODE_PAGE.search(content[:8192]):
        content = _CHARACTERS.sub(_as_unicode, content)
    # Pandoc passes over destinations that are marked as new, as some programs mark footnotes.
    return _read(content.replace(rb"{\*\footnote", rb"{\footnote"), name, limits, "rtf")


def _as_unicode(found: re.Match[bytes]) -> bytes:
    """Pandoc knows no Chinese code page: bytes in one become marks of Unicode, unless they only stand in for such."""
    if found[1]:
        return found[1]
    text = bytes.fromhex(found[2].replace(rb"\'", b"").decode("ascii")).decode("gb18030", "replace")
    return "".join(f"\\u{ord(char) if ord(char) < 0x8000 else ord(char) - 0x10000}?" for char in text).encode("ascii")


def _read(content: bytes, name: str, limits: LoadingLimits, source_format: str) -> TextAssembly:
    import pypandoc  # type: ignore[import-untyped]

    command = [pypandoc.get_pandoc_path(), "--sandbox", "--standalone", "--wrap=none", "--from", source_format]
    command += ["--to", "html5"]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=limits.seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnreadableFile(name, f"was not converted within {limits.seconds:g} seconds") from error
    if done.returncode:
        complaint = done.stderr.decode("utf-8", "replace").strip()[:200]
        raise UnreadableFile(name, f"is a damaged {source_format} file: {complaint or done.returncode}")
    source = _BACK_LINK.sub("", done.stdout.decode("utf-8", "replace"))
    assembly = read_page(source)
    title = _TITLE.search(source)
    if title and title[1].strip() != "-":  # what Pandoc gives where the document has none
        assembly.title = " ".join(unescape(title[1]).split())
    return assembly
