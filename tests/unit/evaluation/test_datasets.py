from __future__ import annotations

import pytest

from ragsvc.domains.pack import find_pack
from ragsvc.evaluation.datasets import WholeDocumentChunker
from ragsvc.records import LoadedDocument


def document(title: str, text: str = "本法自公布之日起施行。") -> LoadedDocument:
    return LoadedDocument(name="1", text=text, title=title, media_type="text/plain", source_sha256="0")


@pytest.mark.parametrize(
    ("title", "work", "locator", "address"),
    [
        ("刑法第一条", "刑法", "第一条", "1"),
        ("中华人民共和国民法典第五百七十七条", "中华人民共和国民法典", "第五百七十七条", "577"),
        ("《中华人民共和国民法典》第二条", "中华人民共和国民法典", "第二条", "2"),
        (
            "关于审理民间借贷案件适用法律若干问题的规定第十六条",
            "关于审理民间借贷案件适用法律若干问题的规定",
            "第十六条",
            "16",
        ),
    ],
)
def test_a_title_that_is_an_address_is_indexed_as_one(title: str, work: str, locator: str, address: str) -> None:
    """The work is all that stands before the article, whatever its name begins with."""
    chunker = WholeDocumentChunker(find_pack("law").grammar)
    facts = chunker.describe(document(title))
    chunks = chunker.chunk(document(title), facts)
    assert facts.title == work
    assert [(chunk.kind, chunk.locator, chunk.address) for chunk in chunks] == [("article", locator, address)]


@pytest.mark.parametrize("title", ["Deposit", "", "依据民法典第五百七十七条请求赔偿的解释", "刑法第一条和第二条"])
def test_another_title_is_the_documents_own(title: str) -> None:
    """A title that only mentions an address, or several, is a title; the text is one chunk."""
    chunker = WholeDocumentChunker(find_pack("law").grammar)
    facts = chunker.describe(document(title))
    assert facts.title == title
    (chunk,) = chunker.chunk(document(title), facts)
    assert (chunk.kind, chunk.address, chunk.start, chunk.end) == ("passage", "", 0, 11)
