"""Measures what was trained on the labelled sets that its config names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ragsvc.evaluation.retrieval import RetrievalOptions, evaluate_retrieval
from ragsvc.training.config import Evaluated


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One arm on one set."""

    set: str
    arm: str
    queries: int
    ndcg_at_10: float
    recall_at_100: float


def measure(encoder: Path, sets: Sequence[Evaluated], root: Path) -> tuple[Score, ...]:
    """Return the scores of keywords, encoder and both on each set."""
    scores = []
    for labelled in sets:
        options = RetrievalOptions(
            split=labelled.split, domain=labelled.domain, embedder=str(encoder.absolute()), limit=labelled.limit
        )
        found = evaluate_retrieval(root / labelled.path, options)
        scores += [
            Score(
                set=Path(labelled.path).name,
                arm=arm,
                queries=found["n_queries"],
                ndcg_at_10=figures["ndcg@10"],
                recall_at_100=figures["recall@100"],
            )
            for arm, figures in found["arms"].items()
        ]
    return tuple(scores)
