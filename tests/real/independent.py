"""Text of real files by programs other than the loaders under test, and how much of it a loader has."""

from __future__ import annotations

import re
import subprocess
import zipfile
from collections import Counter
from pathlib import Path

from lxml import etree, html

_WORD_RUN = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}t"
_HIDDEN = '//*[contains(translate(@style, " ", ""), "display:none")] | //title | //script | //style'


def independent_text(path: Path) -> str:
    """Text of a file by another program than the one under test."""
    if path.suffix == ".pdf":
        return without_edges(pdf_pages(path))
    if path.suffix == ".docx":
        body = etree.fromstring(zipfile.ZipFile(path).read("word/document.xml"))
        return "".join(node.text or "" for node in body.iter(_WORD_RUN))
    if path.suffix == ".html":
        page = html.fromstring(path.read_bytes())
        for hidden in page.xpath(_HIDDEN):
            hidden.drop_tree()
        return re.sub("Table of Contents", "", page.text_content(), flags=re.I)  # a link on every page, left out
    if path.suffix == ".xml":
        root = etree.parse(path).getroot()
        return "".join(found.text or "" for found in root.iter("Question", "Answer", "Focus", "Synonym"))
    return path.read_text(encoding="utf-8")


def pdf_pages(path: Path) -> list[str]:
    done = subprocess.run(["pdftotext", "-layout", "-enc", "UTF-8", str(path), "-"], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace").split("\f")


def without_edges(pages: list[str]) -> str:
    """Page numbers and running headers, which stand on many pages and are left out of the text, are no loss."""
    lines = [[line.strip() for line in page.splitlines() if line.strip()] for page in pages]
    alike = Counter(re.sub(r"\d+", "#", line) for page in lines for line in {*page[:3], *page[-3:]})
    most = max(2, len(pages) / 4)
    kept = []
    for page in lines:
        for at, line in enumerate(page):
            at_edge = at < 3 or at >= len(page) - 3
            if not (at_edge and alike[re.sub(r"\d+", "#", line)] >= most):
                kept.append(line)
    return "\n".join(kept)


def characters(text: str) -> Counter[str]:
    return Counter(re.sub(r"[\s|\u00ad\ufffe.…·]", "", text))


def lost_characters(path: Path, found: str) -> tuple[int, int]:
    """Return how many characters of the independent text ``found`` lacks, and how many there are."""
    expected = characters(independent_text(path))
    return (expected - characters(found)).total(), expected.total()
