"""Risk, coverage and what can be promised of a threshold."""

from __future__ import annotations

from random import Random

import pytest

from ragsvc.evaluation.selective import LEAST_AREA, area_under, promise, risk_coverage, upper_bound


@pytest.mark.parametrize(
    ("k", "n", "bound"),
    [(0, 59, 0.0495), (0, 1, 0.95), (5, 100, 0.1023), (100, 100, 1.0), (0, 0, 1.0)],
)
def test_the_bound_is_that_of_clopper_and_pearson(k: int, n: int, bound: float) -> None:
    """Tabled values; with no question tried nothing is promised."""
    assert upper_bound(k, n) == pytest.approx(bound, abs=1e-4)


def test_the_bound_holds_as_often_as_it_says() -> None:
    """Of 400 tries of 60 questions that pass with chance .07, the bound is under .07 in about one in twenty at most."""
    chance = Random(0)
    failures = sum(upper_bound(sum(chance.random() < 0.07 for _ in range(60)), 60) < 0.07 for _ in range(400))
    assert failures <= 0.05 * 400 + 10


def test_a_promise_counts_what_reaches_the_threshold() -> None:
    """A score on the threshold is answered, whichever kind the question is of."""
    made = promise([0.9, 0.5, 0.2], [0.5, 0.1], 0.5)
    assert (made.let_through, made.n_outside, made.refused, made.n_answerable) == (1, 2, 1, 3)
    assert made.let_through_at_most == pytest.approx(upper_bound(1, 2), abs=1e-4)


def test_the_curve_goes_from_the_strictest_threshold_to_none() -> None:
    """Both kinds count half, however many there are of each."""
    points = risk_coverage([0.9, 0.8], [0.85, 0.1, 0.1, 0.1])
    assert [point.threshold for point in points] == [0.9, 0.85, 0.8, 0.1]
    assert [point.answered for point in points] == [0.5, 0.5, 1.0, 1.0]
    assert [point.let_through for point in points] == [0.0, 0.25, 0.25, 1.0]
    assert points[1].risk == pytest.approx(0.25 / 0.75)
    assert (points[-1].coverage, points[-1].risk) == (1.0, 0.5)


def test_the_area_tells_a_good_score_from_none() -> None:
    """Apart: the least; all alike: half; the wrong way round: more."""
    assert area_under(risk_coverage([0.9] * 50, [0.1] * 30)) == pytest.approx(LEAST_AREA, abs=1e-4)
    assert area_under(risk_coverage([0.5] * 50, [0.5] * 30)) == pytest.approx(0.5)
    assert area_under(risk_coverage([0.1] * 50, [0.9] * 30)) > 0.8
