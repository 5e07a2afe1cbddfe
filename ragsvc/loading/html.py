"""HTML: EUR-Lex acts (``eurlex.py``) and SEC filings (``filings.py``) by their marks, all else by unstructured."""

from __future__ import annotations

import codecs
import re
from html import unescape

from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.elements import add_elements, stay_offline
from ragsvc.loading.eurlex import is_eurlex, read_eurlex
from ragsvc.loading.filings import is_filing, read_filing
from ragsvc.loading.limits import LoadingLimits
from ragsvc.loading.text import decode

_DECLARED = re.compile(rb"charset\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_HEADER_BYTES = 4096


def read_html(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return the text of a web page as a browser shows it: headings, paragraphs, list items, tables.

    Raises:
        UnreadableFile: binary or undecodable.
    """
    source, warnings = _decode(content, name)
    if is_eurlex(source):
        assembly = read_eurlex(source)
    else:
        assembly = read_filing(source) if is_filing(source) else read_page(source)
    assembly.warnings += warnings
    if not assembly.title and (title := _TITLE.search(source)):
        assembly.title = " ".join(unescape(title[1]).split())
    return assembly


def _decode(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    declared = _DECLARED.search(content[:_HEADER_BYTES])
    if declared and not content.startswith(codecs.BOM_UTF8):  # the mark is stronger than what the page says
        encoding = declared[1].decode("ascii").lower()
        try:
            return content.decode("gb18030" if encoding in ("gb2312", "gbk") else encoding), ()
        except (LookupError, UnicodeDecodeError):
            text, warnings = decode(content, name)
            return text, (*warnings, f"says that it is {encoding}, which it is not")
    return decode(content, name)


def read_page(source: str) -> TextAssembly:
    """Return the headings, paragraphs, list items and tables of a page, by unstructured."""
    stay_offline()
    from unstructured.partition.html import partition_html

    assembly = TextAssembly()
    add_elements(assembly, partition_html(text=source))
    return assembly
