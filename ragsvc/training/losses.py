"""The losses of the objectives; functions, because torch is imported only when training starts."""

from __future__ import annotations

from typing import Any

from ragsvc.training.config import Stage


def make_loss(model: Any, stage: Stage, classes: int) -> Any:
    """Return a sentence-transformers loss for batches of ``PlannedBatches``.

    ``contrastive`` is a softmax of the cosines over the batch (van den Oord et al. 2018), ``cosent`` Su's loss over
    the order of scored pairs as Text2Vec is trained, ``multilabel`` one yes or no for each class.

    Args:
        model: the SentenceTransformer that is trained.
        stage: scale, symmetry, twins, Matryoshka dimensions.
        classes: how many there are, for ``multilabel``.
    """
    from sentence_transformers.sentence_transformer.losses import CoSENTLoss, MatryoshkaLoss

    loss: Any
    if stage.objective == "cosent":
        loss = CoSENTLoss(model, scale=stage.scale)
    elif stage.objective == "multilabel":
        loss = _class_loss(model, classes)
    else:
        loss = _ranking_loss(model, stage)
    return MatryoshkaLoss(model, loss, list(stage.matryoshka)) if stage.matryoshka else loss


def _ranking_loss(model: Any, stage: Stage) -> Any:
    import torch
    from torch.nn.functional import cross_entropy, normalize

    class RankingLoss(torch.nn.Module):
        """Softmax over the right passage and all others of the batch but those that may be right too.

        Statutes repeat each other (old and new interpretations, laws of one kind), and a question fits every copy:
        known right passages are left out by the labels, near-copies of the row's own by their cosine with it.
        """

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, sentence_features: Any, labels: torch.Tensor) -> torch.Tensor:
            vectors = [normalize(self.model(column)["sentence_embedding"], dim=1) for column in sentence_features]
            queries, passages = vectors[0], torch.cat(vectors[1:])
            rows = len(queries)
            left_out = labels.view(rows, len(passages))
            if stage.twin_cosine < 1:
                with torch.no_grad():
                    twins = passages[:rows] @ passages.T > stage.twin_cosine
                    twins.fill_diagonal_(False)
                left_out = left_out | twins
            scores = (stage.scale * queries @ passages.T).masked_fill(left_out, -torch.inf)
            right = torch.arange(rows, device=scores.device)
            loss = cross_entropy(scores, right)
            return (loss + cross_entropy(scores[:, :rows].T, right)) / 2 if stage.symmetric else loss

    return RankingLoss()


def _class_loss(model: Any, classes: int) -> Any:
    import torch

    class ClassLoss(torch.nn.Module):
        """A linear layer over the questions' vectors and binary cross-entropy over the classes.

        What is published of Lawyer LLaMA's retriever: RoBERTa-wwm-ext fine-tuned on consultations with up to three
        necessary articles each; the released module holds a label dictionary and is called a classifier, which is
        consistent with this. Loss, data size and code are not published.
        """

        def __init__(self) -> None:
            super().__init__()
            self.model = model
            self.head = torch.nn.Linear(int(model.get_embedding_dimension()), classes)

        def forward(self, sentence_features: Any, labels: torch.Tensor) -> torch.Tensor:
            vectors = self.model(sentence_features[0])["sentence_embedding"]
            found: torch.Tensor = torch.nn.functional.binary_cross_entropy_with_logits(
                self.head(vectors * vectors.shape[1] ** 0.5), labels.to(vectors.dtype), reduction="sum"
            )
            return found / len(labels)

    return ClassLoss()
