"""OpenAI's interface: with a scripted service, and with OpenAI's and LangChain's own clients against a running one."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from langchain_openai import ChatOpenAI
from litestar import Litestar
from litestar.testing import TestClient
from PIL import Image

from ragsvc.records import AnswerFailed
from tests.api.conftest import LOCAL, new_key
from tests.api.scripted_service import QUOTE, TEXT, ScriptedService
from tests.api.serving import make_home, serving
from tests.servers.openai_chat import OpenAIChatServer, Reply

Client = TestClient[Litestar]
QUESTION = "押金什么时候退还？"
START = TEXT.index(QUOTE)


def body(**changes: Any) -> dict[str, Any]:
    return {"model": "law", "messages": [{"role": "user", "content": "违约怎么办"}], **changes}


def chunks(text: str) -> list[Any]:
    events = [line.removeprefix("data: ") for line in text.split("\n\n") if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    return [json.loads(event) for event in events[:-1]]


def test_the_answer_has_openais_shape_and_our_citations(client: Client) -> None:
    """The text ends with its references and the disclaimer; the whole citations stand beside it."""
    got = client.post("/v1/chat/completions", json=body()).json()
    (choice,) = got["choices"]
    assert (got["object"], choice["finish_reason"], choice["message"]["role"]) == (
        "chat.completion",
        "stop",
        "assistant",
    )
    assert choice["message"]["content"] == (
        "应当承担违约责任[1]。\n\n"
        f"[1] [中华人民共和国民法典 第五百七十七条]({LOCAL}/page/cited.html#law:{START}-{START + len(QUOTE)})\n\n"
        "不构成法律意见。"
    )
    assert [citation["quote"] for citation in got["citations"]] == [QUOTE]
    assert got["ragsvc"]["answer_id"] == got["id"].removeprefix("chatcmpl-")
    assert got["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def test_the_chunks_joined_are_the_answer(client: Client) -> None:
    """A stream says the same text, then why it ended, with the citations; usage when it is asked for."""
    whole = client.post("/v1/chat/completions", json=body()).json()
    asked = body(stream=True, stream_options={"include_usage": True})
    *written, last, usage = chunks(client.post("/v1/chat/completions", json=asked).text)
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in written)
    assert text.replace("\n\n\n", "\n\n") == whole["choices"][0]["message"]["content"]
    assert written[0]["choices"][0]["delta"]["role"] == "assistant"
    assert last["choices"][0]["finish_reason"] == "stop"
    assert (last["citations"], last["ragsvc"]) == (whole["citations"], whole["ragsvc"])
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 0)


@pytest.mark.parametrize(
    ("name", "collections", "model"),
    [
        ("law", ("law",), None),
        ("law/gpt-4o", ("law",), "gpt-4o"),
        ("gpt-4o", (), "gpt-4o"),
        ("extractive", (), "extractive"),
    ],
)
def test_model_names_a_collection_a_model_or_both(
    client: Client, service: ScriptedService, name: str, collections: tuple[str, ...], model: str | None
) -> None:
    """A front end has one field to choose by."""
    assert client.post("/v1/chat/completions", json=body(model=name)).status_code == 200
    assert (service.asked[0].collections, service.asked[0].model) == (collections, model)


@pytest.mark.parametrize("name", ["nowhere", "law/nothing", "openai:x", "http://169.254.169.254/#x", "secret"])
def test_what_is_not_there_or_not_to_be_seen_is_not_found(client: Client, service: ScriptedService, name: str) -> None:
    """No name over the network opens an address, and a collection of others is like one that does not exist."""
    key = new_key(service, "ask", collections=("law",))
    got = client.post("/v1/chat/completions", json=body(model=name), headers=key)
    assert got.status_code == 404


def test_the_last_message_is_the_question(client: Client, service: ScriptedService) -> None:
    """Whatever a front end has as system text and history, the question is what is searched for."""
    turns = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": "你好"},
        {"role": "assistant", "content": "你好！"},
        {"role": "user", "content": [{"type": "text", "text": "违约"}, {"type": "text", "text": "怎么办"}]},
    ]
    asked = body(messages=turns, temperature=0.3, user="u", seed=1, as_of="2021-01-01", top_k=3)
    assert client.post("/v1/chat/completions", json=asked).status_code == 200
    assert (service.asked[0].question, str(service.asked[0].as_of), service.asked[0].k) == (
        "违约\n怎么办",
        "2021-01-01",
        3,
    )


def test_pictures_come_along(client: Client, service: ScriptedService) -> None:
    """A picture in the last message goes with the question."""
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    parts = [{"type": "text", "text": "这是什么病？"}, {"type": "image_url", "image_url": {"url": url}}]
    asked = body(messages=[{"role": "user", "content": parts}])
    assert client.post("/v1/chat/completions", json=asked).status_code == 200
    assert [image.media_type for image in service.asked[0].images] == ["image/png"]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"n": 2}, "one answer is given"),
        ({"tool_choice": "required"}, "tool_choice asks for a call"),
        ({"response_format": {"type": "json_schema"}}, "answers are text"),
        ({"messages": []}, "must end with one of the user"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "must end with one of the user"),
        ({"messages": [{"role": "user", "content": ""}]}, "question"),
    ],
)
def test_what_cannot_be_answered_is_refused(client: Client, wrong: dict[str, Any], complaint: str) -> None:
    """What is asked for and not given is an error, never silence."""
    got = client.post("/v1/chat/completions", json=body(**wrong))
    assert got.status_code == 400
    assert complaint in got.json()["detail"]


def test_a_failed_model_is_an_error_in_both_forms(client: Client, service: ScriptedService) -> None:
    """502 with the passages; in a stream an ``error`` event that OpenAI's client raises, and no finish reason."""
    service.fault = AnswerFailed("UpstreamFailed", "gpt-4o answered HTTP 429")
    got = client.post("/v1/chat/completions", json=body())
    assert (got.status_code, len(got.json()["passages"])) == (502, 1)
    *_, last = chunks(client.post("/v1/chat/completions", json=body(stream=True)).text)
    assert last["error"]["message"] == "gpt-4o answered HTTP 429"


def test_models_are_what_the_field_may_name(client: Client, service: ScriptedService) -> None:
    """Collections that the key may read come first, then every model with what is known of it."""
    key = new_key(service, "ask", collections=("law",))
    listed = client.get("/v1/models", headers=key).json()["data"]
    assert [(model["id"], model["kind"]) for model in listed] == [("law", "collection"), ("extractive", "local")]
    assert all(model["object"] == "model" for model in listed)


# --- against a running service ---


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, OpenAIChatServer]]:
    """The address of ``ragsvc serve`` over one law, whose model is a server of ours."""
    home: Path = make_home(tmp_path_factory.mktemp("chat"))
    reply = Reply(pieces=["出租人应当在租赁期满后", "十日内退还押金[1]。"], usage=(210, 17))
    with OpenAIChatServer(default=reply) as server:
        own = {"model": "openai:test-model", "model_base_url": server.base_url, "model_api_key": server.api_key}
        with serving(home, **own) as (_, client):
            yield f"{client.base_url}/v1", server


@pytest.fixture
def official(running: tuple[str, OpenAIChatServer]) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=running[0], api_key="any", max_retries=0) as client:
        yield client


def test_openais_client_lists_the_models(official: openai.OpenAI) -> None:
    """The collection is there to choose, beside the survey's models."""
    ids = [model.id for model in official.models.list()]
    assert ids[0] == "law"
    assert {"gpt-4o", "extractive"} <= set(ids)


def test_openais_client_gets_a_cited_answer(official: openai.OpenAI) -> None:
    """Text, usage and finish reason are where OpenAI has them, and the citations survive as an extra field."""
    got = official.chat.completions.create(model="law", messages=[{"role": "user", "content": QUESTION}])
    assert "十日内退还押金[1]。" in str(got.choices[0].message.content)
    assert "[1] [虚构租赁条例 第一条](" in str(got.choices[0].message.content)
    assert got.usage is not None
    assert (got.usage.prompt_tokens, got.usage.completion_tokens) == (210, 17)
    (citation,) = (got.model_extra or {})["citations"]
    assert citation["locator"] == "第一条"


def test_openais_client_streams_a_cited_answer(official: openai.OpenAI) -> None:
    """The chunks joined are the answer; the last ones carry citations and usage."""
    stream = official.chat.completions.create(
        model="law/extractive",
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
        stream_options={"include_usage": True},
    )
    got = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in got if chunk.choices)
    assert "退还押金" in text
    assert any((chunk.model_extra or {}).get("citations") for chunk in got)
    assert got[-1].usage is not None


def test_openais_client_understands_our_errors(official: openai.OpenAI) -> None:
    """An unknown model is its NotFoundError, with our words."""
    with pytest.raises(openai.NotFoundError, match="gpt-nothing"):
        official.chat.completions.create(model="gpt-nothing", messages=[{"role": "user", "content": QUESTION}])


def test_openais_client_raises_when_the_model_fails_in_a_stream(
    official: openai.OpenAI, running: tuple[str, OpenAIChatServer]
) -> None:
    """A stream whose model broke is no answer for the client either."""
    running[1].replies.append(Reply(fault="cut"))
    with pytest.raises(openai.APIError, match="broke off"):
        list(
            official.chat.completions.create(model="law", messages=[{"role": "user", "content": QUESTION}], stream=True)
        )


def test_langchains_client_gets_a_cited_answer(running: tuple[str, OpenAIChatServer]) -> None:
    """``ChatOpenAI`` shows text only: the references are in it; whole and streamed say the same."""
    model = ChatOpenAI(model="law", base_url=running[0], api_key="any", max_retries=0)
    whole = model.invoke(QUESTION)
    assert "十日内退还押金[1]。" in whole.text
    assert "[1] [虚构租赁条例 第一条](" in whole.text
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["total_tokens"] == 227
    pieces = list(model.stream(QUESTION))
    assert "".join(piece.text for piece in pieces).split() == whole.text.split()
    assert len(pieces) > 3
