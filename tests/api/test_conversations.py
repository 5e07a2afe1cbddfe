"""Conversations and assistants over HTTP: opt-in, of one key, with what was said as history."""

from __future__ import annotations

from litestar import Litestar
from litestar.testing import TestClient

from ragsvc.api.app import create_app
from ragsvc.errors import NotFound
from ragsvc.records import AnswerFailed, Turn
from tests.api.conftest import LOCAL, new_key
from tests.api.scripted_service import ScriptedService, answer

ASK = {"question": "违约怎么办？"}
PROFILE = {
    "collections": ["law"],
    "name": "民法助手",
    "persona": "你是一位耐心的民法老师。",
    "language": "zh",
    "opening_line": "您好，请描述您的问题。",
    "suggested_questions": ["违约怎么办？"],
}


def begin(client: TestClient[Litestar], headers: dict[str, str] | None = None) -> str:
    made = client.post("/v1/conversations", headers=headers)
    assert made.status_code == 201, made.text
    return str(made.json()["conversation_id"])


def test_a_question_is_asked_with_the_turns_before_it(client: TestClient[Litestar], service: ScriptedService) -> None:
    """Both turns are there with answers and citations; the second was asked with the first as its history."""
    conversation_id = begin(client)
    for question in ("违约怎么办？", "那定金呢？"):
        sent = client.post("/v1/ask", json={"question": question, "conversation_id": conversation_id})
        assert sent.status_code == 200, sent.text
    assert service.asked[0].history == ()
    assert service.asked[1].history == (Turn("user", "违约怎么办？"), Turn("assistant", answer().answer))
    shown = client.get(f"/v1/conversations/{conversation_id}").json()
    assert [turn["question"] for turn in shown["turns"]] == ["违约怎么办？", "那定金呢？"]
    assert shown["turns"][1]["answer"]["citations"][0]["quote"] == "应当承担违约责任"
    (listed,) = client.get("/v1/conversations").json()["conversations"]
    assert (listed["n_turns"], listed["first_question"]) == (2, "违约怎么办？")


def test_nothing_is_kept_of_a_question_that_names_no_conversation(
    client: TestClient[Litestar], service: ScriptedService
) -> None:
    """Keeping is the asker's choice."""
    assert client.post("/v1/ask", json=ASK).status_code == 200
    assert client.get("/v1/conversations").json() == {"conversations": []}


def test_a_stream_is_kept_as_well(client: TestClient[Litestar]) -> None:
    """The answer is stored before its reader has it whole."""
    conversation_id = begin(client)
    streamed = client.post("/v1/ask", json={**ASK, "conversation_id": conversation_id, "stream": True})
    assert "event: done" in streamed.text
    (turn,) = client.get(f"/v1/conversations/{conversation_id}").json()["turns"]
    assert turn["answer"]["answer"] == answer().answer


def test_a_model_that_fails_leaves_the_question_unanswered(
    client: TestClient[Litestar], service: ScriptedService
) -> None:
    """Never half an answer; the next question knows what was asked."""
    conversation_id = begin(client)
    service.fault = AnswerFailed("UpstreamFailed", "broken")
    assert client.post("/v1/ask", json={**ASK, "conversation_id": conversation_id}).status_code == 502
    service.fault = None
    assert client.post("/v1/ask", json={"question": "还在吗？", "conversation_id": conversation_id}).status_code == 200
    turns = client.get(f"/v1/conversations/{conversation_id}").json()["turns"]
    assert turns[0]["answer"] is None
    assert turns[1]["answer"] is not None
    assert service.asked[-1].history == (Turn("user", ASK["question"]),)


def test_what_cannot_be_asked_is_no_turn(client: TestClient[Litestar]) -> None:
    """An unknown collection, a history of its own: refused, and the conversation stays as it was."""
    conversation_id = begin(client)
    history = [{"role": "user", "content": "x"}]
    for more, status in (({"collection": "nowhere"}, 404), ({"history": history}, 400)):
        refused = client.post("/v1/ask", json={**ASK, "conversation_id": conversation_id, **more})
        assert refused.status_code == status
    assert client.get(f"/v1/conversations/{conversation_id}").json()["turns"] == []


def test_another_key_is_told_what_an_unknown_id_is_told(client: TestClient[Litestar], service: ScriptedService) -> None:
    """404 with the same words for reading, deleting and asking."""
    mine, other = new_key(service, "ask"), new_key(service, "ask")
    conversation_id = begin(client, mine)
    said = set()
    for name in (conversation_id, "0" * 32):
        for call in (
            client.get(f"/v1/conversations/{name}", headers=other),
            client.delete(f"/v1/conversations/{name}", headers=other),
            client.post("/v1/ask", json={**ASK, "conversation_id": name}, headers=other),
        ):
            assert call.status_code == 404
            said.add(call.json()["detail"].replace(name, "ID"))
    assert len(said) == 1
    assert client.get("/v1/conversations", headers=other).json() == {"conversations": []}
    assert client.delete(f"/v1/conversations/{conversation_id}", headers=mine).status_code == 204
    assert client.get(f"/v1/conversations/{conversation_id}", headers=mine).status_code == 404


def test_an_operator_can_forbid_keeping(service: ScriptedService, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    """409, and nothing is stored."""
    strict = ScriptedService(tmp_path_factory.mktemp("strict"), conversations=False)
    with TestClient(create_app(strict, strict.settings), base_url=LOCAL) as client:
        refused = client.post("/v1/conversations")
        assert refused.status_code == 409
        assert "conversations" in refused.json()["detail"]
        assert client.get("/v1/conversations").json() == {"conversations": []}


def test_an_assistant_brings_what_a_question_is_answered_with(
    client: TestClient[Litestar], service: ScriptedService
) -> None:
    """In ask and as the model of a chat front end, which lists it."""
    made = client.put("/v1/assistants/civil", json=PROFILE)
    assert made.status_code == 200, made.text
    assert client.get("/v1/assistants").json()["assistants"] == [made.json()]
    assert client.post("/v1/ask", json={**ASK, "assistant": "civil"}).status_code == 200
    message = {"role": "user", "content": "违约怎么办？"}
    assert client.post("/v1/chat/completions", json={"model": "civil", "messages": [message]}).status_code == 200
    for asked in service.asked:
        assert (asked.collections, asked.persona, asked.language) == (("law",), PROFILE["persona"], "zh")
    assert ("civil", "assistant") in {(m["id"], m["kind"]) for m in client.get("/v1/models").json()["data"]}
    assert client.post("/v1/ask", json={**ASK, "assistant": "civil", "collection": "law"}).status_code == 400
    assert client.delete("/v1/assistants/civil").status_code == 204
    assert client.post("/v1/ask", json={**ASK, "assistant": "civil"}).status_code == 404


def test_a_key_sees_only_assistants_all_of_whose_collections_it_may_read(
    client: TestClient[Litestar], service: ScriptedService
) -> None:
    """Another is as one that does not exist: in the list, in ask, as a model; and only an admin makes one."""
    admin, narrow = new_key(service, "admin"), new_key(service, "ask", collections=("law",))
    for name, collections in (("open", ["law"]), ("closed", ["law", "secret"])):
        profile = {**PROFILE, "collections": collections}
        assert client.put(f"/v1/assistants/{name}", json=profile, headers=narrow).status_code == 403
        assert client.put(f"/v1/assistants/{name}", json=profile, headers=admin).status_code == 200
    listed = client.get("/v1/assistants", headers=narrow).json()["assistants"]
    assert [assistant["id"] for assistant in listed] == ["open"]
    assert client.post("/v1/ask", json={**ASK, "assistant": "open"}, headers=narrow).status_code == 200
    refused = client.post("/v1/ask", json={**ASK, "assistant": "closed"}, headers=narrow)
    unknown = client.post("/v1/ask", json={**ASK, "assistant": "nobody"}, headers=narrow)
    assert refused.status_code == unknown.status_code == 404
    assert refused.json()["detail"].replace("closed", "X") == unknown.json()["detail"].replace("nobody", "X")
    models = {model["id"] for model in client.get("/v1/models", headers=narrow).json()["data"]}
    assert "open" in models
    assert "closed" not in models


def test_what_no_assistant_can_be(client: TestClient[Litestar]) -> None:
    """Names that are taken or no ids, collections and strategies that are not there."""
    for name, change, status in (
        ("law", {}, 400),
        ("extractive", {}, 400),
        ("Über", {}, 400),
        ("civil", {"collections": ["nowhere"]}, 404),
        ("civil", {"collections": []}, 400),
        ("civil", {"strategy": "guess"}, 400),
        ("civil", {"strategy": "chatlaw"}, 400),
        ("civil", {"persona": "长" * 4_001}, 400),
        ("civil", {"suggested_questions": ["?"] * 3}, 400),
    ):
        refused = client.put(f"/v1/assistants/{name}", json={**PROFILE, **change})
        assert refused.status_code == status, (name, change, refused.text)
    assert client.get("/v1/assistants").json() == {"assistants": []}


def test_an_unknown_model_is_said_before_anything_is_kept(
    client: TestClient[Litestar], service: ScriptedService
) -> None:
    """A question that fails before its first event leaves no turn."""
    service.fault = None
    conversation_id = begin(client)

    async def refuse(request):  # type: ignore[no-untyped-def]
        raise NotFound("no model")
        yield

    service.conversations._stream = refuse
    assert client.post("/v1/ask", json={**ASK, "conversation_id": conversation_id}).status_code == 404
    assert client.get(f"/v1/conversations/{conversation_id}").json()["turns"] == []
