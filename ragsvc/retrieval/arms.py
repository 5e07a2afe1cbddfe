"""What the keyword arm and the vector arm say of a question."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from msgspec import Struct

from ragsvc.protocols import Embedder, Index
from ragsvc.records import Arm, IndexFilter, ScoredChunk


class ArmScores(Struct, frozen=True, kw_only=True):
    """The candidates of both arms."""

    lexical: list[ScoredChunk] = []
    """By BM25, best first."""
    dense: list[ScoredChunk] = []
    """By cosine, best first."""
    cosines: dict[int, float] = {}
    """Of every candidate of either arm: one that is left out for not being among the vector arm's best would be
    punished for being second. Empty = the vector arm was not asked or found nothing."""

    @property
    def top_cosine(self) -> float | None:
        """The best cosine; None where the vector arm found nothing."""
        return self.dense[0].score if self.dense else None

    @property
    def lexical_drop(self) -> float:
        """How much less BM25 gives to its tenth hit than to its first, as a share.

        0: it cannot tell them apart, or found nothing.
        """
        if not self.lexical:
            return 0.0
        tenth = self.lexical[9].score if len(self.lexical) > 9 else 0.0
        return 1 - tenth / self.lexical[0].score


class Stopwatch:
    """Milliseconds per stage."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is done inside."""
        started = time.perf_counter()
        yield
        self._stages[name] = round((time.perf_counter() - started) * 1000, 3)

    def finish(self) -> dict[str, float]:
        """Return the stages, and as ``search`` the time since the start."""
        return {**self._stages, "search": round((time.perf_counter() - self._started) * 1000, 3)}


class Arms(Struct, frozen=True):
    """Both arms of an index.

    Args:
        index: a generation.
        embedder: of the kind that the index was built with.
    """

    index: Index
    embedder: Embedder

    def ask(self, question: str, wanted: int, where: IndexFilter, arms: Collection[Arm], watch: Stopwatch) -> ArmScores:
        """Return at least the ``wanted`` best of each arm that is among ``arms``."""
        lexical: list[ScoredChunk] = []
        dense: list[ScoredChunk] = []
        cosines: dict[int, float] = {}
        if "lexical" in arms:
            with watch.stage("lexical"):
                lexical = self.index.search_lexical(question, wanted, where)
        if "dense" in arms:
            with watch.stage("embed"):
                vector = self.embedder.embed_queries([question])[0]
            with watch.stage("dense"):
                dense = self.index.search_dense(vector, wanted, where)
                cosines = {hit.chunk: hit.score for hit in dense}
                others = [hit.chunk for hit in lexical if hit.chunk not in cosines] if dense else []
                cosines |= zip(others, self.index.score_dense(vector, others), strict=True)
        return ArmScores(lexical=lexical, dense=dense, cosines=cosines)
