"""unstructured's elements as blocks, and unstructured kept from the network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ragsvc.loading.assembly import TextAssembly

if TYPE_CHECKING:
    from spacy.language import Language
    from unstructured.documents.elements import Element

_SENTENCE_ENDS = ["。", "！", "？", "；", ".", "!", "?", ";"]


def stay_offline() -> None:
    """Keep unstructured from downloading an English model at run time; call before each use.

    What it decides with it (prose or heading by parts of speech) is not used here, so a rule that ends sentences is
    enough. The function replaced is private: hence the exact version in pyproject.toml.
    """
    import unstructured.nlp.tokenize as tokenize

    tokenize._load_spacy_model = _blank_pipeline


def _blank_pipeline() -> Language:
    import spacy

    pipeline = spacy.blank("xx")
    pipeline.add_pipe("sentencizer", config={"punct_chars": _SENTENCE_ENDS})
    return pipeline


def add_elements(assembly: TextAssembly, elements: Iterable[Element], *, max_level: int = 9) -> None:
    """Append elements in order, with the page (or slide) that unstructured knows.

    Titles deeper than ``max_level`` are text: on a slide they are the levels of its list.
    """
    for element in elements:
        depth, page = element.metadata.category_depth, element.metadata.page_number
        if element.category == "Table":
            assembly.add_table(_rows(element), page=page)
        elif element.category == "Title" and depth is not None and depth < max_level:
            assembly.add("heading", element.text, level=depth + 1, page=page)
        elif element.category == "ListItem":
            assembly.add("list", element.text, page=page)
        elif element.category not in ("Image", "PageBreak"):  # an image's text is a file name
            assembly.add("paragraph", element.text, page=page)


def _rows(element: Element) -> list[list[str]]:
    """Rows of a table. Empty cells go: pages use them as spacing, so they do not keep columns in line anyway."""
    from lxml.html import fragment_fromstring

    markup = element.metadata.text_as_html
    if not markup:
        return [[element.text]]
    rows = fragment_fromstring(markup).iter("tr")
    return [[text for cell in row if (text := cell.text_content().strip())] for row in rows]
