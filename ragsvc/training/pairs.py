"""Reads pair files into texts."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ragsvc.embedding.windows import cut_at_sentences
from ragsvc.errors import InvalidInput
from ragsvc.training.config import Join, PairFile

_SENTENCE = re.compile(r"(?<=[。！？；!?;])|(?<=[.])\s+|\n+")
_MIN_SENTENCE = 6
"""Characters; shorter pieces are marks of enumeration."""


class Negative(NamedTuple):
    """A passage that looks right for a question and is not."""

    passage: str
    key: str
    """``passage_key`` of what identifies it."""


class Pair(NamedTuple):
    """A question, a passage that answers it, and (for ``cosent``) how near they are."""

    query: str
    passage: str
    identity: str
    """What the passage is in all its forms and windows: its label, or its whole text without what stands above."""
    score: float = 1.0
    negatives: tuple[Negative, ...] = ()


def passage_key(identity: str) -> str:
    """Return 16 hexadecimal digits that stand for a passage's identity in files."""
    return blake2b(identity.encode(), digest_size=8).hexdigest()


def read_pairs(file: PairFile, data: Path, seed: int) -> list[Pair]:
    """Return the pairs of a file, in its order; rows with an empty text are left out.

    Raises:
        InvalidInput: the file is missing or damaged, lacks a column, or no pair is left.
    """
    rng = random.Random(seed)
    negatives = _read_negatives(data / file.negatives, file.title) if file.negatives else {}
    pairs: list[Pair] = []
    seen: set[str] = set()
    for where, row in _chosen_rows(file, data):
        if file.sentences_of:
            pairs += _sentence_pairs(file, row, seen, rng)
        else:
            pair = _pair(file, row, where, rng)
            if pair and pair.query and pair.passage:
                pairs.append(pair._replace(negatives=negatives.get(pair.query, ())))
    if not pairs:
        raise InvalidInput(
            f"{data / file.path} gives no pair: check its columns, and 'where' and 'join' of {file.title}."
        )
    if file.negatives and not any(pair.negatives for pair in pairs):
        raise InvalidInput(f"{data / file.negatives} has no negative for {file.title}: mine them with this config.")
    return pairs


def read_texts(file: PairFile, data: Path) -> list[str]:
    """Return each text of a file once and whole, questions too: what a language model learns from.

    Raises:
        InvalidInput: as ``read_pairs``.
    """
    texts: dict[str, None] = {}
    for _, row in _chosen_rows(file, data):
        if file.sentences_of:
            texts.update(dict.fromkeys(_text(row, [column]) for column in file.sentences_of))
        else:
            texts.update(dict.fromkeys([_text(row, file.query), _text(row, file.ways[0].columns)]))
    texts.pop("", None)
    return list(texts)


def _chosen_rows(file: PairFile, data: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield place and columns of the rows that the file's ``where`` and ``join`` leave."""
    joined = _read_join(file.join, data) if file.join else None
    path = data / file.path
    columns: dict[str, None] = {}
    for number, row in _rows(path):
        if any(str(row.get(column)) != value for column, value in file.where.items()):
            continue
        if file.join and joined is not None:
            other = joined.get(tuple(str(row.get(column)) for column in file.join.on))
            if other is None:
                continue
            row = {**other, **row, **{name: other.get(column) for name, column in file.join.take.items()}}
        columns.update(dict.fromkeys(row))
        yield f"{path}, line {number}", row
    wanted = file.sentences_of or (
        *file.query,
        *(column for form in file.ways for column in form.columns),
        *file.label,
        *filter(None, [file.score]),
    )
    if columns and (absent := [column for column in dict.fromkeys(wanted) if column not in columns]):
        raise InvalidInput(f"{path} has no column {', '.join(absent)}; it has {', '.join(columns)}: see {file.title}.")


def _pair(file: PairFile, row: Mapping[str, Any], where: str, rng: random.Random) -> Pair | None:
    query = _text(row, file.query)
    form = rng.choices(file.ways, [form.share for form in file.ways])[0] if len(file.ways) > 1 else file.ways[0]
    body = _text(row, form.columns[-1:])
    identity = _text(row, file.label) or body
    above = _text(row, form.columns[:-1])
    passage = "\n".join(filter(None, [above, _window(body, file, rng)]))
    if not file.score:
        return Pair(query, passage, identity)
    if file.score not in row:
        return None
    score = row[file.score]
    try:
        return Pair(query, passage, identity, float(score))
    except (TypeError, ValueError):
        raise InvalidInput(f"{where}: {file.score} is {score!r}, expected a number.") from None


def _window(text: str, file: PairFile, rng: random.Random) -> str:
    if file.window_chars is None or len(text) <= file.window_chars:
        return text
    windows = cut_at_sentences(text, file.window_chars)
    return (windows[0] if rng.random() < file.first_window else rng.choice(windows)).strip()


def _sentence_pairs(file: PairFile, row: Mapping[str, Any], seen: set[str], rng: random.Random) -> Iterator[Pair]:
    """Yield sentences of texts not ``seen`` yet against their contexts: the inverse cloze task (Lee et al. 2019)."""
    for column in file.sentences_of:
        text = _text(row, [column])
        sentences = [part.strip() for part in _SENTENCE.split(text) if part and len(part.strip()) >= _MIN_SENTENCE]
        if len(sentences) < 2 or text in seen:
            continue
        seen.add(text)
        for at in rng.sample(range(len(sentences)), min(file.sentences_per_text, len(sentences) // 2)):
            first, end = 0, len(sentences)
            if file.context_sentences:
                first = max(0, at - rng.randint(1, file.context_sentences))
                end = at + 1 + rng.randint(1, file.context_sentences)
            rest = " ".join(sentences[first:at] + sentences[at + 1 : end])
            yield Pair(sentences[at], rest, text)


def _text(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    return "\n".join(text for column in columns if (text := str(row.get(column) or "").strip()))


def _read_join(join: Join, data: Path) -> dict[tuple[str, ...], dict[str, Any]]:
    return {tuple(str(row.get(column)) for column in join.on.values()): row for _, row in _rows(data / join.path)}


def _read_negatives(path: Path, source: str) -> dict[str, tuple[Negative, ...]]:
    """Return the mined passages of a source's questions."""
    found: dict[str, tuple[Negative, ...]] = {}
    for number, row in _rows(path):
        try:
            if row["source"] == source:
                found[row["query"]] = tuple(Negative(other["passage"], other["key"]) for other in row["negatives"])
        except (KeyError, TypeError) as error:
            raise InvalidInput(f"{path}, line {number}, is none of 'ragsvc train mine-negatives': {error!r}") from None
    return found


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
