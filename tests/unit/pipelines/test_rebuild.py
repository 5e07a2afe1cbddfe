"""Another encoder: embedded beside the old vectors, then switched to; the way back stays open."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ragsvc.embedding import DEFAULT_EMBEDDER, shipped_embedders
from ragsvc.errors import IndexMismatch
from ragsvc.records import SearchRequest
from ragsvc.settings import Settings
from ragsvc.wiring import Service, open_service

LAW = Path(__file__).resolve().parents[3] / "corpora" / "law"
ASKED = SearchRequest(question="押金什么时候退还", collections=("law",), k=3)


def found(service: Service) -> list[tuple[str, str]]:
    return [(passage.chunk_id, passage.text) for passage in service.search(ASKED).passages]


def test_another_embedder_is_built_beside_and_switched_to(tmp_path: Path) -> None:
    """Until the rebuild the home refuses the other encoder by name; after it, the first one; rollback undoes it."""
    other = tmp_path / "other-encoder"
    shutil.copytree(shipped_embedders()[DEFAULT_EMBEDDER], other)
    first = open_service(Settings(home=tmp_path / "home"))
    first.ingest([LAW], "law", domain="law")
    before = found(first)
    second = open_service(Settings(home=tmp_path / "home", embedder=str(other)))
    with pytest.raises(IndexMismatch, match="index rebuild --embedder"):
        second.search(ASKED)
    with pytest.raises(IndexMismatch, match="index rebuild --embedder"):
        second.ingest([LAW.parent / "medicine"], "medicine", domain="medicine")
    second.index_care.rebuild()
    assert before == found(second)
    with pytest.raises(IndexMismatch):
        first.search(ASKED)
    first.index_care.rollback()
    assert before == found(first)
    assert second.index_care.verify() == []
    for service in (first, second):
        service.close()
