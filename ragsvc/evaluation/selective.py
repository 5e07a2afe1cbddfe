"""Answering only some questions: what that costs, what it saves, and what can be promised. Pure functions.

A question has a score; it is answered when the score reaches a threshold. *Risk* is the share of the answered that
should not have been, *coverage* the share of all that is answered (El-Yaniv and Wiener 2010, JMLR 11). How many
questions from outside were tried is chance, so both kinds count half, however many there are of each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

CONFIDENCE = 0.95


class CurvePoint(Struct, frozen=True, kw_only=True):
    """What one threshold does, as shares."""

    threshold: float
    coverage: float
    risk: float
    answered: float
    """Of the answerable questions."""
    let_through: float
    """Of the others."""
    let_through_at_most: float
    """Its upper bound, see ``upper_bound``; for this threshold alone, not for all at once."""


class Promise(Struct, frozen=True, kw_only=True):
    """What a threshold lets through, from questions that had no part in choosing it.

    The bounds are Clopper and Pearson's (1934), one-sided, of ``CONFIDENCE``: whatever the scores are like, they hold
    for questions drawn as these were, each by itself.
    """

    let_through: int
    n_outside: int
    let_through_at_most: float
    refused: int
    n_answerable: int
    refused_at_most: float


def upper_bound(k: int, n: int, confidence: float = CONFIDENCE) -> float:
    """Return the largest share with which ``k`` or fewer of ``n`` still come in 1 - ``confidence`` of all tries."""
    from scipy.stats import beta  # type: ignore[import-untyped]

    return 1.0 if k >= n else float(beta.ppf(confidence, k + 1, n - k))


def promise(good: Sequence[float], bad: Sequence[float], threshold: float) -> Promise:
    """Return what ``threshold`` does to scores of answerable (``good``) and other questions that it never saw."""
    let_through, refused = sum(score >= threshold for score in bad), sum(score < threshold for score in good)
    return Promise(
        let_through=let_through,
        n_outside=len(bad),
        let_through_at_most=round(upper_bound(let_through, len(bad)), 4),
        refused=refused,
        n_answerable=len(good),
        refused_at_most=round(upper_bound(refused, len(good)), 4),
    )


def risk_coverage(good: Sequence[float], bad: Sequence[float]) -> list[CurvePoint]:
    """Return a point for every score as threshold, the strictest first. Neither kind of question may be missing."""
    points = []
    goods, bads = np.sort(np.asarray(good, float)), np.sort(np.asarray(bad, float))
    for threshold in sorted({*good, *bad}, reverse=True):
        answered = float((goods >= threshold).mean())
        n_through = int((bads >= threshold).sum())
        let_through = n_through / len(bads)
        points.append(
            CurvePoint(
                threshold=float(threshold),
                coverage=(answered + let_through) / 2,
                risk=let_through / (answered + let_through),
                answered=answered,
                let_through=let_through,
                let_through_at_most=upper_bound(n_through, len(bads)),
            )
        )
    return points


def area_under(points: Sequence[CurvePoint]) -> float:
    """Return the mean risk over all coverages (AURC): half where scores say nothing, ``LEAST_AREA`` at the best.

    Between two thresholds the answered questions are added evenly, as ties are broken by lot.
    """
    area, coverage, wrong = 0.0, 0.0, 0.0
    for point in points:
        step, more = point.coverage - coverage, point.let_through / 2 - wrong
        if step <= 0:
            continue
        # The risk between the two is (wrong + slope x) / (coverage + x), integrated over x in [0, step].
        slope = more / step
        area += slope * step
        if coverage:
            area += (wrong - slope * coverage) * float(np.log((coverage + step) / coverage))
        coverage, wrong = point.coverage, point.let_through / 2
    return round(area, 4)


LEAST_AREA = round(0.5 - 0.5 * float(np.log(2)), 4)
"""Of scores that put every answerable question above every other: no risk up to half, (c - 1/2) / c beyond."""
