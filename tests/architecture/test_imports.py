"""Imports go one way, and nothing heavy is imported before it is needed."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.architecture.readme import PACKAGE, ROOT

HEAVY = ("torch", "transformers", "sentence_transformers", "faiss", "tantivy", "litestar", "langchain_core", "numpy")
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def loaded_after(program: str, names: tuple[str, ...], folder: Path) -> list[str]:
    """Run a program in a process of its own and return which of these modules it had loaded at its end."""
    ending = f"\nimport json, sys\nsys.stdout.write('\\n' + json.dumps([n for n in {names!r} if n in sys.modules]))"
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program) + ending],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    loaded: list[str] = json.loads(finished.stdout.splitlines()[-1])
    return loaded


def test_layers_and_vendors() -> None:
    """Every import contract of pyproject.toml holds."""
    command = Path(sys.executable).with_name("lint-imports")
    finished = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout[-3000:]
    assert "0 broken" in finished.stdout


def test_importing_the_package_is_cheap(tmp_path: Path) -> None:
    """``import ragsvc`` loads none of the heavy libraries."""
    assert loaded_after("import ragsvc", HEAVY, tmp_path) == []


def test_help_is_cheap(tmp_path: Path) -> None:
    """``ragsvc --help`` loads none of the heavy libraries."""
    program = """
        import sys
        from ragsvc.cli import main
        sys.argv = ["ragsvc", "--help"]
        try:
            main()
        except SystemExit as end:
            assert not end.code
    """
    assert loaded_after(program, HEAVY, tmp_path) == []


def test_serving_needs_no_torch(tmp_path: Path) -> None:
    """Ingest, search and an answer over HTTP with the shipped encoder load neither torch nor transformers."""
    program = f"""
        from pathlib import Path
        from litestar.testing import TestClient
        from ragsvc import open_service
        from ragsvc.api.app import create_app

        service = open_service("home")
        report = service.ingest([Path({str(ROOT / "corpora" / "law")!r})], "law", domain="law")
        assert report.documents == 4, report
        with TestClient(create_app(service, service.settings), base_url="http://127.0.0.1") as client:
            answer = client.post("/v1/ask", json={{"question": "押金最多收几个月", "collection": "law"}}).json()
            assert answer["citations"], answer
    """
    names = ("torch", "transformers", "sentence_transformers", "langchain_core", "litestar", "faiss")
    assert loaded_after(program, names, tmp_path) == ["litestar", "faiss"]


def test_no_pickle() -> None:
    """Nothing in the package reads or writes a format that can run code when it is opened."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            found += [f"{path.relative_to(ROOT)}: {name}" for name in names if name.partition(".")[0] in PICKLES]
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
                found.append(f"{path.relative_to(ROOT)}:{node.value.lineno}: allow_pickle")
    assert found == []
