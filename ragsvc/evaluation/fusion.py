"""Learns how much the keyword arm weighs against the vector arm, on labelled sets of several domains.

What is maximised is the mean over the sets of hybrid's nDCG@10, less what hybrid loses on a set against its better
arm: a fusion that helps four sets and drags the fifth down is not wanted. nDCG is a step function of the weights, so
the search is random (a (1+1) evolution strategy, Rechenberg 1973), seeded.

An encoder knows the wording of the sources that it was trained on; a user's documents are of none of them. So a set
may also be asked through an encoder that was trained without the set's source: weights that are fitted on both do
not trust the vector arm where it has seen nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ragsvc.errors import InvalidInput
from ragsvc.evaluation.abstention import language_of_set
from ragsvc.evaluation.datasets import LabelledSet, Query
from ragsvc.evaluation.retrieval import COLLECTION, DEPTH, IndexedSet, RetrievalOptions, open_home
from ragsvc.records import ARMS
from ragsvc.retrieval.arms import Arms, ArmScores, Stopwatch
from ragsvc.retrieval.fusion import FusionModel, normalise
from ragsvc.store.catalogue import Catalogue

MAX_QUERIES = 400
_CUT = 10
_STEPS = 1_500
_STEPS_LEFT_OUT = 500
_SHRINK = 0.0005
"""Cost of a squared coefficient: keeps weights that no set speaks for at one half."""

Floats = NDArray[np.float64]


class FusionSet(Struct, frozen=True, kw_only=True):
    """A labelled set to fit on."""

    folder: Path
    """In BEIR layout."""
    domain: str
    encoder: Path | None = None
    """Another encoder than the one that is fitted for: one that was trained without the set's source."""

    @property
    def name(self) -> str:
        """As the command line takes it, the folders without where they lie."""
        name = f"{self.folder.resolve().name}:{self.domain}"
        return f"{name}@{self.encoder.parent.name}/{self.encoder.name}" if self.encoder else name


class SetFigures(Struct, frozen=True, kw_only=True):
    """nDCG@10 on one set; ``left_out``: fused by a model that was fitted without it, through whichever encoder."""

    name: str
    group: str
    n_queries: int
    lexical: float
    dense: float
    hybrid: float
    left_out: float
    mean_weight: float
    """Of the keyword arm."""


class FusionReport(Struct, frozen=True, kw_only=True):
    """A fitted model and what it does on each set."""

    model: FusionModel
    sets: list[SetFigures]


class _Set(Struct, frozen=True, kw_only=True):
    """Candidates of one set's questions; rows are questions, columns are candidates, padded."""

    name: str
    folder: Path
    group: str
    words: Floats
    meaning: Floats
    gains: Floats
    ideal: Floats
    top_cosine: Floats
    drop: Floats

    def ndcg(self, weights: Floats) -> float:
        fused = weights[:, None] * self.words + (1 - weights[:, None]) * self.meaning
        if fused.shape[1] > _CUT:
            best = np.argpartition(-fused, _CUT, axis=1)[:, :_CUT]
            fused, gains = np.take_along_axis(fused, best, axis=1), np.take_along_axis(self.gains, best, axis=1)
        else:
            gains = self.gains
        gains = np.take_along_axis(gains, np.argsort(-fused, axis=1, kind="stable"), axis=1)
        return float(((gains * _discounts(gains.shape[1])).sum(axis=1) / self.ideal).mean())

    def constant(self, weight: float) -> float:
        return self.ndcg(np.full(len(self.words), weight))


def fit_fusion(
    sets: Sequence[FusionSet], options: RetrievalOptions, *, fitted_on: str = "", leave_out: bool = True
) -> FusionReport:
    """Fit the fusion of an encoder.

    Args:
        sets: at most ``MAX_QUERIES`` questions of each are used; at least one is seen by the encoder itself.
        options: embedder, split, seed.
        fitted_on: kept in the model: the command that repeats the fit.
        leave_out: also fit without each set whose folder is not alone in its language and domain.

    Raises:
        InvalidInput: a folder is not in BEIR layout, or no set is given without an encoder of its own.
    """
    if all(given.encoder for given in sets):
        raise InvalidInput("no set was given to fit the fusion on; name at least one FOLDER:DOMAIN without an encoder")
    embedder_id, collected = "", []
    for given in sorted(sets, key=lambda given: given.encoder is None):
        embedder_id, found = _collect(given, options)
        collected.append(found)
    groups = sorted({one.group for one in collected})
    fitted = _search(collected, groups, _STEPS, options.seed)
    figures = []
    for one in collected:
        others = [other for other in collected if other.folder != one.folder]
        alone = one.group not in {other.group for other in others}
        without = fitted if alone or not leave_out else _search(others, groups, _STEPS_LEFT_OUT, options.seed)
        figures.append(_figures(one, groups, fitted, without))
    bias = {group: round(float(value), 3) for group, value in zip(groups, fitted, strict=False)}
    cosine, drop = (round(float(value), 3) for value in fitted[-2:])
    model = FusionModel(bias=bias, cosine=cosine, drop=drop, embedder_id=embedder_id, fitted_on=fitted_on)
    return FusionReport(model=model, sets=figures)


def write_fusion(model: FusionModel, path: Path) -> None:
    """Write the model as ``fusion.toml``."""
    fields = msgspec.structs.asdict(model)
    bias = fields.pop("bias")
    lines = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in fields.items()]
    lines += ["", "[bias]", *(f"{group} = {value}" for group, value in bias.items())]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _collect(one: FusionSet, options: RetrievalOptions) -> tuple[str, _Set]:
    """Ask both arms all questions of a set; return the embedder's id with the candidates."""
    labelled = LabelledSet(one.folder)
    embedder = str(one.encoder) if one.encoder else options.embedder
    queries = labelled.select(options.split)
    chosen = np.random.default_rng(options.seed).permutation(len(queries))[:MAX_QUERIES]
    queries = [queries[i] for i in sorted(chosen)]
    with open_home(msgspec.structs.replace(options, home=None, embedder=embedder)) as service:
        indexed = IndexedSet(labelled, service, one.domain)
        indexed.ingest()
        catalogue = Catalogue(service.database)
        snapshot = catalogue.snapshot([COLLECTION])
        if snapshot.generation_id is None:
            raise InvalidInput(f"{one.folder} holds no text to search")
        index = service.generations.open(snapshot.generation_id, service.embedder.embedder_id)
        arms = Arms(index, service.embedder)
        rows = []
        for query in queries:
            scores = arms.ask(query.question(), DEPTH, snapshot.where, ARMS, Stopwatch())
            rows.append((query, scores, _gains(query, scores, catalogue, indexed)))
        embedder_id = service.embedder.embedder_id
    return embedder_id, _padded(one, labelled, rows)


def _gains(query: Query, scores: ArmScores, catalogue: Catalogue, indexed: IndexedSet) -> dict[int, int]:
    """Return candidate -> its judged relevance; a document is one chunk here."""
    judged = indexed.labelled.relevance[query.id]
    candidates = dict.fromkeys([*scores.cosines, *(hit.chunk for hit in scores.lexical)])
    found = catalogue.read_chunks(list(candidates))
    return {chunk.ordinal: judged.get(indexed.name_of(chunk.version.document_id), 0) for chunk in found}


def _padded(one: FusionSet, labelled: LabelledSet, rows: Sequence[tuple[Query, ArmScores, dict[int, int]]]) -> _Set:
    width = max(len(gains) for _, _, gains in rows)
    words, gained = np.zeros((len(rows), width)), np.zeros((len(rows), width))
    meaning = np.full((len(rows), width), -9.0)  # what is no candidate comes last at any weight
    ideal = np.zeros(len(rows))
    for at, (query, scores, gains) in enumerate(rows):
        by_words, by_meaning = normalise(scores)
        order = sorted(gains)
        words[at, : len(order)] = [by_words.get(chunk, 0.0) for chunk in order]
        meaning[at, : len(order)] = [by_meaning.get(chunk, 0.0) for chunk in order]
        gained[at, : len(order)] = [gains[chunk] for chunk in order]
        best = np.sort(list(labelled.relevance[query.id].values()))[::-1][:_CUT]
        ideal[at] = float((best * _discounts(len(best))).sum())
    top = np.array([scores.top_cosine or 0.0 for _, scores, _ in rows])
    drop = np.array([scores.lexical_drop for _, scores, _ in rows])
    return _Set(
        name=one.name,
        folder=one.folder.resolve(),
        group=f"{language_of_set(one.folder)}-{one.domain}",
        words=words,
        meaning=meaning,
        gains=gained,
        ideal=ideal,
        top_cosine=top,
        drop=drop,
    )


def _discounts(n: int) -> Floats:
    return np.asarray(1 / np.log2(np.arange(2, n + 2)))


def _weights(one: _Set, groups: Sequence[str], coefficients: Floats) -> Floats:
    """``coefficients``: a bias for each group, then the slopes of cosine and drop."""
    logit = coefficients[groups.index(one.group)] + coefficients[-2] * one.top_cosine + coefficients[-1] * one.drop
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))))


def _search(sets: Sequence[_Set], groups: Sequence[str], steps: int, seed: int) -> Floats:
    chance = np.random.default_rng(seed)
    centre = (
        np.mean([one.top_cosine.mean() for one in sets]),
        np.mean([one.drop.mean() for one in sets]),
    )
    better_arm = [max(one.constant(0.0), one.constant(1.0)) for one in sets]

    def uncentred(point: Floats) -> Floats:
        """Slopes move around the middle of the data, so that a step in one does not move all weights."""
        moved = point.copy()
        moved[:-2] -= point[-2] * centre[0] + point[-1] * centre[1]
        return moved

    def value(point: Floats) -> float:
        reached = [one.ndcg(_weights(one, groups, uncentred(point))) for one in sets]
        lost = [max(0.0, best - now) for best, now in zip(better_arm, reached, strict=True)]
        return float(np.mean(reached) - np.mean(lost) - _SHRINK * np.square(point * _scales(len(groups))).mean())

    point = np.zeros(len(groups) + 2)
    best, size = value(point), 0.6
    for _ in range(steps):
        step = size * chance.standard_normal(len(point)) * (chance.random(len(point)) < 0.5) / _scales(len(groups))
        tried = value(point + step)
        if tried > best:
            point, best, size = point + step, tried, min(size * 1.15, 1.5)
        else:
            size = max(size * 0.985, 0.05)
    return uncentred(point)


def _scales(n_groups: int) -> Floats:
    """Spread of a cosine and of a drop in the data: a step in their slopes is as long as one in a bias."""
    return np.array([1.0] * n_groups + [0.1, 0.15])


def _figures(one: _Set, groups: Sequence[str], fitted: Floats, without: Floats) -> SetFigures:
    weights = _weights(one, groups, fitted)
    return SetFigures(
        name=one.name,
        group=one.group,
        n_queries=len(one.words),
        lexical=round(one.constant(1.0), 4),
        dense=round(one.constant(0.0), 4),
        hybrid=round(one.ndcg(weights), 4),
        left_out=round(one.ndcg(_weights(one, groups, without)), 4),
        mean_weight=round(float(weights.mean()), 3),
    )
