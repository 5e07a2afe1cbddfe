"""Counters say what happened; labels never grow with what people send."""

from __future__ import annotations

from prometheus_client import REGISTRY

from ragsvc.observability import metrics
from tests.api.scripted_service import answer


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_an_answer_is_counted_with_its_stages_and_citations() -> None:
    """Model, outcome, proven citations, seconds per stage, and the generation that it came from."""
    before = value("ragsvc_answers_total", model="extractive", outcome="answered")
    proven = value("ragsvc_citations_total", outcome="proven")
    seconds = value("ragsvc_stage_seconds_sum", stage="retrieve")
    metrics.record_answer(answer())
    assert value("ragsvc_answers_total", model="extractive", outcome="answered") == before + 1
    assert value("ragsvc_citations_total", outcome="proven") == proven + 1
    assert abs(value("ragsvc_stage_seconds_sum", stage="retrieve") - seconds - 0.003) < 1e-9
    assert value("ragsvc_index_generation_last_used_seconds", generation="g1") > 0


def test_failures_and_withheld_citations_are_counted() -> None:
    """What did not reach the reader is visible to the operator."""
    failed = value("ragsvc_answers_total", model="m", outcome="model failed")
    withheld = value("ragsvc_citations_total", outcome="withheld")
    metrics.record_failure("m")
    metrics.record_withheld(2)
    assert value("ragsvc_answers_total", model="m", outcome="model failed") == failed + 1
    assert value("ragsvc_citations_total", outcome="withheld") == withheld + 2


def test_the_text_is_what_prometheus_reads() -> None:
    """Requests are there by route template."""
    metrics.record_request("GET", "/v1/documents/{document_id}", 200, 0.01)
    line = 'ragsvc_requests_total{method="GET",route="/v1/documents/{document_id}",status="200"}'
    assert line in metrics.render().decode()
