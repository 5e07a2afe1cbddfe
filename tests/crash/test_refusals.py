"""What cannot go in is refused by name, and leaves everything as it was."""

from __future__ import annotations

import pickletools
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from ragsvc.domains.pack import find_pack
from ragsvc.errors import IndexMismatch, RagsvcError
from ragsvc.protocols import FloatArray
from tests.conftest import REPOSITORY
from tests.crash.homes import CYCLES, LEASE_2018, LEASE_2024, PRIVACY, CountingEmbedder, Home, go_on

OpenHome = Callable[..., Home]


@pytest.fixture
def home(open_home: OpenHome) -> Home:
    """A home with one law in it."""
    home = open_home()
    home.ingest(LEASE_2018)
    return home


# Limits in bytes on the length of a file, from when a generation is written: below the length of a copied segment
# list, a tantivy file, an array, the faiss file, and the catalogue's log at the commit.
@pytest.mark.parametrize("limit", [0, 2_000, 9_000, 14_000, 40_000])
def test_a_full_disk_is_a_clear_error_and_the_old_state(home: Home, open_home: OpenHome, limit: int) -> None:
    """Wherever the disk is full, the error says so in one line, nothing is left, and the same ingest works later."""
    before = home.state()
    home.close()
    script = f"""
        import resource
        from pathlib import Path
        from ragsvc.errors import RagsvcError
        from tests.crash.homes import Home, CYCLES, PRIVACY
        home = Home(Path({str(home.path)!r}))
        write = home.generations.write
        def write_on_a_full_disk(*args):
            resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
            return write(*args)
        home.generations.write = write_on_a_full_disk
        try:
            home.ingest(CYCLES, PRIVACY)
        except RagsvcError as error:
            raise SystemExit(f"refused: {{error}}")
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    child = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert child.returncode == 1
    assert child.stderr.startswith(f"refused: {'index generation ' if limit < 40_000 else ''}{home.path}")
    assert "disk has room" in child.stderr
    again = open_home()
    assert again.damage() == []
    assert again.state() == before
    assert again.ingest(CYCLES, PRIVACY).documents == 2
    assert again.generations.list_generations() == again.generation_ids()[::-1]


def test_a_disk_that_is_full_from_the_start(home: Home, open_home: OpenHome) -> None:
    """Not a byte can be written: the catalogue is named."""
    before = home.state()
    home.close()
    script = f"""
        import resource
        from pathlib import Path
        from ragsvc.errors import RagsvcError
        from tests.crash.homes import Home, CYCLES
        home = Home(Path({str(home.path)!r}))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        try:
            home.ingest(CYCLES)
        except RagsvcError as error:
            raise SystemExit(f"refused: {{error}}")
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    child = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert child.stderr.startswith(f"refused: {home.path / 'catalogue.sqlite'} cannot be used")
    assert open_home().state() == before


def test_another_embedder_is_refused_before_it_embeds(home: Home, open_home: OpenHome) -> None:
    """Both embedders are named, by ingest and by search, and the home is as it was."""

    class Other(CountingEmbedder):
        embedder_id = "other-256"

    before = home.state()
    other = open_home(home.path, embedder=Other())
    with pytest.raises(IndexMismatch, match=r"'words-256'.*'other-256'.*index rebuild"):
        other.ingest(CYCLES)
    assert other.embedder.texts == []
    with pytest.raises(IndexMismatch, match=r"'words-256'.*'other-256'"):
        other.answers()
    assert home.state() == before


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_no_numbers_are_refused(home: Home, open_home: OpenHome, value: float) -> None:
    """One NaN or infinity among the vectors: the embedder is named and nothing goes in."""

    class Broken(CountingEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> FloatArray:
            vectors = super().embed_passages(texts)
            vectors[-1, 3] = value
            return vectors

    before = home.state()
    with pytest.raises(RagsvcError, match=r"'words-256' gave vectors that are not finite"):
        open_home(home.path, embedder=Broken()).ingest(CYCLES)
    assert home.state() == before
    home.ingest(CYCLES)
    assert home.damage() == []


def test_duplicates_cost_nothing(home: Home, tmp_path: Path) -> None:
    """The same bytes under other names, twice in one call and again in the next: one document, embedded once."""
    home.embedder.texts.clear()
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_bytes(CYCLES.read_bytes())
    first = home.ingest(tmp_path / "a.md", tmp_path / "b.md", CYCLES)
    assert (first.documents, first.unchanged) == (3, 2)
    assert first.embedded == len(home.embedder.texts) == len(set(home.embedder.texts))
    state = home.state()
    again = home.ingest(tmp_path / "b.md")
    assert (again.documents, again.unchanged, again.embedded, again.chunks) == (1, 1, 0, 0)
    assert home.state() == state


def test_one_amended_article_is_one_embedding(home: Home, tmp_path: Path) -> None:
    """Only what changed is embedded."""
    home.embedder.texts.clear()
    amended = tmp_path / "amended.md"
    amended.write_text(LEASE_2018.read_text().replace("不得超过两个月的租金", "不得超过半个月的租金"))
    assert home.ingest(amended).embedded == 1
    assert "半个月" in home.embedder.texts[0]


def test_empty_and_unreadable_files_are_left_out_each_by_its_name(home: Home, tmp_path: Path) -> None:
    """Empty, blank and broken files, and their copies, are quarantined; none of them counts as a document."""
    before = home.state()
    for name, data in (
        ("empty", b""),
        ("blank", b" \n\t\n"),
        ("copy", b" \n\t\n"),
        ("broken", b"\x00\xff\xfe\x00" * 9),
    ):
        (tmp_path / f"{name}.txt").write_bytes(data)
    report = home.ingest(*tmp_path.glob("*.txt"))
    assert {bad.path for bad in report.quarantined} == {"empty.txt", "blank.txt", "copy.txt", "broken.txt"}
    assert report.documents == 0
    assert home.state() == before


def test_nothing_of_an_ingest_shows_before_its_commit(home: Home) -> None:
    """Cancelled at the last moment, it changed no date, no name, no collection, no work; not cancelled, all at once."""
    before = home.state()
    seen = []

    def cancel_at_the_end(done: int, total: int, _name: str) -> bool:
        seen.append(home.state() == before)
        return done < total - 1

    day = date(2021, 5, 1)
    paths = LEASE_2018, PRIVACY, LEASE_2024  # the first is there already: only its date would change
    assert home.ingest(*paths, effective_from=day, progress=cancel_at_the_end).cancelled
    fields = {"collection": "new", "pack": find_pack("general"), "progress": cancel_at_the_end}
    assert home.ingest(PRIVACY, CYCLES, **fields).cancelled
    assert all(seen)
    assert home.state() == before
    assert [collection.name for collection in home.inventory.collections()] == ["law"]
    home.ingest(LEASE_2018, effective_from=day, progress=go_on)
    [document] = home.inventory.documents("law")
    assert (document.effective_from, document.validity_source) == (day, "given")
    home.ingest(PRIVACY, collection="new", pack=find_pack("medicine"))
    assert {c.name: c.domain for c in home.inventory.collections()} == {"law": "law", "new": "medicine"}


def test_no_file_of_a_home_is_a_pickle(home: Home) -> None:
    """No file ends in .pkl or can be read as a pickle, and every array loads with pickles forbidden."""
    home.ingest(CYCLES)
    files = [path for path in home.path.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        assert path.suffix not in (".pkl", ".pickle", ".joblib")
        with pytest.raises(ValueError, match=r".*"):
            list(pickletools.genops(path.read_bytes()))
        if path.suffix == ".npy":
            np.load(path, allow_pickle=False)
