"""Every error is a problem of RFC 9457, and none tells what it should not."""

from __future__ import annotations

import logging

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from ragsvc import errors
from ragsvc.api.errors import TABLE, kind_of, problem_of
from tests.api.scripted_service import ScriptedService

Client = TestClient[Litestar]


def subclasses(of: type[Exception]) -> set[type[Exception]]:
    return {of}.union(*(subclasses(child) for child in of.__subclasses__()))


def test_each_error_has_the_status_that_the_vocabulary_states() -> None:
    """The numbers drawn in errors.py are what HTTP gives; nothing of ours falls through to 500 unnamed."""
    drawn = errors.__doc__ or ""
    for error in TABLE:
        line = next(line for line in drawn.splitlines() if f" {error.__name__} " in f"{line} ")
        stated = [int(word) for word in line.split() if word.isdigit()]
        assert stated in ([], [TABLE[error].status]), error
    for error in subclasses(errors.RagsvcError) - {errors.RagsvcError}:
        assert kind_of(error) is not None
        assert any(parent in TABLE for parent in error.__mro__), error


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("GET", "/v1/../etc/passwd", 404),
        ("GET", "/page/nope.js", 404),
        ("GET", "/page/%2e%2e/app.py", 404),
        ("GET", "/page/..%2fapp.py", 404),
        ("GET", "/schema/page/../../app.py", 404),
        ("GET", "/schema/nope", 404),
        ("GET", "/schema/nope.json", 404),
        ("GET", "/v1/ask", 405),
        ("PUT", "/v1/documents", 405),
        ("POST", "/", 405),
        ("POST", "/v1/ask", 415),
        ("GET", "/v1/documents/\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), 404),
    ],
)
def test_errors_of_http_itself_are_problems(client: Client, method: str, path: str, status: int) -> None:
    """Unknown addresses, other methods, other media types: title, detail and status, and no path of this machine."""
    response = client.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == {"type", "title", "status", "detail"}
    assert problem["status"] == status
    assert problem["type"].startswith("urn:ragsvc:problem:")
    assert "ragsvc/api" not in response.text
    if status == 405:
        assert response.headers["allow"]


def test_a_body_over_a_megabyte_is_413(client: Client, service: ScriptedService) -> None:
    """Whether it says so at once or only comes; a question to a model has room for pictures."""
    big = b'{"question":"' + b"a" * 1_000_000 + b'"}'
    assert client.post("/v1/ask", content=big, headers={"content-type": "application/json"}).status_code == 400
    for content in (big, iter([big[:500_000], big[500_000:]])):
        response = client.post("/v1/search", content=content, headers={"content-type": "application/json"})
        assert response.status_code == 413
        assert "1,000,000 bytes" in response.json()["detail"]
    assert service.asked == []


def test_an_unexpected_failure_says_nothing_and_logs_no_message(
    client: Client, service: ScriptedService, caplog: pytest.LogCaptureFixture
) -> None:
    """500 as a problem, without traceback, type or message."""
    service.fault = ZeroDivisionError("secret 违约怎么办")
    response = client.post("/v1/ask", json={"question": "违约怎么办"})
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    for word in ("secret", "ZeroDivision", "Traceback", "违约"):
        assert word not in response.text
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None


def test_a_damaged_file_is_named_in_the_log_only() -> None:
    """Its path is the operator's business; the client is told what the operator should run."""
    problem = problem_of(errors.IndexDamaged("/srv/home/generations/7/faiss", "SHA-256 differs"))
    assert problem.status == 500
    assert "/srv" not in problem.detail
    assert "index verify" in problem.detail


def test_overload_says_when_to_come_back(client: Client, service: ScriptedService) -> None:
    """Whole seconds, at least one."""
    service.fault = errors.Overloaded("busy", retry_after_s=0.2)
    response = client.post("/v1/ask", json={"question": "违约"})
    assert response.status_code == 429
    assert response.headers["retry-after"] == "1"


def test_every_response_has_an_id_and_safe_headers(client: Client) -> None:
    """Errors and successes alike, and two requests never share an id."""
    responses = [client.get("/health/live"), client.get("/nope"), client.get("/"), client.get("/v1/ask")]
    assert len({response.headers["x-request-id"] for response in responses}) == 4
    for response in responses:
        assert response.headers["x-content-type-options"] == "nosniff"
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy


def test_requests_are_logged_by_template_without_what_was_asked(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """One line each: method, template, status, time. No question, citation, id or key."""
    caplog.set_level(logging.INFO)
    client.get("/v1/lookup", params={"citation": "民法典577条"})
    client.post("/v1/ask", json={"question": "我的离婚官司"}, headers={"x-api-key": "rsk_secret"})
    client.get("/v1/documents/my-document")
    lines = [record for record in caplog.records if record.name == "ragsvc.access"]
    assert [(r.getMessage(), vars(r)["status"]) for r in lines] == [
        ("GET /v1/lookup", 200),
        ("POST /v1/ask", 200),
        ("GET /v1/documents/{document_id}", 404),
    ]
    for record in caplog.records:
        if record.name == "httpx":  # the client of this test
            continue
        text = " ".join(str(value) for value in vars(record).values())
        for word in ("民法典", "离婚", "rsk_secret", "my-document"):
            assert word not in text


def test_health_and_metrics(client: Client, service: ScriptedService) -> None:
    """Alive is not ready; what is missing is said; metrics count by template."""
    service.is_ready = (False, "nothing was ingested yet")
    assert client.get("/health/live").json() == {"status": "ok"}
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["detail"] == "nothing was ingested yet"
    service.is_ready = (True, "")
    assert client.get("/health/ready").status_code == 200
    metrics = client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'route="/health/ready",status="503"' in metrics.text
