"""HTML: EUR-Lex acts by their own marks (``eurlex.py``), every other page by unstructured."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from ragsvc.loading.assembly import TextAssembly, table_text
from ragsvc.loading.eurlex import is_eurlex, read_eurlex
from ragsvc.loading.limits import LoadingLimits
from ragsvc.loading.text import decode

if TYPE_CHECKING:
    from spacy.language import Language
    from unstructured.documents.elements import Element

_DECLARED = re.compile(rb"charset\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_SENTENCE_ENDS = ["。", "！", "？", "；", ".", "!", "?", ";"]
_HEADER_BYTES = 4096


def read_html(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return the text of a web page as a browser shows it: headings, paragraphs, list items, tables.

    Raises:
        UnreadableFile: binary or undecodable.
    """
    source, warnings = _decode(content, name)
    assembly = read_eurlex(source) if is_eurlex(source) else _read_page(source)
    assembly.warnings += warnings
    if not assembly.title and (title := _TITLE.search(source)):
        assembly.title = " ".join(unescape(title[1]).split())
    return assembly


def _decode(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    declared = _DECLARED.search(content[:_HEADER_BYTES])
    if declared:
        encoding = declared[1].decode("ascii").lower()
        try:
            return content.decode("gb18030" if encoding in ("gb2312", "gbk") else encoding), ()
        except (LookupError, UnicodeDecodeError):
            text, warnings = decode(content, name)
            return text, (*warnings, f"says that it is {encoding}, which it is not")
    return decode(content, name)


def _read_page(source: str) -> TextAssembly:
    assembly = TextAssembly()
    for element in _partition(source):
        depth = element.metadata.category_depth
        if element.category == "Table":
            assembly.add("table", _table(element))
        elif element.category == "Title" and depth is not None:
            assembly.add("heading", element.text, level=depth + 1)
        elif element.category == "ListItem":
            assembly.add("list", element.text)
        elif element.category != "Image":  # its text is a file name
            assembly.add("paragraph", element.text)
    return assembly


def _table(element: Element) -> str:
    """Rows of a table. Empty cells go: pages use them as spacing, so they do not keep columns in line anyway."""
    from lxml.html import fragment_fromstring

    markup = element.metadata.text_as_html
    if not markup:
        return element.text
    rows = fragment_fromstring(markup).iter("tr")
    return table_text([[text for cell in row if (text := cell.text_content().strip())] for row in rows])


def _partition(source: str) -> list[Element]:
    import unstructured.nlp.tokenize as tokenize
    from unstructured.partition.html import partition_html

    # unstructured wants an English model that it downloads at run time. What it decides with it (prose or heading by
    # parts of speech) is not used here, so a rule that ends sentences is enough. Private: hence the exact version.
    tokenize._load_spacy_model = _blank_pipeline
    return partition_html(text=source)


def _blank_pipeline() -> Language:
    import spacy

    pipeline = spacy.blank("xx")
    pipeline.add_pipe("sentencizer", config={"punct_chars": _SENTENCE_ENDS})
    return pipeline
