"""Fits the interaction reranker: hits of the service's own index for labelled questions, their features, a head.

    name = "interaction-zh-en"
    encoder = "ragsvc-static-zh-en"          # whose token vectors it will read

    [[sources]]                              # a pair file, with
    path = "pairs/laws.jsonl.gz"
    encoder = "encoders/laws"                # one that never trained on it: its hits are as good as for new questions
    corpus = "retrieval/laws"                # among whose documents to search; none = among the file's own passages

``configs/interaction-zh-en.toml`` is complete. A pair file's other fields: ``config.py``.
"""

from __future__ import annotations

import json
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct

from ragsvc.embedding import open_embedder
from ragsvc.errors import Conflict, InvalidInput
from ragsvc.evaluation.datasets import LabelledSet
from ragsvc.evaluation.retrieval import COLLECTION, IndexedSet, RetrievalOptions, open_home
from ragsvc.protocols import FloatArray
from ragsvc.records import Passage, SearchRequest
from ragsvc.retrieval.interaction import (
    FEATURES,
    FIRST,
    HEAD,
    IDF,
    MAX_CHARS,
    Head,
    InteractionReranker,
    TokenVectors,
    standardised,
    token_vectors,
)
from ragsvc.training.card import data_table, described
from ragsvc.training.config import Count, NotNegative, PairFile, Positive
from ragsvc.training.interaction_fit import Lists, fit_head
from ragsvc.training.pairs import read_pairs
from ragsvc.training.progress import counted


class Source(PairFile, frozen=True, kw_only=True):
    """Labelled questions, each with the passage that answers it."""

    encoder: str
    """Folder (counted from the data folder) or name of an encoder that was trained without this source."""
    corpus: str = ""
    """Folder in BEIR layout; a pair belongs to its documents that have the passage's text. None = the passages of the
    whole file, of rows that ``where`` leaves out too."""
    questions: Count = 1_000
    """As many at most, at random."""

    @property
    def place(self) -> tuple[str, str, str]:
        """Sources of one place share an index."""
        return self.corpus or self.title, self.encoder, self.domain


class InteractionConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fit of an interaction reranker."""

    name: str
    encoder: str
    sources: Annotated[tuple[Source, ...], Meta(min_length=1)]
    fused: Positive = 6.0
    """Weight of the fused score."""
    l1: NotNegative = 0.003
    idf_texts: Count = 2_000
    """Passages of each source, at random, that the tokens' document frequencies are counted in."""
    seed: int = 0
    data: str = ""
    """Folder that paths count from, itself counted from the config's; ``--data`` goes before it."""


class SourceFigures(Struct, frozen=True, kw_only=True):
    """What reranking does to a source's lists, nDCG@10."""

    name: str
    questions: int
    hybrid: float
    left_out: float
    """Reranked by a head that was fitted without this source."""


class InteractionFit(Struct, frozen=True, kw_only=True):
    """What came of it."""

    head: Head
    sources: tuple[SourceFigures, ...]


class _Labelled(Struct, frozen=True):
    """A source, read: documents by their names, and the right ones of each question."""

    source: Source
    documents: Mapping[str, tuple[str, str]]
    """Name -> title, text."""
    right: Mapping[str, frozenset[str]]


def train_interaction(config: Path, output: Path, *, data: Path | None = None) -> InteractionFit:
    """Fit a reranker and write it to ``output``, a folder that the setting ``rerank`` then names.

    Args:
        config: a TOML file, see ``InteractionConfig``.
        output: a new or empty folder.
        data: folder that the paths in the config count from.

    Raises:
        InvalidInput: the config or a file is not what it must be, or an encoder has no token vectors.
        Conflict: the folder is not empty.
    """
    recipe = read_interaction_config(config)
    root = data or config.parent / recipe.data
    if output.exists() and any(output.iterdir()):
        raise Conflict(f"{output.absolute()} is not empty: name a new folder.")
    read = [read_source(source, root, recipe.seed) for source in recipe.sources]
    texts = sample_texts(read, recipe)
    lists: dict[str, Lists] = {}
    for place in dict.fromkeys(source.place for source in recipe.sources):
        lists |= collect([one for one in read if one.source.place == place], texts, root)
    vectors = token_vectors(open_embedder(recipe.encoder))
    head = fit_head(list(lists.values()), fused=recipe.fused, l1=recipe.l1)
    figures = tuple(_left_out(one, list(lists.values()), recipe) for one in lists.values())
    fit = InteractionFit(head=_head(recipe, vectors.embedder_id, head.tolist()), sources=figures)
    write_interaction(output, recipe, fit, document_weights(vectors, texts))
    return fit


def read_interaction_config(path: Path) -> InteractionConfig:
    """Read the TOML file.

    Raises:
        InvalidInput: it cannot be read or says what cannot be done.
    """
    try:
        config = msgspec.convert(tomllib.loads(path.read_text("utf-8")), InteractionConfig)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise InvalidInput(f"{path.absolute()} is no description of an interaction reranker: {error}") from error
    names = [source.title for source in config.sources]
    if len(set(names)) < len(names):
        raise InvalidInput(f"{path}: two of the sources {', '.join(names)} have one name: give each its own.")
    return config


def read_source(source: Source, root: Path, seed: int) -> _Labelled:
    """Read questions and documents; a question whose passage is no document is left out."""
    pairs = read_pairs(source, root, seed)
    if source.corpus:
        found = LabelledSet(root / source.corpus).documents()
        documents = {document.name: (document.title, document.text) for document in found}
    else:
        every = read_pairs(msgspec.structs.replace(source, where={}), root, seed)
        titles = {pair.identity: pair.passage.removesuffix(pair.identity).strip() for pair in reversed(every)}
        documents = {f"d{at}": (titles[text], text) for at, text in enumerate(dict.fromkeys(p.identity for p in every))}
    names: dict[str, set[str]] = {}
    for name, (_, text) in documents.items():
        names.setdefault(text.strip(), set()).add(name)
    right: dict[str, set[str]] = {}
    for pair in pairs:
        if same := names.get(pair.identity):
            right.setdefault(pair.query, set()).update(same)
    if not right:
        raise InvalidInput(f"No document of {root / source.corpus} has the text of a passage of {source.title}.")
    questions = sorted(right)
    chosen = np.random.default_rng(seed).permutation(len(questions))[: source.questions]
    return _Labelled(source, documents, {questions[at]: frozenset(right[questions[at]]) for at in sorted(chosen)})


def sample_texts(read: Sequence[_Labelled], recipe: InteractionConfig) -> list[str]:
    """Return the passages that document frequencies are counted in."""
    texts: list[str] = []
    for one in read:
        documents = list(one.documents.values())
        chosen = np.random.default_rng(recipe.seed).permutation(len(documents))[: recipe.idf_texts]
        texts += [" ".join(documents[at]).strip()[:MAX_CHARS] for at in chosen]
    return texts


def document_weights(vectors: TokenVectors, texts: Sequence[str]) -> FloatArray:
    """Return ln((n + 1) / (texts with the token + 1)) of each token, as it is kept: float16, shape (tokens,)."""
    found = np.zeros(len(vectors.table))
    for at in range(0, len(texts), 1_000):
        for ids in vectors.token_ids(texts[at : at + 1_000]):
            found[np.unique(ids)] += 1
    weights: FloatArray = np.log((len(texts) + 1) / (found + 1)).astype(np.float16)
    return weights


def collect(read: Sequence[_Labelled], texts: Sequence[str], root: Path) -> dict[str, Lists]:
    """Search each question of sources that share a place; return by source the features of the first hits."""
    found: dict[str, Lists] = {}
    with _indexed(read[0], root) as (indexed, embedder):
        head = Head(encoder=embedder.embedder_id, fused=1.0, weights=dict.fromkeys(FEATURES, 0.0))
        reranker = InteractionReranker(embedder, document_weights(embedder, texts), head)
        for one in read:
            rows = []
            for question in counted(list(one.right), one.source.title):
                request = SearchRequest(
                    question=question, collections=(COLLECTION,), k=FIRST, arms=("lexical", "dense")
                )
                hits = indexed.service.open_searcher("").search(request).passages
                right = [indexed.name_of(hit.document_id) in one.right[question] for hit in hits]
                rows.append((hits, reranker.features(question, hits), right))
            found[one.source.title] = _padded(one, rows)
    return found


Row = tuple[Sequence[Passage], FloatArray, list[bool]]


def _padded(one: _Labelled, rows: Sequence[Row]) -> Lists:
    shape = (len(rows), FIRST)
    features, fused = np.zeros((*shape, len(FEATURES))), np.zeros(shape)
    right, real = np.zeros(shape, bool), np.zeros(shape, bool)
    for at, (hits, found, is_right) in enumerate(rows):
        n = len(hits)
        features[at, :n], right[at, :n], real[at, :n] = standardised(found), is_right, True
        fused[at, :n] = [hit.scores.fused or 0.0 for hit in hits]
    answers = np.array([len(names) for names in one.right.values()])
    name, weight = one.source.title, one.source.weight
    return Lists(name=name, weight=weight, features=features, fused=fused, right=right, real=real, answers=answers)


@contextmanager
def _indexed(one: _Labelled, root: Path) -> Iterator[tuple[IndexedSet, TokenVectors]]:
    """Put a source's documents into an index in a throw-away home, with the source's encoder."""
    own = root / one.source.encoder
    options = RetrievalOptions(embedder=str(own) if own.is_dir() else one.source.encoder)
    with tempfile.TemporaryDirectory(prefix="ragsvc-train-") as name, open_home(options) as service:
        folder = root / one.source.corpus
        if not one.source.corpus:
            folder = Path(name)
            rows = [{"_id": key, "title": title, "text": text} for key, (title, text) in one.documents.items()]
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (folder / "corpus.jsonl").write_text(lines, "utf-8")
            (folder / "queries.jsonl").touch()
            (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n", "utf-8")
        vectors = token_vectors(service.embedder)
        indexed = IndexedSet(LabelledSet(folder), service, one.source.domain)
        indexed.ingest()
        yield indexed, vectors


def _left_out(one: Lists, lists: Sequence[Lists], recipe: InteractionConfig) -> SourceFigures:
    others = [other for other in lists if other.name != one.name] or [one]
    without = fit_head(others, fused=recipe.fused, l1=recipe.l1)
    plain = one.ndcg(np.zeros(len(FEATURES)), 1.0)
    return SourceFigures(
        name=one.name,
        questions=len(plain),
        hybrid=round(float(plain.mean()), 4),
        left_out=round(float(one.ndcg(without, recipe.fused).mean()), 4),
    )


def _head(recipe: InteractionConfig, encoder: str, weights: Sequence[float]) -> Head:
    rounded = {name: round(float(value), 3) for name, value in zip(FEATURES, weights, strict=True)}
    return Head(encoder=encoder, fused=recipe.fused, weights=rounded)


def write_interaction(folder: Path, recipe: InteractionConfig, fit: InteractionFit, idf: FloatArray) -> None:
    """Write ``head.toml``, ``idf.npy`` and the model card."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / IDF, idf)
    head = [f"encoder = {json.dumps(fit.head.encoder)}", f"fused = {fit.head.fused}", "", "[weights]"]
    head += [f"{name} = {value}" for name, value in fit.head.weights.items()]
    (folder / HEAD).write_text("\n".join(head) + "\n", "utf-8")
    counts = {figures.name: figures.questions for figures in fit.sources}
    data = data_table([described(source, counts[source.title]) for source in recipe.sources])
    rows = [f"| {f.name} | {f.questions:,} | {f.hybrid:.3f} | {f.left_out:.3f} |" for f in fit.sources]
    (folder / "README.md").write_text(
        f"""# {recipe.name}

A linear head over {len(FEATURES)} features of how the words of a question are met in the first {FIRST} hits of a
search. It reads the token vectors of the encoder {fit.head.encoder} and no other; fitted by `ragsvc train
interaction`.

## Data
{data}

Each source was searched with an encoder that was trained without it. `{IDF}`: logarithms of inverse document
frequencies in {recipe.idf_texts:,} passages of each source.

## Recipe
Listwise softmax over the first {FIRST} hits, L1 {recipe.l1:g}, weight of the fused score {fit.head.fused:g} (given),
seed {recipe.seed}.

## Scores
nDCG@10 of the first {FIRST} hits, reranked by a head that was fitted without the source:

| source | questions | hybrid | reranked |
| --- | ---: | ---: | ---: |
"""
        + "\n".join(rows)
        + "\n",
        "utf-8",
    )
