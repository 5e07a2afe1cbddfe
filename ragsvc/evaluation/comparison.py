"""Two runs on the same queries, compared query by query.

A difference is second minus first: above zero, the second run is better.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from ragsvc.errors import InvalidInput
from ragsvc.evaluation.metrics import METRICS, paired_interval
from ragsvc.evaluation.results import JudgedDocument, QueryResult, read_results, values_of

DEFAULT_ARM = "hybrid"


class Side(Struct, frozen=True, kw_only=True):
    """One of the two runs."""

    file: str
    arm: str
    left_out: int
    """Queries that the other run does not have."""


class MetricDifference(Struct, frozen=True, kw_only=True):
    """Means of both runs, mean difference and its 95 % interval by paired bootstrap."""

    first: float
    second: float
    difference: float
    ci95: tuple[float, float]
    wins: int
    """Queries on which the second run is better."""
    losses: int
    ties: int


class QueryDifference(Struct, frozen=True, kw_only=True):
    """One query and what each run put first."""

    query: str
    text: str
    difference: float
    first: float
    second: float
    gold: tuple[JudgedDocument, ...]
    first_hits: tuple[JudgedDocument, ...]
    second_hits: tuple[JudgedDocument, ...]


class Comparison(Struct, frozen=True, kw_only=True):
    """Two runs side by side; ``queries`` are sorted by difference, the worst losses of the second first."""

    first: Side
    second: Side
    n_queries: int
    metric: str
    """What ``queries`` are sorted by."""
    metrics: dict[str, MetricDifference]
    queries: tuple[QueryDifference, ...]


def compare_files(first: str, second: str, *, metric: str = "ndcg@10", seed: int = 0) -> Comparison:
    """Compare two arms, each named ``FILE`` (its hybrid arm) or ``FILE#ARM``; the files may be one.

    Raises:
        InvalidInput: a file cannot be read, has no such arm, there is no such metric, the two share no query, or
            judge a query differently.
    """
    if metric not in METRICS:
        raise InvalidInput(f"metric {metric!r} was asked for; there are {', '.join(METRICS)}")
    (file_a, arm_a, results_a), (file_b, arm_b, results_b) = _read(first), _read(second)
    pairs = [(results_a[query], results_b[query]) for query in results_a if query in results_b]
    if not pairs:
        raise InvalidInput(f"{file_a} and {file_b} have no query in common: they are of different sets or splits")
    for a, b in pairs:
        if {d.id: d.relevance for d in a.gold} != {d.id: d.relevance for d in b.gold}:
            raise InvalidInput(f"{file_a} and {file_b} judge the query {a.query!r} differently: not the same set")
    metrics = {name: _difference(pairs, (arm_a, arm_b), name, seed) for name in METRICS}
    queries = [_of_query(a, b, (arm_a, arm_b), metric) for a, b in pairs]
    return Comparison(
        first=Side(file=file_a, arm=arm_a, left_out=len(results_a) - len(pairs)),
        second=Side(file=file_b, arm=arm_b, left_out=len(results_b) - len(pairs)),
        n_queries=len(pairs),
        metric=metric,
        metrics=metrics,
        queries=tuple(sorted(queries, key=lambda found: found.difference)),
    )


def _read(name: str) -> tuple[str, str, dict[str, QueryResult]]:
    file, _, arm = name.partition("#")
    arm = arm or DEFAULT_ARM
    results = read_results(Path(file))
    if missing := next((result for result in results if arm not in result.arms), None):
        raise InvalidInput(f"{file} has no arm {arm!r} but {', '.join(missing.arms)}: name one as {file}#ARM")
    return file, arm, {result.query: result for result in results}


def _difference(
    pairs: list[tuple[QueryResult, QueryResult]], arms: tuple[str, str], metric: str, seed: int
) -> MetricDifference:
    first = values_of([a for a, _ in pairs], arms[0], metric)
    second = values_of([b for _, b in pairs], arms[1], metric)
    mean, low, high = paired_interval(second, first, seed)
    wins, losses = int((second > first).sum()), int((second < first).sum())
    return MetricDifference(
        first=round(float(first.mean()), 4),
        second=round(float(second.mean()), 4),
        difference=round(mean, 4),
        ci95=(round(low, 4), round(high, 4)),
        wins=wins,
        losses=losses,
        ties=len(pairs) - wins - losses,
    )


def _of_query(a: QueryResult, b: QueryResult, arms: tuple[str, str], metric: str) -> QueryDifference:
    first, second = a.arms[arms[0]], b.arms[arms[1]]
    return QueryDifference(
        query=a.query,
        text=b.text,
        difference=round(second.metrics[metric] - first.metrics[metric], 4),
        first=round(first.metrics[metric], 4),
        second=round(second.metrics[metric], 4),
        gold=b.gold,
        first_hits=first.hits,
        second_hits=second.hits,
    )
