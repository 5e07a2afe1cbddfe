from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from ragsvc.indexing import GenerationContents, write_generation
from ragsvc.store.index_contents import Columns, IndexedText

DIM = 32
WORDS = [
    "合同",
    "违约",
    "责任",
    "租赁",
    "房屋",
    "押金",
    "离婚",
    "抚养",
    "工伤",
    "赔偿",
    "劳动",
    "解除",
    "公司",
    "股东",
    "借款",
    "利息",
    "担保",
    "交通",
    "事故",
    "保险",
]


def make_text(chunk: int) -> IndexedText:
    """A chunk whose words follow from its number: version = chunk // 10, collection = version % 3."""
    random = np.random.default_rng(chunk)
    version = chunk // 10
    return IndexedText(
        chunk=chunk,
        version=version,
        collection=version % 3,
        title=f"法律{version} Act",
        heading=f"第{version}章",
        text="，".join(random.choice(WORDS, 12)) + f"。编号{chunk} item{chunk}",
    )


def make_vectors(chunks: Sequence[int], windows: int = 1) -> np.ndarray:
    """Unit vectors, float16, that follow from the chunks' numbers."""
    rows = [np.random.default_rng([chunk, w]).normal(size=DIM) for chunk in chunks for w in range(windows)]
    vectors = np.array(rows).reshape(-1, DIM)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("<f2")


def make_contents(
    chunks: Sequence[int],
    added: Sequence[int] | None = None,
    removed_versions: Sequence[int] = (),
    windows: int = 1,
    faiss_index: str = "Flat",
) -> GenerationContents:
    """Contents of a generation with these chunks; ``added`` None = all of them."""
    texts = [make_text(chunk) for chunk in chunks]
    columns = Columns(
        chunk=np.array([text.chunk for text in texts], np.int64),
        version=np.array([text.version for text in texts], np.int32),
        collection=np.array([text.collection for text in texts], np.int32),
        vectors=make_vectors(chunks, windows),
        vector_position=np.repeat(np.arange(len(texts)), windows),
    )
    return GenerationContents(
        columns=columns,
        added=texts if added is None else [make_text(chunk) for chunk in added],
        removed_versions=removed_versions,
        embedder_id="test",
        change_number=1,
        faiss_index=faiss_index,
    )


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """``write("g1", contents, previous=path)`` writes a generation and returns its directory."""

    def write_(name: str, contents: GenerationContents, previous: Path | None = None) -> Path:
        write_generation(tmp_path / name, previous=previous, contents=contents)
        return tmp_path / name

    return write_
