"""The client against strict servers of OpenAI, text-embeddings-inference and Ollama."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest

from ragsvc.embedding import open_embedder
from ragsvc.embedding.remote import open_remote_embedder
from ragsvc.errors import RagsvcError, SettingsError, UpstreamFailed
from ragsvc.model_catalogue import EmbeddingCard, find_embedding_model
from ragsvc.protocols import Embedder, FloatArray
from tests.servers.embeddings import EmbeddingServer, Fault, OllamaEmbeddingServer, Reply, TeiServer, vector_of

SECRET = "sk-proj-never-shown-0123456789"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nothing waits; the list says for how long it would have."""
    waited: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=waited.append))
    return waited


@pytest.fixture
def openai() -> Iterator[EmbeddingServer]:
    """OpenAI, with a key."""
    with EmbeddingServer(api_key=SECRET) as server:
        yield server


@pytest.fixture
def tei() -> Iterator[TeiServer]:
    """text-embeddings-inference, without a key."""
    with TeiServer(models=("BAAI/bge-base-zh-v1.5", "test-model")) as server:
        yield server


def opened(server: EmbeddingServer, **facts: Any) -> Embedder:
    facts = {"vendor": "", "kind": "api", "family": "openai", "base_url": server.base_url, **facts}
    card = EmbeddingCard(**{"name": "test-model", "model": "test-model", **facts})
    return open_remote_embedder(card, SECRET if server.api_key else None)


def unit(texts: list[str], dim: int = 8) -> FloatArray:
    rows = np.array([vector_of(text, dim) for text in texts], np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def inputs(server: EmbeddingServer) -> list[list[str]]:
    return [request.body["input"] for request in server.requests]


def test_openai_gives_each_text_its_own_vector(openai: EmbeddingServer) -> None:
    """Over several requests, answered in another order: value for value, at unit length, and nothing else is sent."""
    texts = [f"第{i}条 当事人应当履行义务。" for i in range(70)]
    np.testing.assert_allclose(opened(openai).embed_passages(texts), unit(texts), atol=1e-6)
    assert [len(batch) for batch in inputs(openai)] == [32, 32, 6]
    assert set(openai.requests[0].body) == {"model", "input"}


def test_tei_takes_what_is_sent_to_it(tei: TeiServer) -> None:
    """Of the texts of any number no request has more than text-embeddings-inference takes as delivered."""
    texts = [f"text {i}" for i in range(100)]
    np.testing.assert_allclose(opened(tei).embed_passages(texts), unit(texts), atol=1e-6)
    assert max(map(len, inputs(tei))) == 32


def test_a_batch_that_is_refused_is_halved(tei: TeiServer) -> None:
    """A server set to fewer texts than usual is asked again with fewer, and every text keeps its place."""
    tei.max_batch = 5
    texts = [f"text {i}" for i in range(21)]
    np.testing.assert_allclose(opened(tei).embed_passages(texts), unit(texts), atol=1e-6)
    accepted = [batch for batch in inputs(tei) if len(batch) <= 5]
    assert list(chain(*accepted)) == texts


def test_a_text_that_is_too_long_is_named_as_the_service_names_it(tei: TeiServer) -> None:
    """One text beyond the limit, between others: halving ends at it, and the message has the service's words."""
    texts = ["short", "长" * 600, "short as well"]
    with pytest.raises(UpstreamFailed, match=r"HTTP 413: `inputs` must have less than 512 tokens\. Given: 600"):
        opened(tei).embed_passages(texts)
    assert all("长" * 600 in piece for piece in inputs(tei)[:1])


def test_windows_of_a_listed_model_fit_the_server(tei: TeiServer) -> None:
    """The catalogue knows how much a model reads wherever it runs: what windows() cuts is accepted, prefix included."""
    embedder = open_embedder(f"{tei.base_url}#BAAI/bge-base-zh-v1.5")
    text = "当事人一方不履行合同义务的，应当承担违约责任。" * 60
    pieces = embedder.windows(text)
    assert "".join(pieces) == text
    tei.dim = 768
    assert embedder.embed_passages(pieces).shape == (len(pieces), 768)
    embedder.embed_queries(["违约怎么办"])
    assert inputs(tei)[-1] == ["为这个句子生成表示以用于检索相关文章：违约怎么办"]


def test_ollama_never_cuts_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that could read more is windowed at the context that Ollama is sure to give it."""
    with OllamaEmbeddingServer(models=("bge-m3",), dim=1024) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.address)
        embedder = open_embedder("ollama:bge-m3")
        text = "本法自公布之日起施行。" * 900
        pieces = embedder.windows(text)
        assert len(pieces) > 4
        assert "".join(pieces) == text
        np.testing.assert_allclose(embedder.embed_passages(pieces), unit(pieces, 1024), atol=1e-6)


def test_ollama_without_the_model_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that was not pulled is 404 with what to check, at once."""
    with OllamaEmbeddingServer(models=("bge-m3",)) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.address)
        with pytest.raises(UpstreamFailed, match=r"HTTP 404: .*does not exist.*Check the address and the model's name"):
            open_embedder("ollama:other").embed_queries(["x"])
        assert len(server.requests) == 1


def test_requests_keep_within_the_tokens_of_one(openai: EmbeddingServer) -> None:
    """Zhipu takes 8,000 tokens and 64 texts a request: no request has more, and none is refused."""
    openai.max_batch, openai.max_request_tokens, openai.models = 64, 8_000, ("embedding-3",)
    openai.takes_dimensions, openai.dim = True, 2048
    facts = find_embedding_model("embedding-3")
    embedder = opened(
        openai, name=facts.name, model=facts.model, batch=facts.batch, request_tokens=facts.request_tokens
    )
    texts = [f"{i}" + "法" * 500 for i in range(40)] + [f"条{i}" for i in range(100)]
    np.testing.assert_allclose(embedder.embed_passages(texts), unit(texts, 2048), atol=1e-6)
    assert list(chain(*inputs(openai))) == texts
    assert max(map(len, inputs(openai))) == 64


def test_a_smaller_dimension_is_asked_for(openai: EmbeddingServer) -> None:
    """An entry of the operator's own may state fewer dimensions; the id tells the two indexes apart."""
    openai.takes_dimensions = True
    small = opened(openai, dim=4, dim_is_settable=True)
    assert small.dim == 4
    np.testing.assert_allclose(small.embed_queries(["a"]), unit(["a"], 4), atol=1e-6)
    assert openai.requests[-1].body["dimensions"] == 4
    assert small.embedder_id != opened(openai, dim=8, dim_is_settable=True).embedder_id


def test_the_task_is_told_where_the_service_wants_it(openai: EmbeddingServer) -> None:
    """Jina's service chooses an adapter by task: questions and passages state different ones."""
    openai.extra_fields = frozenset({"task"})
    fields = find_embedding_model("jina-embeddings-v3")
    embedder = opened(openai, query_fields=fields.query_fields, passage_fields=fields.passage_fields)
    embedder.embed_passages(["p"])
    embedder.embed_queries(["q"])
    assert [request.body["task"] for request in openai.requests] == ["retrieval.passage", "retrieval.query"]


def test_the_id_follows_everything_that_is_sent(openai: EmbeddingServer) -> None:
    """Another prefix or task gives other vectors, so another id; without any the id is model and host."""
    plain = opened(openai)
    others = [
        opened(openai, query_prefix="query: "),
        opened(openai, passage_prefix="query: "),
        opened(openai, query_fields={"task": "x"}),
    ]
    assert plain.embedder_id == f"openai:test-model@{openai.address.removeprefix('http://')}"
    assert len({plain.embedder_id, *(other.embedder_id for other in others)}) == 4


@pytest.mark.parametrize("fault", sorted(set(get_args(Fault)) - {"cut"}))
def test_an_answer_that_is_not_one_vector_per_text_is_refused(openai: EmbeddingServer, fault: Fault) -> None:
    """A row too few or twice, a wrong index, NaN, null, a short vector, a web page: an error, never a wrong vector."""
    openai.default = Reply(fault=fault)
    with pytest.raises(UpstreamFailed, match="sent what is no list of vectors"):
        opened(openai).embed_passages(["one", "two", "three"])
    assert len(openai.requests) == 1


def test_an_answer_that_breaks_off_is_asked_for_again(openai: EmbeddingServer) -> None:
    """Half a body is no answer: the second attempt counts; if all break off, it is said."""
    openai.replies.append(Reply(fault="cut"))
    np.testing.assert_allclose(opened(openai).embed_queries(["x"]), unit(["x"]), atol=1e-6)
    openai.default = Reply(fault="cut")
    with pytest.raises(UpstreamFailed, match="cannot be reached"):
        opened(openai).embed_queries(["x"])


def test_vectors_of_another_model_are_refused(openai: EmbeddingServer) -> None:
    """The catalogue says how long the vectors are: a service that serves something else is found out."""
    with pytest.raises(UpstreamFailed, match="sent vectors of 8 numbers, the catalogue says that they have 1536"):
        opened(openai, dim=1536).embed_queries(["x"])


def test_a_service_is_waited_for_as_long_as_it_asks(openai: EmbeddingServer, pauses: list[float]) -> None:
    """Retry-After is obeyed, but never for longer than half a minute."""
    openai.replies.extend([Reply(status=429, retry_after="7"), Reply(status=503, retry_after="3600")])
    np.testing.assert_allclose(opened(openai).embed_queries(["x"]), unit(["x"]), atol=1e-6)
    assert pauses == [7.0, 30.0]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_passing_failure_is_tried_four_times(openai: EmbeddingServer, status: int) -> None:
    """Too many requests and a broken server are tried again; then the service's own words are said."""
    openai.default = Reply(status=status, message="come back later")
    with pytest.raises(UpstreamFailed, match=rf"HTTP {status}: come back later"):
        opened(openai).embed_queries(["x"])
    assert len(openai.requests) == 4


def test_no_message_holds_the_key(openai: EmbeddingServer) -> None:
    """Whatever goes wrong, the error and all that it grew from are without the key, which the service echoes."""
    refused = EmbeddingCard(
        name="m", model="test-model", vendor="", kind="api", family="openai", base_url=openai.base_url
    )
    openai.api_key = "another"
    broken = ["sk-with\nline", "sk-ключ", f"{SECRET}\x00"]
    for key in [SECRET, f"  {SECRET}\n", *broken]:
        with pytest.raises(RagsvcError) as caught:
            open_remote_embedder(refused, key).embed_queries(["x"])
        said = "".join(str(caught.getrepr(style=style)) for style in ("short", "native"))
        messages: list[str] = []
        error: BaseException | None = caught.value
        while error:
            messages.append(f"{error} {error.args}")
            error = error.__cause__ or error.__context__
        assert key.strip() not in said.replace(repr(key), ""), key
        assert all(key.strip() not in message for message in messages), messages
        assert isinstance(caught.value, SettingsError if key in broken else UpstreamFailed)
    assert "Incorrect API key provided: ***." in str(_failure(refused))


def _failure(card: EmbeddingCard) -> UpstreamFailed:
    with pytest.raises(UpstreamFailed) as caught:
        open_remote_embedder(card, SECRET).embed_queries(["x"])
    return caught.value


@pytest.mark.parametrize(
    "address", ["https://user:pw@host/v1", "https://host/v1?api-key=abc", "ftp://host/v1", "https://host:port/v1"]
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(address: str) -> None:
    """A credential in the address, another scheme and a port that is no number are settings errors."""
    facts: dict[str, Any] = {"name": "m", "model": "m", "vendor": "", "kind": "api", "family": "openai"}
    with pytest.raises(SettingsError) as caught:
        open_remote_embedder(EmbeddingCard(**facts, base_url=address), None)
    assert "pw" not in str(caught.value)
    assert "abc" not in str(caught.value)
