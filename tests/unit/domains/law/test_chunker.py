"""One chunker for whatever is put into a law collection."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.chunking.tiling import tiling_fault
from ragsvc.domains.law.chunker import LawChunker
from ragsvc.records import LoadedDocument

CHUNKER = LawChunker()


def document(text: str) -> LoadedDocument:
    return LoadedDocument(name="a.txt", text=text, media_type="text/plain", source_sha256="")


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("某法\n第一条 甲。\n第二条 乙。", {"front", "article"}),
        ("某院：\n你院请示收悉。经研究，同意你院意见。", {"passage"}),
        ("Minutes of the meeting.\n\nNothing was decided.", {"passage"}),
        ("12345", {"passage"}),
    ],
)
def test_what_has_no_articles_becomes_passages(text: str, kinds: set[str]) -> None:
    """No text is refused or lost for want of articles."""
    loaded = document(text)
    chunks = CHUNKER.chunk(loaded, CHUNKER.describe(loaded))
    assert {c.kind for c in chunks} == kinds
    assert tiling_fault(chunks, len(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "部局委" * 1000,
        "第" * 50_000,
        "第一条" + "之一" * 20_000,
        "一、" * 50_000,
        "2020年1月1日 通过" * 5_000,
        "院会部" * 500 + "\n法释〔2020〕1号",
        "第一条 甲。\n" * 10_000,
        "第一条 甲。\n第二条 乙。\n" + "附件\n" * 5_000,
        "# " + "中华人民共和国最高人民法院、" * 200,
        "a b. " * 50_000,
        "Article 1\n" * 10_000,
    ],
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    """No pattern backtracks without bound: each of these takes a fraction of a second."""
    loaded = document(text)
    start = time.process_time()
    assert tiling_fault(CHUNKER.chunk(loaded, CHUNKER.describe(loaded)), len(text)) is None
    assert time.process_time() - start < 5


@given(st.text(alphabet="第一二三条章之款法本 \n\t#*（）。：、年月日0123aA.\u3000\u200b", max_size=120))
def test_no_text_makes_it_fail(text: str) -> None:
    """Any text is described and tiled."""
    loaded = document(text)
    assert tiling_fault(CHUNKER.chunk(loaded, CHUNKER.describe(loaded)), len(text)) is None
