"""Hard negatives, mined with the service's own index: what it finds for a question and should not have found."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ragsvc.errors import InvalidInput
from ragsvc.evaluation.datasets import LabelledSet
from ragsvc.evaluation.retrieval import IndexedSet, RetrievalOptions, open_home
from ragsvc.records import ARMS
from ragsvc.training.config import PairFile, read_training
from ragsvc.training.pairs import Negative, Pair, passage_key, read_pairs
from ragsvc.training.progress import counted


class Mining(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken for a hard negative."""

    embedder: str | None = None
    """Encoder of the index; None = the service's default."""
    sources: tuple[str, ...] = ()
    """Pair files to mine for; none = all with questions."""
    first_rank: int = 3
    """The very first hits are often right, though nobody said so."""
    last_rank: int = 50
    per_question: int = 8
    twin_overlap: float = 0.8
    """A passage that shares as many of its character bigrams with a right one, or more, is a copy of it."""


def mine_negatives(
    config: Path, output: Path, *, data: Path | None = None, mining: Mining | None = None
) -> dict[str, int]:
    """Search each question of a training among the passages of its language and domain; write the wrong hits.

    Args:
        config: the training's TOML file.
        output: a JSONL file (gzipped if named .gz) that ``negatives`` of the pair files then names; a row is
            ``{source, query, negatives: [{passage, key}]}``, nearest first.
        data: folder that the paths in the config count from.
        mining: ranks, numbers, encoder.

    Returns:
        Questions with a negative by source.

    Raises:
        InvalidInput: the config or a file is not what it must be, or a source is unknown.
    """
    mining = mining or Mining()
    recipe = read_training(config)
    files = _asking(recipe.pairs, mining.sources)
    root = data or config.parent / recipe.data
    pairs = {
        file.title: read_pairs(msgspec.structs.replace(file, negatives=""), root, recipe.seed)
        for file in recipe.pairs
        if not file.sentences_of
    }
    found: dict[str, int] = {}
    unfinished = output.with_name(f"{output.name}.part")
    output.parent.mkdir(parents=True, exist_ok=True)
    with (
        gzip.open(unfinished, "wt", encoding="utf-8")
        if output.suffix == ".gz"
        else unfinished.open("w", encoding="utf-8") as lines
    ):
        for language, domain in dict.fromkeys((file.language, file.domain) for file in files):
            kind = [file for file in recipe.pairs if (file.language, file.domain) == (language, domain)]
            read = {file.title: pairs[file.title] for file in kind if file.title in pairs}
            asked = [file.title for file in kind if file in files]
            for title, query, negatives in _mine(read, asked, mining):
                row = {"source": title, "query": query, "negatives": [other._asdict() for other in negatives]}
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
                found[title] = found.get(title, 0) + 1
    unfinished.replace(output)
    return found


def _asking(files: Sequence[PairFile], sources: Sequence[str]) -> list[PairFile]:
    asking = [file for file in files if not file.sentences_of]
    if unknown := set(sources) - {file.title for file in asking}:
        raise InvalidInput(
            f"{', '.join(sorted(unknown))} was asked for; with questions there are "
            f"{', '.join(file.title for file in asking)}."
        )
    return [file for file in asking if not sources or file.title in sources]


def _mine(
    pairs: Mapping[str, Sequence[Pair]], asked: Sequence[str], mining: Mining
) -> Iterator[tuple[str, str, list[Negative]]]:
    """Yield source, question and its wrong hits."""
    passages: dict[str, str] = {}
    right: dict[str, set[str]] = {}
    for found in pairs.values():
        for pair in found:
            key = passage_key(pair.identity)
            passages.setdefault(key, pair.passage)
            right.setdefault(pair.query, set()).add(key)
    with _indexed(passages, mining.embedder) as index:
        for title in asked:
            questions = list(dict.fromkeys(pair.query for pair in pairs[title]))
            for question in counted(questions, title):
                hits = [key for key, _ in index.search(question, ARMS, mining.last_rank)][mining.first_rank - 1 :]
                negatives = _wrong(hits, right[question], passages, mining)
                if negatives:
                    yield title, question, negatives


def _wrong(hits: Sequence[str], right: set[str], passages: Mapping[str, str], mining: Mining) -> list[Negative]:
    copied = [_bigrams(passages[key]) for key in right]
    wrong: list[Negative] = []
    for key in hits:
        if len(wrong) == mining.per_question:
            break
        own = _bigrams(passages[key])
        if key not in right and all(_overlap(own, other) < mining.twin_overlap for other in copied):
            wrong.append(Negative(passages[key], key))
    return wrong


def _bigrams(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)}


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, min(len(one), len(other)))


@contextmanager
def _indexed(passages: Mapping[str, str], embedder: str | None) -> Iterator[IndexedSet]:
    """Put the passages into an index in a throw-away home."""
    with (
        tempfile.TemporaryDirectory(prefix="ragsvc-mine-") as name,
        open_home(RetrievalOptions(embedder=embedder)) as service,
    ):
        folder = Path(name)
        with (folder / "corpus.jsonl").open("w", encoding="utf-8") as lines:
            for key, passage in passages.items():
                lines.write(json.dumps({"_id": key, "title": "", "text": passage}, ensure_ascii=False) + "\n")
        (folder / "queries.jsonl").touch()
        (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n", "utf-8")
        index = IndexedSet(LabelledSet(folder), service, "general")
        index.ingest()
        yield index
