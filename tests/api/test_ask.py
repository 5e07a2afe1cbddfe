"""``POST /v1/ask``: the whole answer, the stream of it, and what happens when the model or the reader fails."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from ragsvc.records import AnswerFailed
from tests.api.scripted_service import QUOTE, TEXT, ScriptedService

Client = TestClient[Litestar]


def events_of(text: str) -> list[tuple[str, Any]]:
    """Take a stream apart into (name, data)."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_an_answer_has_everything_to_check_it(client: Client) -> None:
    """Each citation's quote stands in its version's text at its offsets, and the text can be fetched."""
    answer = client.post("/v1/ask", json={"question": "违约怎么办"}).json()
    (citation,) = answer["citations"]
    place = f"/v1/versions/{citation['version_id']}/text?start={citation['start']}&end={citation['end']}"
    assert client.get(place).json()["text"] == citation["quote"] == QUOTE
    assert set(answer) == {
        *("answer_id", "answer", "citations", "passages", "abstained", "reason", "disclaimer"),
        *("model", "strategy", "index_generation", "timings_ms", "usage"),
        *("finish_reason", "reasoning", "fallbacks", "n_passages_dropped", "steps", "clarify", "grounding"),
        "notices",
    }


def test_a_request_arrives_as_it_was_meant(client: Client, service: ScriptedService) -> None:
    """Every field reaches the service, trimmed and checked."""
    body = {
        "question": " 违约怎么办 ",
        "collection": "law",
        "as_of": "2019-12-31",
        "filters": {"works": ["民法典", "民法典"], "kinds": ["法律"]},
        "model": "extractive",
        "strategy": "extractive",
        "top_k": 3,
        "language": "zh",
    }
    assert client.post("/v1/ask", json=body).status_code == 200
    (asked,) = service.asked
    assert (asked.question, asked.collections, asked.as_of) == ("违约怎么办", ("law",), date(2019, 12, 31))
    assert (asked.filters.works, asked.filters.kinds) == (("民法典",), ("法律",))
    assert (asked.model, asked.strategy, asked.k, asked.language) == ("extractive", "extractive", 3, "zh")


def test_a_stream_ends_with_the_same_object(client: Client) -> None:
    """Passages first, then text and citations, then one ``done``; the tokens joined are its answer."""
    whole = client.post("/v1/ask", json={"question": "违约怎么办"}).json()
    response = client.post("/v1/ask", json={"question": "违约怎么办", "stream": True})
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = events_of(response.text)
    names = [name for name, _ in events]
    assert names == ["passages", "citation", "token", "token", "token", "done"]
    assert "".join(data["text"] for name, data in events if name == "token") == whole["answer"]
    assert events[-1][1] == whole
    assert events[0][1]["passages"] == whole["passages"]
    assert events[1][1] == whole["citations"][0]


@pytest.mark.parametrize(("error", "status"), [("UpstreamFailed", 502), ("UpstreamTimeout", 504)])
def test_when_the_model_fails_the_passages_still_come(
    client: Client, service: ScriptedService, error: str, status: int
) -> None:
    """Never 200 with an error inside: a problem with the passages, or an ``error`` event after them."""
    service.fault = AnswerFailed(error, "the model at port 1 did not answer")
    response = client.post("/v1/ask", json={"question": "违约怎么办"})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == "the model at port 1 did not answer"
    assert response.json()["passages"][0]["text"] == TEXT

    events = events_of(client.post("/v1/ask", json={"question": "违约怎么办", "stream": True}).text)
    assert [name for name, _ in events] == ["passages", "error"]
    assert events[1][1]["status"] == status


def test_a_fault_of_ours_in_a_stream_is_one_error_event(client: Client, service: ScriptedService) -> None:
    """Its message stays inside, because it may quote anything."""
    service.fault = ZeroDivisionError("the question was 违约怎么办")
    text = client.post("/v1/ask", json={"question": "违约怎么办", "stream": True}).text
    events = events_of(text)
    assert [name for name, _ in events] == ["passages", "error"]
    assert events[1][1]["status"] == 500
    assert "ZeroDivision" not in text
    assert "the question was" not in text


@pytest.mark.parametrize("stream", [True, False])
def test_what_is_wrong_with_a_request_has_a_status_even_when_streaming(client: Client, stream: bool) -> None:
    """A stream begins only when there is something to stream."""
    response = client.post("/v1/ask", json={"question": "违约", "collection": "nope", "stream": stream})
    assert response.status_code == 404
    assert "nope" in response.json()["detail"]


@pytest.mark.parametrize(
    "model", ["https://evil.example/v1#m", "hf:org/name", "/etc", "openai:gpt", "ollama:x", "nope"]
)
def test_a_caller_cannot_name_an_address_or_a_folder_as_the_model(
    client: Client, service: ScriptedService, model: str
) -> None:
    """Only models of the catalogue and the operator's own default can be asked for over HTTP."""
    assert client.post("/v1/ask", json={"question": "违约", "model": model}).status_code == 404
    assert service.asked == []


def test_too_many_questions_at_once_are_told_to_come_back(app: Litestar, client: Client) -> None:
    """429 with Retry-After; other routes and the sign of life go on."""
    slots = app.state.slots
    held = [slots.take() for _ in range(slots.limit)]
    response = client.post("/v1/ask", json={"question": "违约"})
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1
    assert client.get("/health/live").status_code == 200
    for give_back in held:
        give_back()
        give_back()
    assert slots.taken == 0
    assert client.post("/v1/ask", json={"question": "违约"}).status_code == 200


@pytest.mark.parametrize("fault", [None, AnswerFailed("UpstreamFailed", "down"), ZeroDivisionError()])
@pytest.mark.parametrize("stream", [True, False])
def test_a_place_is_given_back_however_an_answer_ends(
    app: Litestar, client: Client, service: ScriptedService, fault: AnswerFailed | Exception | None, stream: bool
) -> None:
    """Nothing that fails can use up the places, and every model's stream is closed."""
    service.fault = fault
    for _ in range(3):
        client.post("/v1/ask", json={"question": "违约", "stream": stream})
        client.post("/v1/ask", json={"question": "违约", "collection": "nope", "stream": stream})
    assert app.state.slots.taken == 0
    assert service.n_closed == 3


def test_every_answer_is_audited_without_its_text(client: Client, service: ScriptedService) -> None:
    """One line each, streamed or not; a question whose model failed has no answer to trace."""
    client.post("/v1/ask", json={"question": "违约怎么办"})
    client.post("/v1/ask", json={"question": "违约怎么办", "stream": True})
    service.fault = AnswerFailed("UpstreamFailed", "down")
    client.post("/v1/ask", json={"question": "违约怎么办"})
    lines = (service.settings.home / "audit.jsonl").read_bytes()
    assert len(lines.splitlines()) == 2
    assert lines.isascii()


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"question":""}', "question is empty"),
        ('{"question":"？？"}'.encode(), "only punctuation"),
        (b'{"question":"a\\u0000b"}', "U+0000"),
        (b'{"question":"\\ud800x"}', "not JSON"),
        (b'{"question":"\xff"}', "not UTF-8"),
        (b'{"question":"a","user":"me"}', "unknown field `user`"),
        (b'{"question":"a","top_k":"5"}', "$.top_k"),
        (b'{"question":"a","top_k":2.5}', "$.top_k"),
        (b'{"question":"a","top_k":101}', "from 1 to 100; found 101"),
        (b'{"question":"a","as_of":"yesterday"}', "$.as_of"),
        (b'{"question":"a","strategy":"magic"}', "'magic'"),
        (b'{"question":"a","language":"fr"}', "$.language"),
        (b'{"question":"a","filters":{"works":[""]}}', "filters.works"),
        (b'{"collection":"law"}', "missing required field `question`"),
        (b"", "not JSON"),
        (b"[]", "does not fit"),
        (b"{" * 5000, "JSON"),
    ],
)
def test_a_request_that_cannot_be_used_says_why(
    client: Client, service: ScriptedService, body: bytes, detail: str
) -> None:
    """400, naming the field, and nothing reaches the service."""
    response = client.post("/v1/ask", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert detail in response.json()["detail"]
    assert service.asked == []


@pytest.mark.parametrize(("field", "limit"), [("collections", 32), ("works", 100)])
def test_lists_have_limits(client: Client, field: str, limit: int) -> None:
    """The message says how many there were and how many there may be."""
    names = [f"n{n}" for n in range(limit + 1)]
    body = {"collections": names} if field == "collections" else {"filters": {field: names}}
    response = client.post("/v1/ask", json={"question": "a", **body})
    assert response.status_code == 400
    assert f"has {limit + 1} entries; the limit is {limit}" in response.json()["detail"]


def test_odd_questions_are_still_questions(client: Client, service: ScriptedService) -> None:
    """The same character over and over, emoji among words, combining marks and right-to-left text all go through."""
    for question in ("第" * 4000, "👨‍👩‍👧 离婚了孩子归谁？", "e\u0301tat\u200b", "\u202eمرحبا", "a" * 4000):
        assert client.post("/v1/ask", json={"question": question}).status_code == 200
    assert len(service.asked) == 5
