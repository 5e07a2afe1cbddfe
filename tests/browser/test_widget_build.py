"""The widget that is shipped is the one whose source is shipped beside it."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

WIDGET = REPOSITORY / "ragsvc" / "widget"
BUILT = WIDGET / "ragsvc.js"
BESIDE_SRC = ("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")
MOST_BYTES = 40_000


def hash_of_sources() -> str:
    """As vite.config.ts makes it: over every path and text, each ended by a zero byte."""
    names = [path.relative_to(WIDGET).as_posix() for path in (WIDGET / "src").rglob("*") if path.is_file()]
    found = hashlib.sha256()
    for name in sorted([*names, *BESIDE_SRC]):
        found.update(name.encode() + b"\0" + (WIDGET / name).read_bytes() + b"\0")
    return found.hexdigest()


def test_the_built_file_names_the_sources_it_was_made_of() -> None:
    """After a change of source it has to be built again ('npm run build' in ragsvc/widget), which this tells."""
    stated = re.match(r"/\*! ragsvc widget.* Sources: ([0-9a-f]{64}) \*/\n", BUILT.read_text(encoding="utf-8"))
    assert stated is not None
    assert stated[1] == hash_of_sources()


def test_the_built_file_is_small_and_complete() -> None:
    """It is one file, imports nothing, and needs no string to be run as code or set as markup by us."""
    text = BUILT.read_text(encoding="utf-8")
    assert len(gzip.compress(text.encode())) <= MOST_BYTES
    assert not re.search(r"^\s*import\b|\bimport\(|\beval\(|new Function\b", text, re.MULTILINE)
    for path in (WIDGET / "src").rglob("*.ts"):
        assert not re.search(r"innerHTML|unsafeHTML|unsafeStatic|document\.write", path.read_text("utf-8")), path


def test_every_language_says_everything() -> None:
    """The keys of every file of words are those of the first."""
    files = [path for path in (WIDGET / "src" / "words").glob("*.ts") if path.name != "index.ts"]
    keys = {
        path.name: set(re.findall(r"(?:^  |, )(\w+): [\"(\[{]?", path.read_text("utf-8"), re.MULTILINE))
        for path in files
    }
    assert len(files) >= 2
    assert set(keys["en.ts"]) >= {"question", "ask", "abstained", "newer"}
    assert all(found == keys["en.ts"] for found in keys.values())


def test_building_again_gives_the_same_file(tmp_path: Path) -> None:
    """Where Node and the packages of the lock file are there: byte for byte."""
    if shutil.which("npx") is None or not (WIDGET / "node_modules" / "vite").is_dir():
        pytest.skip("no Node, or its packages are not installed: 'npm ci' in ragsvc/widget")
    for name in ("src", *BESIDE_SRC):
        source = WIDGET / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(WIDGET / "node_modules")
    subprocess.run(["npx", "--no-install", "vite", "build"], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    assert (tmp_path / "ragsvc.js").read_bytes() == BUILT.read_bytes()
