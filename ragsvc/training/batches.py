"""The batches of a training, made of texts that were tokenised once before it.

A batch is a function of the seed and its step alone: which file, which rows, which hard negatives, which tokens are
left out. So a training that was broken off goes on exactly as it would have, and the trainer never tokenises: with a
static table that would cost several times the training itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ragsvc.errors import InvalidInput
from ragsvc.training.config import PairFile, Stage
from ragsvc.training.pairs import Pair, passage_key

Ints = NDArray[np.int64]
Encode = Callable[[list[str]], list[list[int]]]
"""Texts to token ids, special ones included."""
_TEXTS_AT_A_TIME = 4_096


class Encoding(NamedTuple):
    """How a base reads: what becomes of texts, and of token ids in a batch."""

    encode: Encode
    padding: int | None
    """Token that fills rows up to one length; None = no rows, but a flat list and the offsets of its texts."""
    unknown: int | None = None
    """Token that is left out of every text."""


class EncodedTexts:
    """Token ids of many texts in one array; each text is tokenised once for all stages."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._numbers: dict[str, int] = {}
        self._flat: NDArray[np.int32] = np.zeros(0, np.int32)
        self._starts: Ints = np.zeros(1, np.int64)

    def number(self, text: str) -> int:
        """Return the text's number, a new one if it is new."""
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def count(self) -> int:
        """How many texts have a number."""
        return len(self._numbers)

    def tokenise(self) -> None:
        """Tokenise the texts that got their number since the last time."""
        texts = list(self._numbers)[len(self._starts) - 1 :]
        parts = [self._flat]
        for at in range(0, len(texts), _TEXTS_AT_A_TIME):
            for ids in self._encoding.encode(texts[at : at + _TEXTS_AT_A_TIME]):
                found = np.asarray(ids, np.int32)
                parts.append(found[found != self._encoding.unknown])
        lengths = [len(part) for part in parts[1:]]
        self._starts = np.concatenate((self._starts, self._starts[-1] + np.cumsum(lengths, dtype=np.int64)))
        self._flat = np.concatenate(parts)

    def ids(self, numbers: Ints, most: int | None = None) -> tuple[Ints, Ints]:
        """Return the token ids of these texts one after the other, and how many each has.

        Of a text with more than ``most`` the first ones are taken; one with special tokens keeps its last one.
        """
        whole = self._starts[numbers + 1] - self._starts[numbers]
        lengths = np.minimum(whole, most) if most else whole
        owners = np.repeat(np.arange(len(numbers)), lengths)
        within = np.arange(lengths.sum()) - (np.cumsum(lengths) - lengths)[owners]
        if self._encoding.padding is not None:
            within = np.where(within == lengths[owners] - 1, whole[owners] - 1, within)
        return self._flat[self._starts[numbers][owners] + within].astype(np.int64), lengths

    def features(self, numbers: Ints, stage: Stage, rng: np.random.Generator) -> dict[str, Any]:
        """Return what the model reads for these texts, as tensors."""
        ids, lengths = self.ids(numbers, stage.max_tokens)
        if stage.token_dropout:
            kept = rng.random(len(ids)) >= stage.token_dropout
            ends = np.cumsum(lengths)
            if self._encoding.padding is not None:  # the first and last token are special
                kept[ends - lengths] = kept[ends - 1] = True
            owners = np.repeat(np.arange(len(numbers)), lengths)
            ids, lengths = ids[kept], np.bincount(owners[kept], minlength=len(numbers))
        return _bag(ids, lengths) if self._encoding.padding is None else _rows(ids, lengths, self._encoding.padding)


def _bag(ids: Ints, lengths: Ints) -> dict[str, Any]:
    import torch

    return {"input_ids": torch.from_numpy(ids), "offsets": torch.from_numpy(np.cumsum(lengths) - lengths)}


def _rows(ids: Ints, lengths: Ints, padding: int) -> dict[str, Any]:
    import torch

    filled = np.arange(max(1, lengths.max(initial=1))) < lengths[:, None]
    rows = np.full(filled.shape, padding, np.int64)
    rows[filled] = ids
    return {"input_ids": torch.from_numpy(rows), "attention_mask": torch.from_numpy(filled.astype(np.int64))}


class _Source(NamedTuple):
    """The rows of one file: numbers of texts, of questions and of passages' identities."""

    queries: Ints
    passages: Ints
    keys: Ints
    scores: NDArray[np.float32]
    negatives: list[list[tuple[int, int]]]
    """(text, identity) of each row's hard negatives."""


class PlannedBatches:
    """All batches of a stage, by step: what sentence-transformers' trainer takes after its collator.

    Every batch is of one file. Its labels are, by objective: ``contrastive`` a flat mask of what is no negative
    (rows × columns; a column is a passage, the hard negatives after the right ones), ``cosent`` the scores,
    ``multilabel`` zeros and ones of shape (rows, classes).
    """

    def __init__(
        self,
        stage: Stage,
        files: Sequence[PairFile],
        pairs: Mapping[str, Sequence[Pair]],
        texts: EncodedTexts,
        seed: int,
    ) -> None:
        self._stage, self._seed, self._texts = stage, seed, texts
        self._keys: dict[str, int] = {}
        self._sources = [self._source(pairs[file.title]) for file in files]
        self._known = self._known_right()
        self._class_keys = np.zeros(0, np.int64)
        self.classes: tuple[str, ...] = ()
        """Of ``multilabel``: the labels, in the order of the columns."""
        if stage.objective == "multilabel":
            self._choose_classes([pair.identity for file in files for pair in pairs[file.title]])
        self._texts.tokenise()
        sizes = [len(source.queries) for source in self._sources]
        self.steps = stage.steps or max(1, -(-round(stage.epochs * sum(sizes)) // stage.batch_size))
        self._plan, self._turns = _plan(stage, [file.weight for file in files], sizes, self.steps, seed)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> dict[str, Any]:
        import torch

        source = self._sources[self._plan[step]]
        rng = np.random.default_rng([self._seed, step])
        rows = self._rows(int(self._plan[step]), int(self._turns[step]))
        columns, keys = {"query": source.queries[rows]}, source.keys[rows]
        if self._stage.objective != "multilabel":
            columns["passage"] = source.passages[rows]
        for number in range(self._stage.hard_negatives):
            chosen = _one_negative_each(source, rows, rng)
            columns[f"negative{number}"] = chosen[:, 0]
            keys = np.concatenate((keys, chosen[:, 1]))
        batch: dict[str, Any] = {"label": torch.from_numpy(self._labels(source, rows, keys))}
        for name, numbers in columns.items():
            for feature, tensor in self._texts.features(numbers, self._stage, rng).items():
                batch[f"{name}_{feature}"] = tensor
        return batch

    def _labels(self, source: _Source, rows: Ints, keys: Ints) -> NDArray[Any]:
        if self._stage.objective == "cosent":
            return source.scores[rows]
        known = self._known[source.queries[rows]]
        if self._stage.objective == "multilabel":
            wanted: NDArray[np.float32] = known[:, self._class_keys].toarray().astype(np.float32)
            return wanted
        right: NDArray[np.bool_] = known[:, keys].toarray()
        np.fill_diagonal(right, val=False)
        # Flat, because MatryoshkaLoss takes a matrix as wide as the vectors for vectors.
        return right.ravel()

    def _rows(self, number: int, turn: int) -> Ints:
        """Return the rows of a file's batch: each pass over the file is in a new order."""
        size = len(self._sources[number].queries)
        places = np.arange(min(self._stage.batch_size, size)) + turn * min(self._stage.batch_size, size)
        rows = np.empty(len(places), np.int64)
        for passed in np.unique(places // size):
            order = np.random.default_rng([self._seed, number, int(passed)]).permutation(size)
            here = places // size == passed
            rows[here] = order[places[here] % size]
        return rows

    def _key(self, key: str) -> int:
        return self._keys.setdefault(key, len(self._keys))

    def _source(self, pairs: Sequence[Pair]) -> _Source:
        number, objective, hard = self._texts.number, self._stage.objective, self._stage.hard_negatives
        queries = np.array([number(pair.query) for pair in pairs], np.int64)
        return _Source(
            queries,
            queries if objective == "multilabel" else np.array([number(pair.passage) for pair in pairs], np.int64),
            np.array([self._key(passage_key(pair.identity)) for pair in pairs], np.int64),
            np.array([pair.score for pair in pairs], np.float32),
            [[(number(n.passage), self._key(n.key)) for n in pair.negatives] for pair in pairs] if hard else [],
        )

    def _known_right(self) -> Any:
        """Return the sparse matrix (texts, identities) of which passages are known to answer which questions."""
        from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

        queries = np.concatenate([source.queries for source in self._sources])
        keys = np.concatenate([source.keys for source in self._sources])
        known = csr_matrix(
            (np.ones(len(queries), np.bool_), (queries, keys)), shape=(self._texts.count, len(self._keys))
        )
        known.sum_duplicates()
        return known

    def _choose_classes(self, labels: Sequence[str]) -> None:
        """Keep the labels of enough questions, and each question that has one of them once."""
        questions = np.asarray(self._known.sum(axis=0, dtype=np.int64)).ravel()
        names = {self._key(passage_key(label)): label for label in labels}
        self._class_keys = np.flatnonzero(questions >= self._stage.label_questions)
        if not len(self._class_keys):
            raise InvalidInput(f"No label has {self._stage.label_questions} questions: lower label_questions.")
        self.classes = tuple(names[key] for key in self._class_keys.tolist())
        has_class = np.asarray(self._known[:, self._class_keys].sum(axis=1)).ravel() > 0
        kept = []
        for source in self._sources:
            _, first = np.unique(source.queries, return_index=True)
            first = np.sort(first)[has_class[source.queries[np.sort(first)]]]
            kept.append(
                _Source(source.queries[first], source.passages[first], source.keys[first], source.scores[first], [])
            )
        self._sources = kept


def _one_negative_each(source: _Source, rows: Ints, rng: np.random.Generator) -> Ints:
    """Return (text, identity) of one hard negative of each row; a row without any gets some passage of its file."""
    chosen = np.empty((len(rows), 2), np.int64)
    draws = rng.random(len(rows))
    for at, (row, draw) in enumerate(zip(rows.tolist(), draws.tolist(), strict=True)):
        if source.negatives[row]:
            chosen[at] = source.negatives[row][int(draw * len(source.negatives[row]))]
        else:
            other = int(draw * len(source.passages))
            chosen[at] = source.passages[other], source.keys[other]
    return chosen


def _plan(stage: Stage, weights: Sequence[float], sizes: Sequence[int], steps: int, seed: int) -> tuple[Ints, Ints]:
    """Return for each step the file it reads and how many steps read that file before."""
    if empty := [at for at, size in enumerate(sizes) if not size]:
        raise InvalidInput(f"Stage {stage.name}: pair file number {empty[0] + 1} of its sources gives no row.")
    counts = share_out(weights, sizes, steps, per_row=stage.weights == "rows")
    plan = np.repeat(np.arange(len(counts)), counts)
    np.random.default_rng([seed, len(sizes)]).shuffle(plan)
    turns = np.empty(steps, np.int64)
    for number in range(len(counts)):
        turns[plan == number] = np.arange(counts[number])
    return plan, turns


def share_out(weights: Sequence[float], sizes: Sequence[int], total: int, *, per_row: bool) -> Ints:
    """Return whole numbers that add up to ``total``, by the weights or (``per_row``) by weights times sizes."""
    shares = np.array(weights, float) * (np.array(sizes) if per_row else 1)
    exact = shares / shares.sum() * total
    counts: Ints = np.floor(exact).astype(np.int64)
    counts[np.argsort(counts - exact, kind="stable")[: total - counts.sum()]] += 1
    return counts
