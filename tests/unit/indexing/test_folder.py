from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ragsvc.errors import IndexMismatch, NotFound
from ragsvc.indexing import GenerationFolder
from ragsvc.records import IndexFilter
from ragsvc.store.index_contents import Columns, IndexedText
from tests.unit.indexing.conftest import DIM, make_contents, make_text

ALL = IndexFilter(frozenset({0, 1, 2}), frozenset())


class Contents:
    """What the catalogue would give: these chunks, of which the last ``staged`` are new."""

    embedder_id = "test"

    def __init__(self, chunks: range | list[int], staged: int) -> None:
        self.chunks = list(chunks)
        self.staged = self.chunks[len(self.chunks) - staged :]
        self.asked_for_all = False

    def columns(self) -> Columns:
        return make_contents(self.chunks).columns

    def texts(self, *, staged_only: bool) -> Iterator[IndexedText]:
        self.asked_for_all = not staged_only
        return map(make_text, self.staged if staged_only else self.chunks)


@pytest.fixture
def folder(tmp_path: Path) -> GenerationFolder:
    return GenerationFolder(tmp_path / "generations")


def test_a_generation_builds_on_the_previous_one(folder: GenerationFolder) -> None:
    """Only staged texts are read again, versions that left the catalogue are dropped, and all is found."""
    assert folder.write("g1", None, Contents(range(50), 50), 1) == 50
    contents = Contents(range(10, 60), 10)
    assert folder.write("g2", "g1", contents, 2) == 50
    assert not contents.asked_for_all
    hits = folder.open("g2", "test").search_lexical("法律", 100, ALL)
    assert {hit.chunk for hit in hits} == set(range(10, 60))


@pytest.mark.parametrize("cause", ["damaged", "missing", "many deleted"])
def test_a_previous_generation_that_cannot_be_built_on_is_left_aside(
    folder: GenerationFolder, tmp_path: Path, cause: str
) -> None:
    """A damaged, lost or worn previous generation does not spoil the next: that one is written from all texts."""
    folder.write("g1", None, Contents(range(100), 100), 1)
    if cause == "damaged":
        path = next((tmp_path / "generations/g1/lexical").glob("*.idx"))
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    kept: range | list[int] = range(100)
    previous = {"damaged": "g1", "missing": "g0", "many deleted": "g2"}[cause]
    if cause == "many deleted":
        kept = range(30, 100)
        folder.write("g2", "g1", Contents(kept, 0), 2)
    contents = Contents(kept, 10)
    folder.write("g3", previous, contents, 3)
    assert contents.asked_for_all
    assert folder.verify(["g3"]) == []
    assert len(folder.open("g3", "test").search_lexical("法律", 200, ALL)) == len(kept)


def test_a_sweep_keeps_what_is_known_and_removes_leftovers(folder: GenerationFolder, tmp_path: Path) -> None:
    """Those that the catalogue knows stay; others, and what a killed writer left, go."""
    for name in ("g1", "g2", "g3", "g4", "orphan"):
        folder.write(name, None, Contents(range(10), 10), 1)
    (tmp_path / "generations/.building-g9/lexical").mkdir(parents=True)
    folder.sweep(["g4", "g3", "g2"])
    assert folder.list_generations() == ["g2", "g3", "g4"]
    assert sorted(path.name for path in (tmp_path / "generations").iterdir()) == ["g2", "g3", "g4"]


def test_a_sweep_leaves_what_a_reader_holds(folder: GenerationFolder) -> None:
    """A generation stays for as long as someone in this process can search it, and goes after that."""
    names = ["g4", "g3", "g2", "g1"]
    for name in names:
        folder.write(name, None, Contents(range(10), 10), 1)
    reader = folder.open("g1", "test")
    folder.open("g4", "test")
    folder.sweep(names[:3])
    assert folder.list_generations() == names[::-1]
    assert reader.search_lexical("法律", 20, ALL)
    del reader
    gc.collect()
    folder.sweep(names[:3])
    assert folder.list_generations() == names[2::-1]


def test_a_sweep_leaves_what_another_process_holds(folder: GenerationFolder, tmp_path: Path) -> None:
    """A reader in another process keeps its generation alive until it dies."""
    names = ["g4", "g3", "g2", "g1"]
    for name in names:
        folder.write(name, None, Contents(range(10), 10), 1)
    code = (
        "import pathlib, sys; from ragsvc.indexing import open_generation;"
        "held = open_generation(pathlib.Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "generations/g1")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        folder.sweep(names[:3])
        assert folder.list_generations() == names[::-1]
        process.kill()
    folder.sweep(names[:3])
    assert folder.list_generations() == names[2::-1]


def test_open_gives_the_same_generation_again(folder: GenerationFolder) -> None:
    """A second request for the current generation costs nothing."""
    folder.write("g1", None, Contents(range(10), 10), 1)
    assert folder.open("g1", "test") is folder.open("g1", "test")


def test_another_embedder_is_refused(folder: GenerationFolder) -> None:
    """Vectors of one embedder are never searched with queries of another; the error names both."""
    folder.write("g1", None, Contents(range(10), 10), 1)
    with pytest.raises(IndexMismatch, match=r"'test'.*'other'.*index rebuild"):
        folder.open("g1", "other")


def test_a_swept_generation_is_not_found(folder: GenerationFolder) -> None:
    """Opening what is gone says so."""
    folder.write("g1", None, Contents(range(10), 10), 1)
    folder.sweep([])
    with pytest.raises(NotFound):
        folder.open("g1", "test")


def test_verify_names_the_generation_and_file(folder: GenerationFolder, tmp_path: Path) -> None:
    """Each damaged file of each generation is listed."""
    for name in ("g1", "g2"):
        folder.write(name, None, Contents(range(10), 10), 1)
    path = tmp_path / "generations/g2/chunk.npy"
    np.save(path, np.arange(DIM))
    assert [error.path for error in folder.verify(["g1", "g2"])] == [str(path)]
