"""The parts of the README that follow from the code. ``python -m tests.architecture.readme`` writes them anew."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import Any

from pydantic import SecretStr
from typer.main import get_command

from ragsvc.cli.app import app
from ragsvc.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PACKAGE = ROOT / "ragsvc"


def summary_of(path: Path) -> str:
    """Return the first sentence of a module's docstring, without its full stop and literal marks."""
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    paragraph = " ".join(docstring.partition("\n\n")[0].split())
    return re.split(r"(?<=\w)\.\s", paragraph)[0].rstrip(".").replace("``", "")


def tree() -> str:
    """Return one line for each part of the package, in the order in which they may import each other, lowest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    names = [name.strip(" ()") for layer in reversed(layers) for name in layer.split("|")]
    parts = {path.name.removesuffix(".py"): path for path in PACKAGE.iterdir() if _is_part(path)}
    lines = ["```", "ragsvc/"]
    for name in [name for name in names if name in parts] + sorted(set(parts) - set(names)):
        path = parts[name]
        label, module = (f"{name}/", path / "__init__.py") if path.is_dir() else (path.name, path)
        lines.append(f"  {label:<17} {summary_of(module)}")
    return "\n".join([*lines, "```"])


def _is_part(path: Path) -> bool:
    return (path / "__init__.py").exists() or (path.suffix == ".py" and not path.name.startswith("__"))


def settings_table() -> str:
    """Return a row for each setting: its name, its environment variable, its default, what it says of itself."""
    rows = ["| setting | variable | default | what it is |", "| --- | --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `{name}` | `RAGSVC_{name.upper()}` | {_default(field.default)} | {field.description} |")
    return "\n".join(rows)


def _default(value: object) -> str:
    shown = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(shown, bool):
        return f"`{str(shown).lower()}`"
    if isinstance(shown, PurePath):
        shown = shown.as_posix()
    return f"`{shown}`" if shown not in ("", ()) else "(empty)"


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, with the words that call it."""
    yield from _commands_of(get_command(app), "ragsvc")


def _commands_of(command: Any, words: str) -> Iterator[tuple[str, Any]]:
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        yield words, command
    else:
        for name, subcommand in subcommands.items():
            yield from _commands_of(subcommand, f"{words} {name}")


def commands_table() -> str:
    """Return a row for each command: how it is called and the first paragraph of its help."""
    rows = ["| command | what it does |", "| --- | --- |"]
    for words, command in commands():
        arguments = [p.name.upper() for p in command.params if p.param_type_name == "argument"]
        summary = " ".join((command.help or "").partition("\n\n")[0].split())
        rows.append(f"| `{' '.join([words, *arguments])}` | {summary} |")
    return "\n".join(rows)


PARTS: dict[str, Callable[[], str]] = {"tree": tree, "settings": settings_table, "commands": commands_table}


def with_generated(text: str) -> str:
    """Return the README's text with what stands between ``<!-- NAME -->`` and ``<!-- /NAME -->`` generated anew.

    Raises:
        ValueError: a pair of marks is missing.
    """
    for name, generate in PARTS.items():
        begin, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
        before, found, rest = text.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found and found_end):
            raise ValueError(f"README.md lacks the marks <!-- {name} --> and <!-- /{name} -->")
        text = f"{before}{begin}{generate()}{end}{after}"
    return text


if __name__ == "__main__":
    README.write_text(with_generated(README.read_text("utf-8")), "utf-8")
