"""Counters and timings in Prometheus' format. One registry per process; several workers share a folder of files."""

from __future__ import annotations

import os
from collections.abc import Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client import generate_latest as _render
from prometheus_client.multiprocess import MultiProcessCollector

from ragsvc.records import Answer

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, read by nobody

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

REQUESTS = Counter("ragsvc_requests_total", "HTTP requests by route template", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("ragsvc_request_seconds", "Time to the last byte", ["route"], buckets=_SECONDS)
IN_FLIGHT = Gauge("ragsvc_asks_in_flight", "Questions being answered", multiprocess_mode="livesum")
STAGE_SECONDS = Histogram("ragsvc_stage_seconds", "Time per stage of an answer or search", ["stage"], buckets=_SECONDS)
ANSWERS = Counter("ragsvc_answers_total", "Answers by model and outcome", ["model", "outcome"])
CITATIONS = Counter("ragsvc_citations_total", "Citations by outcome of their check", ["outcome"])
GENERATION = Gauge(
    "ragsvc_index_generation_last_used_seconds",
    "When an index generation last gave an answer, in seconds since 1970",
    ["generation"],
    multiprocess_mode="max",
)
JOBS = Counter("ragsvc_jobs_total", "Jobs taken in, by kind", ["kind"])


def record_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one HTTP request; ``route`` is the template, never the path, so that ids do not become labels."""
    REQUESTS.labels(method, route, status).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)


def record_stages(timings_ms: Mapping[str, float]) -> None:
    """Observe the time of each stage, given in milliseconds."""
    for stage, milliseconds in timings_ms.items():
        STAGE_SECONDS.labels(stage).observe(milliseconds / 1000)


def record_answer(answer: Answer) -> None:
    """Count an answer, what became of its question, and the citations that passed."""
    outcome = "asked back" if answer.clarify else "abstained" if answer.abstained else "answered"
    ANSWERS.labels(answer.model, outcome).inc()
    CITATIONS.labels("proven").inc(len(answer.citations))
    GENERATION.labels(answer.index_generation).set_to_current_time()
    record_stages(answer.timings_ms)


def record_failure(model: str) -> None:
    """Count a question whose model failed."""
    ANSWERS.labels(model, "model failed").inc()


def record_withheld(n_citations: int) -> None:
    """Count citations that could not be proven and were withheld from the reader."""
    CITATIONS.labels("withheld").inc(n_citations)


def render() -> bytes:
    """Return all metrics as text, of every worker when ``PROMETHEUS_MULTIPROC_DIR`` is set."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return _render(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return _render(registry)
