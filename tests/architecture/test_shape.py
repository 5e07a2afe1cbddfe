"""The size and the names of things, so that a stranger can read any file in one sitting."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.readme import PACKAGE, ROOT

MOST_MODULE_LINES = 400
MOST_FUNCTION_LINES = 60
VAGUE_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "manager", "managers", "core", "misc"}
# Written in parts, so that this file does not hold what it looks for.
MACHINE_PATHS = re.compile(r"(?<![\w/.])/(?:" + "|".join(["work", "root", "home", "Users"]) + r")/\w")


def modules() -> Iterator[tuple[Path, str]]:
    """Yield every module of the package with its text."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(ROOT), path.read_text("utf-8")


def test_modules_are_short() -> None:
    """No module is longer than 400 lines."""
    long = {str(path): lines for path, text in modules() if (lines := text.count("\n")) > MOST_MODULE_LINES}
    assert long == {}


def test_functions_are_short() -> None:
    """No function is longer than 60 lines, its docstring included."""
    long = {}
    for path, text in modules():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                lines = node.end_lineno - node.lineno + 1
                if lines > MOST_FUNCTION_LINES:
                    long[f"{path}:{node.name}"] = lines
    assert long == {}


def test_names_say_something() -> None:
    """No module or folder has a name that would fit any content."""
    vague = [str(path) for path, _ in modules() if VAGUE_NAMES & {part.removesuffix(".py") for part in path.parts}]
    assert vague == []


def test_every_module_says_what_it_is() -> None:
    """Every module and package begins with a docstring; migrations are Alembic's own form."""
    silent = [str(path) for path, text in modules() if not ast.get_docstring(ast.parse(text))]
    assert [name for name in silent if "/migrations/" not in name] == []


def test_no_path_of_one_machine() -> None:
    """No file of the repository names a folder that is on somebody's machine only."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    found = []
    for name in filter(None, listed.decode("utf-8").split("\0")):
        path = ROOT / name
        is_binary = path.suffix in (".png", ".gz", ".npy", ".safetensors") or path.name == "tokenizer.json"
        if is_binary or not path.is_file():
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if MACHINE_PATHS.search(line):
                found.append(f"{name}:{number}: {line.strip()[:80]}")
    assert found == []
