"""The head of the interaction reranker: weights under which the right hit of a list comes first. numpy only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Loss = Callable[[Floats], tuple[float, Floats]]
_STEPS = 300
_ENOUGH = 1e-4
_CUT = 10


class Lists(Struct, frozen=True, kw_only=True):
    """The first hits of a source's questions, best first by their fused scores; rows are questions, padded."""

    name: str
    weight: float
    features: Floats
    """Shape (n, hits, features), standardised."""
    fused: Floats
    """Shape (n, hits)."""
    right: NDArray[np.bool_]
    real: NDArray[np.bool_]
    """False where a list is shorter."""
    answers: NDArray[np.int64]
    """Shape (n,): right documents of each question, found or not."""

    def ndcg(self, head: Floats, fused: float) -> Floats:
        """Return nDCG@10 of each question, shape (n,); what is not on the list counts as not found."""
        scores = np.where(self.real, self.features @ head + fused * self.fused, -np.inf)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :_CUT]
        discounts = 1 / np.log2(np.arange(2, _CUT + 2))
        ideal = np.cumsum(discounts)[np.minimum(self.answers, _CUT) - 1]
        gained = (np.take_along_axis(self.right, order, axis=1) * discounts[: order.shape[1]]).sum(axis=1)
        reached: Floats = gained / ideal
        return reached

    def learnable(self) -> Lists:
        """Return the questions that have a right and a wrong hit on their list."""
        kept = self.right.any(axis=1) & (self.real & ~self.right).any(axis=1)
        parts = {name: getattr(self, name)[kept] for name in ("features", "fused", "right", "real", "answers")}
        return Lists(name=self.name, weight=self.weight, **parts)


def fit_head(sources: Sequence[Lists], *, fused: float, l1: float) -> Floats:
    """Return the weights of the features, shape (features,), that minimise a listwise softmax loss.

    The loss is convex, so the same lists give the same weights. The weight of the fused score is given, not learned:
    the learned one is half as large and loses a third of the gain on sets of other origin.

    Args:
        sources: a question counts for ``weight`` of its source over the root of the source's number of questions.
        fused: weight of the fused score.
        l1: penalty on the absolute weights (Lasso), which drops what does not help.
    """
    lists = [source.learnable() for source in sources]
    features, base, right, real = (
        np.concatenate([getattr(one, name) for one in lists]) for name in ("features", "fused", "right", "real")
    )
    share = np.concatenate([np.full(len(one.fused), one.weight * max(len(one.fused), 1) ** -0.5) for one in lists])
    share /= share.sum()
    target = right / right.sum(axis=1, keepdims=True)

    def loss(head: Floats) -> tuple[float, Floats]:
        scores = np.where(real, features @ head + fused * base, -np.inf)
        scores -= scores.max(axis=1, keepdims=True)
        likely = np.exp(scores)
        total = likely.sum(axis=1, keepdims=True)
        logs = np.where(right, scores - np.log(total), 0.0)
        slope = np.einsum("q,qh,qhf->f", share, likely / total - target, features)
        return -float(share @ (logs * target).sum(axis=1)), slope

    return _minimise(loss, np.zeros(features.shape[-1]), l1)


def _minimise(loss: Loss, head: Floats, l1: float) -> Floats:
    """Fast iterative shrinkage (Beck & Teboulle 2009, https://doi.org/10.1137/080716542)."""
    ahead, momentum, step = head, 1.0, 1.0
    for _ in range(_STEPS):
        value, slope = loss(ahead)
        while True:
            moved = ahead - step * slope
            moved = np.sign(moved) * np.maximum(np.abs(moved) - step * l1, 0.0)
            way = moved - ahead
            if loss(moved)[0] <= value + slope @ way + way @ way / (2 * step) + 1e-12:
                break
            step /= 2
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = moved + (momentum - 1) / following * (moved - head)
        change, head, momentum = float(np.abs(moved - head).max()), moved, following
        if change < _ENOUGH:
            break
    return head
