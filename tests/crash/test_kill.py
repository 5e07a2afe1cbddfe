"""A process that is killed while it ingests leaves the old state or the new one."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ragsvc.store import identity
from ragsvc.store.schema import vectors
from tests.conftest import REPOSITORY
from tests.crash.homes import Home

MIN_STEPS = 12


def run(home: Path, texts: Path, last: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.crash.killed_ingest", str(home), str(texts), str(last)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)


def stored_keys(home: Home) -> set[bytes]:
    with home.database.read() as connection:
        return set(connection.execute(vectors.select().with_only_columns(vectors.c.embedding_key)).scalars())


def state_of(path: Path) -> object:
    home = Home(path)
    assert home.damage() == []
    found = home.state()
    home.close()
    return found


class Kills:
    """Kills an ingest at each of its steps and looks at what is left."""

    def __init__(self, first: Path, texts: Path, folder: Path) -> None:
        self.first, self.texts, self.folder = first, texts, folder
        self.old = state_of(self.copy("old"))
        undisturbed = run(self.copy("new"), texts, 0)
        assert undisturbed.returncode == 0, undisturbed.stderr
        self.steps: list[str] = json.loads(undisturbed.stdout)
        self.new = state_of(folder / "new")

    def chosen(self) -> list[int]:
        """Every step; of calls that do the same to one more file of the same folder, the first and the last."""
        same = [re.sub(r"/[^/ ]+$", "/", what) for what in self.steps]
        first = {what: number for number, what in reversed(list(enumerate(same, start=1)))}
        last = {what: number for number, what in enumerate(same, start=1)}
        return sorted({*first.values(), *last.values()})

    def copy(self, name: str) -> Path:
        return Path(shutil.copytree(self.first, self.folder / name))

    def wrong_after(self, step: int) -> list[str]:
        """Kill at this step (counted from 1); return what is wrong then and after running the ingest again."""
        path = self.copy(f"killed-{step}")
        killed = run(path, self.texts, step)
        wrong = []
        if killed.returncode != -signal.SIGKILL:
            return [f"exit status {killed.returncode}, not SIGKILL: {killed.stderr[-300:]}"]
        home = Home(path)
        wrong += [f"after the kill: {line}" for line in home.damage()]
        if home.state() not in (self.old, self.new):
            wrong.append("neither the old state nor the new one")
        kept = stored_keys(home)
        home.ingest(self.texts)
        if any(identity.embedding_key(home.embedder.embedder_id, text) in kept for text in home.embedder.texts):
            wrong.append("a stored vector was computed again")
        wrong += [f"run again: {line}" for line in home.damage()]
        if home.state() != self.new:
            wrong.append("run again, it is another state than undisturbed")
        on_disk = sorted(p.name for p in (path / "generations").iterdir())
        if on_disk != sorted(home.generation_ids()):
            wrong.append(f"left on the disk: {on_disk}, known: {home.generation_ids()}")
        home.close()
        if not wrong:
            shutil.rmtree(path)
        return wrong


@pytest.fixture(scope="module")
def kills(first_home: Path, second_texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Kills:
    return Kills(first_home, second_texts, tmp_path_factory.mktemp("kills"))


def test_the_steps_are_what_an_ingest_does(kills: Kills) -> None:
    """The list holds every kind of write: the catalogue, links, columns, faiss, tantivy, manifest, rename, sweep."""
    assert len(kills.steps) >= MIN_STEPS
    for kind in ("COMMIT", "link", "save", "write", "tantivy commit", "fsync", "rename", "mkdir", "unlink", "lock"):
        assert any(kind in what for what in kills.steps), kind
    assert kills.old != kills.new


def test_killed_at_any_step_it_is_the_old_state_or_the_new_one(kills: Kills) -> None:
    """After SIGKILL at each write step nothing is damaged or mixed, and the same ingest again ends as undisturbed."""
    numbers = kills.chosen()
    with ThreadPoolExecutor(2) as pool:
        found = zip(numbers, pool.map(kills.wrong_after, numbers), strict=True)
        wrong = [f"{number} {kills.steps[number - 1]}: {line}" for number, lines in found for line in lines]
    assert wrong == []
