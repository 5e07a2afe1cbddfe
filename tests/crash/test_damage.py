"""A damaged file is named and never served: from the outside, by the service and the command line."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from ragsvc.errors import IndexDamaged
from ragsvc.indexing.manifest import hash_file, read_manifest, write_manifest
from ragsvc.records import SearchRequest
from ragsvc.settings import Settings
from ragsvc.wiring import Service, open_service
from tests.conftest import REPOSITORY
from tests.crash.homes import CountingEmbedder

QUESTION = SearchRequest(question="押金最多收几个月的租金", collections=("law",))


@pytest.fixture
def path(first_home: Path, tmp_path: Path) -> Path:
    """A home of three generations that nobody has open."""
    return Path(shutil.copytree(first_home, tmp_path / "home"))


@pytest.fixture
def serve(path: Path) -> Iterator[Callable[[], Service]]:
    """``serve()`` opens the home as a process would that begins now."""
    opened: list[Service] = []

    def serve_() -> Service:
        service = open_service(Settings(home=path))  # type: ignore[call-arg]
        service.embedder = CountingEmbedder()
        opened.append(service)
        return service

    yield serve_
    for service in opened:
        service.close()


def generations(path: Path) -> list[Path]:
    """Oldest first."""
    return sorted((path / "generations").iterdir())


def index_command(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ragsvc", "--home", str(path), "index", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)


def flip_a_bit(path: Path) -> Path:
    file = generations(path)[-1] / "vectors.faiss"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    return file


def truncate(path: Path) -> Path:
    file = generations(path)[-1] / "vectors.npy"
    file.write_bytes(file.read_bytes()[:-7])
    return file


def lose(path: Path) -> Path:
    file = generations(path)[-1] / "lexical" / "meta.json"
    file.unlink()
    return file


def swap(path: Path) -> Path:
    first, *_, last = generations(path)
    one, other = (folder / "version.npy" for folder in (first, last))
    data = one.read_bytes(), other.read_bytes()
    one.write_bytes(data[1])
    other.write_bytes(data[0])
    return other


def add_a_vector(path: Path) -> Path:
    """N + 1 vectors against N rows, and a manifest that says that this is right."""
    folder = generations(path)[-1]
    file = folder / "vectors.npy"
    vectors = np.load(file)
    np.save(file, np.vstack([vectors, vectors[-1:]]))
    manifest = read_manifest(folder)
    write_manifest(folder, replace(manifest, files={**manifest.files, "vectors.npy": hash_file(file)}))
    return file


def lose_the_generation(path: Path) -> Path:
    folder = generations(path)[-1]
    shutil.rmtree(folder)
    return folder


@pytest.mark.parametrize("damage", [flip_a_bit, truncate, lose, swap])
def test_a_damaged_index_is_named_and_not_served_until_it_is_rebuilt(
    path: Path, serve: Callable[[], Service], damage: Callable[[Path], Path]
) -> None:
    """Searches, readiness and ``index verify`` name the file; a rebuild embeds nothing and answers as before."""
    expected = serve().search(QUESTION).passages
    file = damage(path)
    service = serve()
    with pytest.raises(IndexDamaged) as caught:
        service.search(QUESTION)
    assert caught.value.path == str(file)
    assert service.ready() == (False, str(caught.value))
    verified = index_command(path, "verify", "--json")
    assert verified.returncode == 1
    assert any(line.startswith(f"{file}: ") for line in json.loads(verified.stdout)["damage"])
    service.index_care.rebuild()
    assert service.search(QUESTION).passages == expected
    assert service.embedder.texts == []  # type: ignore[attr-defined]


def test_more_vectors_than_rows_are_refused(path: Path, serve: Callable[[], Service]) -> None:
    """Even with every hash in order, vectors that do not fit the rows are refused by the file's name."""
    file = add_a_vector(path)
    with pytest.raises(IndexDamaged) as caught:
        serve().search(QUESTION)
    assert caught.value.path == str(file)


def test_a_lost_generation_is_named(path: Path, serve: Callable[[], Service]) -> None:
    """A directory that is gone is damage, and an ingest writes the index anew instead of forgetting it."""
    folder = lose_the_generation(path)
    assert [item for item in serve().index_care.verify() if str(folder) in item]
    assert serve().ready()[0] is False


def test_a_damaged_generation_is_not_rolled_back_to(path: Path, serve: Callable[[], Service]) -> None:
    """The refusal names the file, and the current generation goes on serving."""
    service = serve()
    expected = service.search(QUESTION)
    file = generations(path)[-2] / "chunk.npy"
    file.write_bytes(b"")
    with pytest.raises(IndexDamaged, match=r"chunk\.npy"):
        service.index_care.rollback()
    assert service.search(QUESTION).index_generation == expected.index_generation


def test_an_intact_home_verifies(path: Path) -> None:
    """Exit code 0 and nothing in the list."""
    verified = index_command(path, "verify", "--json")
    assert (verified.returncode, json.loads(verified.stdout)) == (0, {"damage": []})


def change_a_text(file: Path) -> None:
    """A character that is not in any index of the database, so that only the text's own hash can tell."""
    file.write_bytes(file.read_bytes().replace("押金".encode(), "租金".encode()))


def cut_in_half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def overwrite_the_header(file: Path) -> None:
    file.write_bytes(b"\0" * 100 + file.read_bytes()[100:])


def overwrite_the_middle(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 4 : len(data) // 4 * 3] = b"\xff" * (len(data) // 4 * 2)
    file.write_bytes(data)


@pytest.mark.parametrize("damage", [change_a_text, cut_in_half, overwrite_the_header, overwrite_the_middle])
def test_a_damaged_catalogue_is_named(path: Path, damage: Callable[[Path], None]) -> None:
    """``index verify`` fails with the catalogue's path and without a traceback; a text is checked by its hash."""
    file = path / "catalogue.sqlite"
    damage(file)
    verified = index_command(path, "verify")
    assert verified.returncode == 1
    assert str(file) in verified.stdout + verified.stderr
    assert "Traceback" not in verified.stderr


def test_a_damaged_page_is_an_error_that_names_the_catalogue(path: Path, serve: Callable[[], Service]) -> None:
    """What SQLite finds broken while it reads is IndexDamaged, not an error of the driver."""
    service = serve()
    service.database.close()
    with sqlite3.connect(path / "catalogue.sqlite") as connection:
        page, size = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'works'").fetchone()[0], 4096
    connection.close()
    with (path / "catalogue.sqlite").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with pytest.raises(IndexDamaged, match=r"catalogue\.sqlite"):
        serve().search(QUESTION)
