from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ragsvc.embedding import open_embedder
from ragsvc.embedding.remote import open_remote_embedder
from ragsvc.errors import SettingsError, UpstreamFailed, UpstreamTimeout
from ragsvc.model_catalogue import EmbeddingCard
from ragsvc.protocols import Embedder

SECRET = "sk-never-shown"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda seconds: None))


def vector(text: str) -> list[float]:
    return [float(len(text)), float(text.count("a")), 1.0]


def answer(request: Request) -> Response:
    """Answer as OpenAI does, rows in reverse order, as the specification allows."""
    rows = [
        {"object": "embedding", "index": i, "embedding": vector(t)} for i, t in enumerate(request.get_json()["input"])
    ]
    return Response(json.dumps({"object": "list", "data": rows[::-1]}), content_type="application/json")


def card(server: HTTPServer, **facts: Any) -> EmbeddingCard:
    facts = {"vendor": "", "kind": "api", "family": "openai", "base_url": server.url_for("/v1"), **facts}
    return EmbeddingCard(name="embed-it", model="embed-it", **facts)


def opened(server: HTTPServer, **facts: Any) -> Embedder:
    return open_remote_embedder(card(server, **facts), SECRET)


def unit(texts: list[str]) -> np.ndarray[Any, Any]:
    rows = np.array([vector(text) for text in texts], np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_rows_are_put_back_in_the_order_of_their_index(httpserver: HTTPServer) -> None:
    """More texts than one request takes, answered backwards: each text gets its own vector, of length one."""
    httpserver.expect_request("/v1/embeddings", headers={"Authorization": f"Bearer {SECRET}"}).respond_with_handler(
        answer
    )
    texts = ["a" * (i % 7) + "b" * i for i in range(1, 151)]
    embedder = opened(httpserver)
    np.testing.assert_allclose(embedder.embed_passages(texts), unit(texts), atol=1e-6)
    assert [len(r.get_json()["input"]) for r, _ in httpserver.log] == [32, 32, 32, 32, 22]
    assert embedder.dim == 3
    assert len(httpserver.log) == 5  # the dimension was known from the first answer
    assert embedder.embedder_id == f"openai:embed-it@{httpserver.host}:{httpserver.port}"


def test_prefixes_are_sent_and_empty_texts_are_not(httpserver: HTTPServer) -> None:
    """A text of white space is a zero row that the service never sees; the prefix stands before every other."""
    httpserver.expect_request("/v1/embeddings").respond_with_handler(answer)
    embedder = opened(httpserver, query_prefix="q: ", passage_prefix="p: ")
    found = embedder.embed_passages(["one", " ", "two"])
    assert not found[1].any()
    assert httpserver.log[0][0].get_json() == {"model": "embed-it", "input": ["p: one", "p: two"]}
    embedder.embed_queries(["three"])
    assert httpserver.log[1][0].get_json()["input"] == ["q: three"]
    assert embedder.embed_queries([]).shape == (0, 3)


def test_the_dimension_is_asked_for_when_nothing_was_embedded_yet(httpserver: HTTPServer) -> None:
    """``dim`` costs one request, once."""
    httpserver.expect_request("/v1/embeddings").respond_with_handler(answer)
    embedder = opened(httpserver)
    assert (embedder.dim, embedder.dim, len(httpserver.log)) == (3, 3, 1)


def test_a_refused_key_is_said_once_and_never_shown(httpserver: HTTPServer) -> None:
    """401 is not tried again; the message has the service's words without the key that it echoes."""
    body = {"error": {"message": f"Incorrect API key provided: {SECRET}", "code": "invalid_api_key"}}
    httpserver.expect_request("/v1/embeddings").respond_with_json(body, status=401)
    with pytest.raises(UpstreamFailed, match=r"HTTP 401: Incorrect API key provided: \*\*\*\. Check the API key") as e:
        opened(httpserver).embed_queries(["x"])
    assert SECRET not in repr(e.getrepr(style="long"))
    assert len(httpserver.log) == 1


def test_too_many_requests_passes(httpserver: HTTPServer) -> None:
    """429 twice, then an answer: the caller sees the answer only."""
    for _ in range(2):
        httpserver.expect_ordered_request("/v1/embeddings").respond_with_json({"error": "slow down"}, status=429)
    httpserver.expect_ordered_request("/v1/embeddings").respond_with_handler(answer)
    np.testing.assert_allclose(opened(httpserver).embed_queries(["abc"]), unit(["abc"]), atol=1e-6)


def test_a_broken_server_is_given_up_after_four_attempts(httpserver: HTTPServer) -> None:
    """500 again and again becomes UpstreamFailed with the host, the model and what the server said."""
    httpserver.expect_request("/v1/embeddings").respond_with_data("out of memory", status=500)
    with pytest.raises(UpstreamFailed, match=rf"{httpserver.port} \(model embed-it\) answered HTTP 500: out of memory"):
        opened(httpserver).embed_queries(["x"])
    assert len(httpserver.log) == 4


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        '{"data": [{"index": 0}]}',
        '{"data": []}',
        '{"data": [{"index": 1, "embedding": [1.0]}]}',
        '{"data": [{"index": 0, "embedding": []}]}',
        '{"data": [{"index": 0, "embedding": ["x"]}]}',
        '{"data": [{"index": 0, "embedding": [1e999]}]}',
    ],
)
def test_malformed_answers_are_named(httpserver: HTTPServer, body: str) -> None:
    """A 200 that is no list of one finite vector per text is UpstreamFailed, never a wrong vector."""
    httpserver.expect_request("/v1/embeddings").respond_with_data(body, content_type="application/json")
    with pytest.raises(UpstreamFailed, match="sent what is no list of vectors"):
        opened(httpserver).embed_queries(["x"])


def test_ragged_rows_and_changing_lengths_are_named(httpserver: HTTPServer) -> None:
    """Vectors of different lengths, in one answer or over two, are refused."""
    ragged = {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}]}
    httpserver.expect_ordered_request("/v1/embeddings").respond_with_json(ragged)
    for row in ([1.0, 2.0], [1.0]):
        httpserver.expect_ordered_request("/v1/embeddings").respond_with_json(
            {"data": [{"index": 0, "embedding": row}]}
        )
    embedder = opened(httpserver)
    with pytest.raises(UpstreamFailed):
        embedder.embed_queries(["x", "y"])
    embedder.embed_queries(["x"])
    with pytest.raises(UpstreamFailed, match="vectors of 1 numbers, after vectors of 2"):
        embedder.embed_queries(["x"])


def test_silence_is_a_timeout(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer in time is UpstreamTimeout."""
    import threading

    import httpx

    release = threading.Event()
    monkeypatch.setattr("ragsvc.embedding.remote._TIMEOUT", httpx.Timeout(0.2))
    httpserver.expect_request("/v1/embeddings").respond_with_handler(lambda r: (release.wait(5), answer(r))[1])
    try:
        with pytest.raises(UpstreamTimeout, match="did not answer in time"):
            opened(httpserver).embed_queries(["x"])
    finally:
        release.set()


def test_nobody_there() -> None:
    """A port that nothing listens on: tried again, then said with what to check."""
    embedder = open_embedder("http://127.0.0.1:9/v1#m", api_key=SECRET)
    with pytest.raises(UpstreamFailed, match=r"cannot be reached: .*Check that it runs"):
        embedder.embed_queries(["x"])


def test_a_missing_key_and_a_key_in_the_address_are_settings_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong in the settings is said before anything is sent."""
    monkeypatch.delenv("SOME_KEY", raising=False)
    facts: dict[str, Any] = {"name": "m", "model": "m", "vendor": "Some", "kind": "api", "family": "openai"}
    with pytest.raises(SettingsError, match="needs an API key of Some: set SOME_KEY"):
        open_remote_embedder(EmbeddingCard(**facts, base_url="https://some/v1", key_env="SOME_KEY"), None)
    with pytest.raises(SettingsError, match="must not hold a credential"):
        open_remote_embedder(EmbeddingCard(**facts, base_url="https://u:p@some/v1"), None)


def test_long_texts_are_cut_at_sentence_ends(httpserver: HTTPServer) -> None:
    """Windows hold at most the characters that fit the model's tokens and join to the text."""
    text = "当事人应当履行义务。" * 20
    pieces = opened(httpserver, max_tokens=64).windows(text)
    assert "".join(pieces) == text
    assert all(len(piece) <= 62 and piece.endswith("。") for piece in pieces)


def test_ollama_is_asked_at_its_own_address(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """OLLAMA_HOST names host and port only; the OpenAI-compatible path is added."""
    httpserver.expect_request("/v1/embeddings").respond_with_handler(answer)
    monkeypatch.setenv("OLLAMA_HOST", f"{httpserver.host}:{httpserver.port}")
    assert open_embedder("ollama:one-of-our-own").dim == 3
