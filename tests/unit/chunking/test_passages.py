"""What is embedded for a chunk, and the check that leaves tile."""

from __future__ import annotations

from datetime import date

from ragsvc.chunking.passages import context_of, embedded_texts
from ragsvc.chunking.tiling import tiling_fault
from ragsvc.records import Chunk, DocumentFacts
from tests.doubles import WordEmbedder

FACTS = DocumentFacts(
    title="中华人民共和国民法典", part="合同编", promulgated=date(2020, 5, 28), number="主席令第四十五号"
)


def test_title_part_and_headings_stand_before_the_text() -> None:
    """A part that opens the heading path is written once."""
    chunk = Chunk(kind="article", start=0, end=9, heading_path=("合同编", "第一章 一般规定"))
    expected = "中华人民共和国民法典 合同编 第一章 一般规定\n第五百条 甲。"
    assert embedded_texts(FACTS, chunk, "第五百条 甲。\n\n", WordEmbedder()) == [expected]


def test_no_date_or_number_is_embedded() -> None:
    """Two versions of an unchanged article give the same text, so it is embedded once."""
    chunk = Chunk(kind="article", start=0, end=2)
    later = DocumentFacts(title=FACTS.title, part=FACTS.part, effective_from=date(2030, 1, 1), number="主席令第一号")
    embedder = WordEmbedder()
    assert embedded_texts(FACTS, chunk, "甲", embedder) == embedded_texts(later, chunk, "甲", embedder)
    assert context_of(FACTS, chunk) == "中华人民共和国民法典 合同编"


def test_tiling_faults_are_told() -> None:
    """Gaps, overlaps, empty leaves, short ends and leaves outside their parent are each found."""

    def leaf(start: int, end: int, parent: int | None = None) -> Chunk:
        return Chunk(kind="passage", start=start, end=end, parent=parent)

    parent = Chunk(kind="article", start=0, end=2, is_leaf=False)
    assert tiling_fault([leaf(0, 2), leaf(2, 5)], 5) is None
    assert tiling_fault([parent, leaf(0, 1, 0), leaf(1, 2, 0)], 2) is None
    assert "starts at 3" in (tiling_fault([leaf(0, 2), leaf(3, 5)], 5) or "")
    assert "starts at 1" in (tiling_fault([leaf(0, 2), leaf(1, 5)], 5) or "")
    assert "is empty" in (tiling_fault([leaf(0, 0)], 0) or "")
    assert "end at 2" in (tiling_fault([leaf(0, 2)], 5) or "")
    assert "not inside its parent" in (tiling_fault([parent, leaf(0, 3, 0)], 3) or "")
