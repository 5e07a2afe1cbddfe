"""What one evaluation found, query by query: enough to compare two runs without running either again.

A file holds one JSON object a line, ``{"query", "text", "gold": [document], "arms": {arm: {"metrics",
"first_positive", "positive_ranks", "hits": [document]}}}``; a document is ``{"id", "relevance", "score", "excerpt"}``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ragsvc.errors import InvalidInput
from ragsvc.evaluation.metrics import METRICS

SHOWN_HITS = 10
Hits = Sequence[tuple[str, float]]
"""(document id, score), best first."""


class JudgedDocument(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A document of the set beside one query."""

    id: str
    relevance: int
    """As judged; 0 for what nobody judged."""
    score: float | None = None
    """The arm's own; None for a document that stands here because it is gold."""
    excerpt: str = ""
    """Title and beginning."""


class ArmResult(Struct, frozen=True, kw_only=True):
    """How one arm did on one query."""

    metrics: dict[str, float]
    first_positive: int | None
    """Rank of the first relevant document, from 1; None when none was among the hits."""
    positive_ranks: tuple[int, ...]
    """Ranks of all relevant documents among the hits."""
    hits: tuple[JudgedDocument, ...]
    """The first ``SHOWN_HITS``."""


class QueryResult(Struct, frozen=True, kw_only=True):
    """One query, what answers it and what each arm returned."""

    query: str
    """Id in the set."""
    text: str
    """The question as it was searched for."""
    gold: tuple[JudgedDocument, ...]
    arms: dict[str, ArmResult]


def judge(hits: Hits, relevance: Mapping[str, int], excerpt: Callable[[str], str]) -> ArmResult:
    """Measure the hits of one arm for one query."""
    ranking = [document for document, _ in hits]
    ranks = tuple(rank for rank, document in enumerate(ranking, start=1) if relevance.get(document, 0) > 0)
    shown = [
        JudgedDocument(id=document, relevance=relevance.get(document, 0), score=score, excerpt=excerpt(document))
        for document, score in hits[:SHOWN_HITS]
    ]
    return ArmResult(
        metrics={name: metric(ranking, relevance) for name, metric in METRICS.items()},
        first_positive=ranks[0] if ranks else None,
        positive_ranks=ranks,
        hits=tuple(shown),
    )


def gold_documents(relevance: Mapping[str, int], excerpt: Callable[[str], str]) -> tuple[JudgedDocument, ...]:
    """Return what answers a query, the most relevant first."""
    positive = sorted(((score, document) for document, score in relevance.items() if score > 0), key=lambda p: -p[0])
    return tuple(JudgedDocument(id=name, relevance=score, excerpt=excerpt(name)) for score, name in positive)


def values_of(results: Sequence[QueryResult], arm: str, metric: str) -> NDArray[np.float64]:
    """Return one value a query, in order, of shape (len(results),)."""
    return np.array([result.arms[arm].metrics[metric] for result in results], np.float64)


def write_results(path: Path, results: Sequence[QueryResult]) -> None:
    """Write one line a query."""
    path.write_bytes(msgspec.json.Encoder().encode_lines(results))


def read_results(path: Path) -> list[QueryResult]:
    """Read what ``write_results`` wrote.

    Raises:
        InvalidInput: the file is missing, empty or of another form.
    """
    try:
        results = msgspec.json.Decoder(QueryResult).decode_lines(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise InvalidInput(
            f"{path} was read for results query by query, as 'ragsvc evaluate retrieval --queries FILE' writes them; "
            f"found: {error}"
        ) from error
    if not results:
        raise InvalidInput(f"{path} holds no query: run 'ragsvc evaluate retrieval --queries {path}' again")
    return results
