"""``ragsvc serve`` as a process of its own: real sockets, real signals, a real home, a model that hangs."""

from __future__ import annotations

import contextlib
import json
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from ragsvc.api.server import run
from ragsvc.errors import SettingsError
from ragsvc.settings import Settings
from tests.api.serving import LAW, make_home, serving
from tests.servers.openai_chat import OpenAIChatServer, Reply

QUESTION = {"question": "押金什么时候退还？", "collection": "law"}
CHUNK = 16_384


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one small law."""
    return make_home(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAIChatServer]:
    """A chat model's server that starts to answer and then hangs."""
    with OpenAIChatServer(default=Reply(pieces=["押金", "应当"], fault="hangs")) as server:
        yield server


@pytest.fixture(scope="module")
def client(home: Path, model: OpenAIChatServer) -> Iterator[httpx.Client]:
    """A server whose chat model hangs, and whose uploads end at 1 MB."""
    own_model = {"model": "openai:test-model", "model_base_url": model.base_url, "model_api_key": model.api_key}
    with serving(home, **own_model, max_file_mb="1") as (_process, client):
        yield client


def test_an_extract_comes_over_the_wire_with_citations_that_hold(client: httpx.Client) -> None:
    """Every quotation is what the fetched text says at its offsets."""
    answer = client.post("/v1/ask", json={**QUESTION, "model": "extractive"}).json()
    assert answer["citations"]
    for citation in answer["citations"]:
        text = client.get(f"/v1/versions/{citation['version_id']}/text").json()["text"]
        assert text[citation["start"] : citation["end"]] == citation["quote"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_reader_who_leaves_cancels_the_model(client: httpx.Client, model: OpenAIChatServer, stream: bool) -> None:
    """The connection to the model's server is closed, in the middle of its answer, and the place is free again."""
    model.requests.clear()
    model.disconnects = 0
    if stream:
        with client.stream("POST", "/v1/ask", json={**QUESTION, "stream": True}) as response:
            lines = response.iter_lines()
            assert next(lines) == "event: passages"
            _wait_until(lambda: bool(model.requests))
    else:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/ask", json=QUESTION, timeout=6)
        assert model.requests
    assert model.wait_for_disconnect(5)
    _wait_until(lambda: _metric(client, "ragsvc_asks_in_flight") == 0)


def _wait_until(is_so: Callable[[], bool], limit_s: float = 20) -> None:
    end = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < end, f"not so within {limit_s} s"
        time.sleep(0.02)


def _metric(client: httpx.Client, name: str) -> float:
    line = next(line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{name} "))
    return float(line.split()[1])


def test_an_upload_is_stopped_by_what_really_came(client: httpx.Client, home: Path) -> None:
    """A body without a length is refused once it is over the limit, while the client is still sending."""
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\n'
    sent = 0
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as connection:
        connection.settimeout(20)
        connection.sendall(
            b"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + b"%x\r\n%b\r\n" % (len(form), form)
        )
        with contextlib.suppress(OSError):  # the server closes: it does not want the rest
            while sent < 64 << 20 and not select.select([connection], [], [], 0)[0]:
                connection.sendall(b"%x\r\n%b\r\n" % (CHUNK, b"x" * CHUNK))
                sent += CHUNK
        answer = connection.recv(CHUNK)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer
    assert b"connection: close" in answer.lower()
    assert 1 << 20 <= sent < 16 << 20
    assert list((home / "uploads").iterdir()) == []


def test_a_length_that_is_over_the_limit_is_refused_before_the_body(client: httpx.Client) -> None:
    """Nothing needs to be sent to be told."""
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as connection:
        connection.settimeout(20)
        connection.sendall(
            b"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        )
        assert connection.recv(CHUNK).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "question",
    [
        b'"' + b"a" * 1_500_000 + b'"',
        b'""',
        '"？！…"'.encode(),
        b'"\\ud800"',
        b'"\xff\xfe"',
        b'"a\\u0000"',
        b"7",
        b"null",
    ],
)
def test_questions_that_are_none_get_400_or_413(client: httpx.Client, question: bytes) -> None:
    """As a problem, from the whole stack: too long, empty, only punctuation, a lone surrogate, not UTF-8, NUL."""
    body = b'{"question":' + question + b"}"
    response = client.post("/v1/ask", content=body, headers={"content-type": "application/json"})
    assert response.status_code in (400, 413)
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("question", ["第" * 4000, "👨‍👩‍👧 押金呢？", "押金\u202e什么时候\u200b退还"])
def test_odd_questions_get_an_answer(client: httpx.Client, question: str) -> None:
    """Or an abstention; never an error."""
    answer = client.post("/v1/ask", json={"question": question, "collection": "law", "model": "extractive"})
    assert answer.status_code == 200


def test_uploaded_files_are_searchable_when_their_job_is_done(client: httpx.Client) -> None:
    """The process beside the server takes the job, also after it was killed once."""
    (worker,) = _job_processes(client)
    worker.kill()
    data, file = (
        {"collection": "notes", "domain": "general"},
        {"file": ("n.md", "# 便笺\n\n长颈鹿住在三楼。\n".encode())},
    )
    job = client.post("/v1/documents", data=data, files=file).json()
    events = client.get(f"/v1/jobs/{job['id']}/events").text.split("\n\n")
    last = json.loads(events[-2].partition("data: ")[2])
    assert (last["status"], last["result"]["documents"]) == ("done", 1), last
    found = client.post("/v1/search", json={"question": "长颈鹿住在哪里", "collection": "notes"}).json()
    assert "长颈鹿住在三楼" in found["hits"][0]["text"]


def _job_processes(client: httpx.Client) -> list[psutil.Process]:
    port = client.base_url.port
    server = next(p for p in psutil.Process().children() if f"--port {port}" in " ".join(p.cmdline()))
    return [child for child in server.children() if "spawn_main" in " ".join(child.cmdline())]


def test_a_request_in_flight_is_finished_after_sigterm(home: Path) -> None:
    """New connections are refused, the one that is open gets its answer, then the processes end."""
    with serving(home) as (process, client):
        children = psutil.Process(process.pid).children(recursive=True)
        form = (
            b'--b\r\nContent-Disposition: form-data; name="collection"\r\n\r\nlaw\r\n'
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="law.md"\r\n\r\n'
            + LAW.encode()
            + b"\r\n--b--\r\n"
        )
        with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as connection:
            connection.settimeout(20)
            connection.sendall(
                b"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                b"Content-Length: %d\r\n\r\n" % len(form) + form[:100]
            )
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            with pytest.raises(httpx.ConnectError):
                client.get("/health/live")
            connection.sendall(form[100:])
            assert connection.recv(CHUNK).startswith(b"HTTP/1.1 202 ")
        process.wait(timeout=20)
        _, alive = psutil.wait_procs(children, timeout=10)
        assert alive == []


def test_two_workers_share_a_home_and_their_counts(home: Path) -> None:
    """Each answers from the same index, and /metrics adds up what both did, whichever is asked."""
    with serving(home, "--workers", "2") as (_process, client):
        for _ in range(12):
            response = httpx.post(f"{client.base_url}/v1/ask", json=QUESTION, timeout=30, trust_env=False)
            assert response.status_code == 200
        text = client.get("/metrics").text
    assert 'ragsvc_requests_total{method="POST",route="/v1/ask",status="200"} 12.0' in text


def test_without_a_key_nothing_is_opened_to_others(tmp_path: Path) -> None:
    """The refusal comes before any port is opened, and says what to do."""
    with pytest.raises(SettingsError, match="ragsvc keys create"):
        run(Settings(home=tmp_path / "home"), host="0.0.0.0", port=0, workers=1)
