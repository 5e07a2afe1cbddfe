"""Real filings, health pages and guidelines: what is an address in them, and what their tables say of their figures."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest

from ragsvc.chunking.tiling import tiling_fault
from ragsvc.citing.cells import cells_of
from ragsvc.domains.pack import find_pack
from ragsvc.loading import ParserProcess, load_file
from ragsvc.loading.limits import DEFAULT_LIMITS
from ragsvc.records import Chunk, LoadedDocument

Read = dict[str, tuple[LoadedDocument, list[Chunk]]]


def read(folder: Path, pattern: str, domain: str, n: int | None = None) -> Read:
    chunker = find_pack(domain).chunker
    found = {}
    with ParserProcess(DEFAULT_LIMITS) as parser:
        for path in sorted(folder.rglob(pattern))[:n]:
            loaded = load_file(path, parser=parser)
            chunks = chunker.chunk(loaded, chunker.describe(loaded))
            assert tiling_fault(chunks, len(loaded.text)) is None
            found[path.name] = (loaded, chunks)
    return found


@pytest.fixture(scope="module")
def filings(shared_data: Path) -> Read:
    """Three 10-Qs with inline XBRL."""
    folder = shared_data / "corpora" / "finance_html"
    return read(folder, "10-Q_AAPL*", "finance") | read(folder, "10-Q_PG*", "finance")


def test_the_items_of_a_quarterly_report_are_addresses(filings: Read) -> None:
    """Part I Item 2 is the discussion, Part II Item 1A the risks."""
    for _, chunks in filings.values():
        keys = {chunk.address for chunk in chunks}
        assert {"p1.item2", "p2.item1a"} <= keys


def test_the_scale_of_tables_agrees_with_what_the_filing_tags(filings: Read) -> None:
    """Printed figure times scale is the tagged value in dollars, for at least 99 of 100 where a scale is stated."""
    outcome: Counter[str] = Counter()
    for loaded, chunks in filings.values():
        tables = [chunk for chunk in chunks if chunk.frame]
        for fact in loaded.facts:
            table = next((t for t in tables if t.start <= fact.start < t.end), None)
            if table is None or table.frame is None or fact.unit != "USD":
                continue
            begin = loaded.text.rfind("\n", 0, fact.start) + 1
            line = loaded.text[begin : loaded.text.find("\n", fact.end)]
            printed = loaded.text[fact.start : fact.end].strip("()$ ")
            cell = next((c for c in cells_of(line, table.frame) if printed in c.value), None)
            if cell is None or cell.scale is None:
                outcome["open"] += 1
                continue
            try:
                same = Decimal(printed.replace(",", "")) * cell.scale == abs(Decimal(fact.value))
            except InvalidOperation:
                continue
            outcome["same" if same else "different"] += 1
    assert outcome["same"] > 800
    assert outcome["different"] <= 0.01 * outcome["same"]
    assert outcome["open"] <= 0.15 * outcome["same"]


def test_health_pages_and_guidelines_are_tiled_and_have_sections(shared_data: Path) -> None:
    """Questions of NIH pages and headings of two official guidelines are addresses."""
    corpora = shared_data / "corpora"
    found = read(corpora / "medquad_xml", "*.xml", "medicine", 20) | read(corpora / "zh_pdf", "新冠*.pdf", "medicine")
    with_sections = [name for name, (_, chunks) in found.items() if any(c.address for c in chunks)]
    assert len(with_sections) >= 0.9 * len(found)
