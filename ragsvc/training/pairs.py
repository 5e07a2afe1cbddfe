"""Reads pair files into texts."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ragsvc.errors import InvalidInput
from ragsvc.training.config import Join, PairFile

_SENTENCE = re.compile(r"(?<=[。！？；!?;])|(?<=[.])\s+|\n+")
_MIN_SENTENCE = 6
"""Characters; shorter pieces are marks of enumeration."""


class Pair(NamedTuple):
    """A question, a passage that answers it, and (for ``cosent``) how near they are."""

    query: str
    passage: str
    score: float = 1.0


def read_pairs(file: PairFile, data: Path, seed: int) -> list[Pair]:
    """Return the pairs of a file, in its order; rows with an empty text are left out.

    Raises:
        InvalidInput: the file is missing or damaged, lacks a column, or no pair is left.
    """
    rng = random.Random(seed)
    joined = _read_join(file.join, data) if file.join else None
    path = data / file.path
    pairs: list[Pair] = []
    columns: dict[str, None] = {}
    for number, row in _rows(path):
        where = f"{path}, line {number}"
        if any(str(row.get(column)) != value for column, value in file.where.items()):
            continue
        if file.join and joined is not None:
            other = joined.get(tuple(str(row.get(column)) for column in file.join.on))
            if other is None:
                continue
            row = {**other, **row}
        columns.update(dict.fromkeys(row))
        pair = _pair(file, row, where, rng)
        if pair and pair.query and pair.passage:
            pairs.append(pair)
    wanted = (file.sentences_of,) if file.sentences_of else (*file.query, *file.passage, *filter(None, [file.score]))
    if columns and (absent := [column for column in wanted if column not in columns]):
        raise InvalidInput(f"{path} has no column {', '.join(absent)}; it has {', '.join(columns)}: see {file.title}.")
    if not pairs:
        raise InvalidInput(f"{path} gives no pair: check its columns, and 'where' and 'join' of {file.title}.")
    return pairs


def _pair(file: PairFile, row: Mapping[str, Any], where: str, rng: random.Random) -> Pair | None:
    if file.sentences_of:
        return _sentence_against_rest(str(row.get(file.sentences_of) or ""), rng)
    query, passage = _text(row, file.query), _text(row, file.passage)
    if not file.score or file.score not in row:
        return Pair(query, passage) if not file.score else None
    score = row[file.score]
    try:
        return Pair(query, passage, float(score))
    except (TypeError, ValueError):
        raise InvalidInput(f"{where}: {file.score} is {score!r}, expected a number.") from None


def _sentence_against_rest(text: str, rng: random.Random) -> Pair | None:
    sentences = [part.strip() for part in _SENTENCE.split(text) if part and len(part.strip()) >= _MIN_SENTENCE]
    if len(sentences) < 2:
        return None
    chosen = rng.randrange(len(sentences))
    return Pair(sentences[chosen], " ".join(part for at, part in enumerate(sentences) if at != chosen))


def _text(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    return "\n".join(text for column in columns if (text := str(row.get(column) or "").strip()))


def _read_join(join: Join, data: Path) -> dict[tuple[str, ...], dict[str, Any]]:
    return {tuple(str(row.get(column)) for column in join.on.values()): row for _, row in _rows(data / join.path)}


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, decoder.decode(line)
    except FileNotFoundError:
        raise InvalidInput(
            f"The config asks for {path.absolute()}, which is not there: check 'path' and --data."
        ) from None
    except (OSError, EOFError, msgspec.DecodeError) as error:
        raise InvalidInput(
            f"{path.absolute()} cannot be read as JSON lines after line {number - 1}: {error}"
        ) from error
