"""The command line over the sample corpora, called as a shell calls it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ragsvc.cli import main

CORPORA = Path(__file__).resolve().parents[2] / "corpora"


class Ended(NamedTuple):
    """How a call ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """What ``--json`` printed: stdout holds one object and nothing else."""
        return json.loads(self.stdout)


def run(*words: str | Path) -> Ended:
    """Run ``ragsvc WORDS`` in this process."""
    stdout, stderr = io.StringIO(), io.StringIO()
    argv, sys.argv = sys.argv, ["ragsvc", *map(str, words)]
    try:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    finally:
        sys.argv = argv
    return Ended(code, stdout.getvalue(), stderr.getvalue())


Cli = Callable[..., Ended]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine that runs the tests reaches the command line."""
    for name in [name for name in os.environ if name.startswith("RAGSVC_") or name == "OPENAI_API_KEY"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def new_cli(tmp_path: Path) -> Cli:
    """The command line over a home of this test alone, empty at first."""
    return lambda *words: run("--home", tmp_path / "home", *words)


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The command line over a home with the law samples, for tests that only read."""
    home = tmp_path_factory.mktemp("cli") / "home"
    ended = run("--home", home, "ingest", CORPORA / "law", "-c", "law", "--domain", "law")
    assert ended.code == 0, ended.stderr
    yield lambda *words: run("--home", home, *words)
