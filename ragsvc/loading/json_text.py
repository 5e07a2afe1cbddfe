"""JSON and JSON lines as text: one line a value, with the way to it; a record of a list is a section.

Nothing is known of what the keys mean, but that a record's ``title``, ``name``, ``heading`` or ``id`` names it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ragsvc.errors import UnreadableFile
from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.limits import LoadingLimits
from ragsvc.loading.text import decode

_NAMES = ("title", "name", "heading", "标题", "名称", "id", "_id")
_MAX_DEPTH = 100


def read_json(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return the values of a JSON document, or of one a line.

    Raises:
        UnreadableFile: no JSON, or nested deeper than 100 levels.
    """
    text, warnings = decode(content, name)
    assembly = TextAssembly()
    assembly.warnings += warnings
    try:
        found = _parse(text, name)
        records = found if isinstance(found, list) else [found]
        for record in records:
            if isinstance(record, dict) and len(records) > 1:
                assembly.add("heading", _name_of(record), level=1)
            _add(assembly, list(_values(record, "", 0, name)))
    except RecursionError as error:
        raise UnreadableFile(name, f"is nested deeper than {_MAX_DEPTH} levels") from error
    return assembly


def _parse(text: str, name: str) -> Any:
    try:
        return json.loads(text, parse_float=str, parse_int=str)  # numbers as they are written
    except ValueError as error:
        whole = error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    records = []
    for number, line in lines:
        try:
            records.append(json.loads(line, parse_float=str, parse_int=str))
        except ValueError as error:
            if number == lines[0][0]:
                raise UnreadableFile(name, f"is no JSON: {whole}") from error
            raise UnreadableFile(name, f"line {number:,} is no JSON: {error}") from error
    return records


def _name_of(record: dict[str, Any]) -> str:
    by_key = {key.lower(): value for key, value in record.items()}
    return next((str(by_key[key]) for key in _NAMES if isinstance(by_key.get(key), str) and by_key[key].strip()), "")


def _values(value: Any, way: str, depth: int, name: str) -> Iterator[tuple[str, str]]:
    if depth > _MAX_DEPTH:
        raise UnreadableFile(name, f"is nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _values(inner, f"{way}.{key}" if way else key, depth + 1, name)
    elif isinstance(value, list):
        if all(isinstance(inner, str) and len(inner) < 80 for inner in value):
            yield way, ", ".join(value)
        else:
            for at, inner in enumerate(value, 1):
                yield from _values(inner, f"{way}[{at}]", depth + 1, name)
    elif value is not None:
        yield way, str(value).lower() if isinstance(value, bool) else str(value)


def _add(assembly: TextAssembly, values: list[tuple[str, str]]) -> None:
    """Short values stand together, line by line; a long one is paragraphs of its own under its key."""
    lines: list[str] = []
    for way, value in values:
        value = value.replace("\r\n", "\n").replace("\r", "\n").strip()
        line = f"{way}: {value}" if way else value
        if len(value) < 200 and "\n" not in value:
            lines.append(line)
            continue
        assembly.add("list", "\n".join(lines))
        lines = []
        for paragraph in line.split("\n\n"):
            assembly.add("paragraph", paragraph)
    assembly.add("list", "\n".join(lines))
