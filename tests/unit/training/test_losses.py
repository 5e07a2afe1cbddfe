from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ragsvc.training.config import Stage
from ragsvc.training.losses import make_loss


def stage(**settings: Any) -> Stage:
    return Stage(**{"objective": "contrastive", "learning_rate": 0.1, **settings})


@pytest.fixture
def columns() -> tuple[Any, list[Any]]:
    """Return a model that hands vectors through, and random columns of 5 vectors: questions, passages, negatives."""
    import torch

    class Through(torch.nn.Module):
        def forward(self, features: dict[str, Any]) -> dict[str, Any]:
            return features

        def get_embedding_dimension(self) -> int:
            return 8

    torch.manual_seed(3)
    return Through(), [{"sentence_embedding": torch.randn(5, 8)} for _ in range(3)]


def expected(columns: list[Any], mask: Any, scale: float, *, symmetric: bool) -> float:
    """Return the loss by numpy, term by term."""
    unit = [c["sentence_embedding"].numpy() for c in columns]
    unit = [c / np.linalg.norm(c, axis=1, keepdims=True) for c in unit]
    scores = scale * unit[0] @ np.concatenate(unit[1:]).T
    forth = np.log(np.where(mask, 0, np.exp(scores)).sum(axis=1)) - np.diag(scores)
    back = np.log(np.where(mask, 0, np.exp(scores))[:, :5].sum(axis=0)) - np.diag(scores)
    return float((forth.mean() + back.mean()) / 2 if symmetric else forth.mean())


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_ranking_loss_leaves_out_what_may_be_right(columns: tuple[Any, list[Any]], symmetric: bool) -> None:
    """Hard negatives count, masked columns do not: equal to the sum written out."""
    import torch

    model, vectors = columns
    mask = np.zeros((5, 10), bool)
    mask[0, 1] = mask[2, 9] = True
    loss = make_loss(model, stage(symmetric=symmetric), 0)
    assert loss(vectors, torch.from_numpy(mask).ravel()).item() == pytest.approx(
        expected(vectors, mask, 20.0, symmetric=symmetric), rel=1e-4
    )


def test_without_masks_it_is_the_loss_of_sentence_transformers(columns: tuple[Any, list[Any]]) -> None:
    """Pairs alone, both directions: MultipleNegativesRankingLoss of sentence-transformers, value for value."""
    import torch
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    model, vectors = columns
    theirs = MultipleNegativesRankingLoss(
        model, directions=("query_to_doc", "doc_to_query"), partition_mode="per_direction"
    )
    known = theirs.compute_loss_from_embeddings([v["sentence_embedding"] for v in vectors[:2]], torch.zeros(5))
    found = make_loss(model, stage(), 0)(vectors[:2], torch.zeros(25, dtype=torch.bool))
    assert found.item() == pytest.approx(known.item(), rel=1e-5)


def test_near_copies_of_the_right_passage_are_no_negatives(columns: tuple[Any, list[Any]]) -> None:
    """A twin above the cosine is masked in its row and column, without any label saying so."""
    import torch

    model, vectors = columns
    vectors[1]["sentence_embedding"][3] = vectors[1]["sentence_embedding"][1] + 0.01
    twins = np.zeros((5, 10), bool)
    twins[1, 3] = twins[3, 1] = True
    none = torch.zeros(50, dtype=torch.bool)
    found = make_loss(model, stage(twin_cosine=0.99), 0)(vectors, none).item()
    assert found == pytest.approx(expected(vectors, twins, 20.0, symmetric=True), rel=1e-4)
    assert found < make_loss(model, stage(), 0)(vectors, none).item()
