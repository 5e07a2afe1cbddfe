"""What readers say about answers: kept with the receipt, from who asked only, and without the question."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from msgspec.structs import replace

from ragsvc.wiring.feedback import ReaderFeedback
from tests.api import scripted_service
from tests.api.conftest import new_key
from tests.api.scripted_service import QUOTE, ScriptedService
from tests.api.test_embed_tickets import get_ticket, page, portal_key

Client = TestClient[Litestar]
ASKED = {"question": "房东不退押金，我的电话是13812345678", "collections": ["law"]}
THUMB = {"answer_id": "a1", "rating": "down"}


def give(client: Client, headers: dict[str, str] | None = None, **more: Any) -> Any:
    return client.post("/v1/feedback", json={**THUMB, **more}, headers=headers)


def keeping(service: ScriptedService, **settings: Any) -> None:
    """Set what the service keeps."""
    service.settings = service.settings.model_copy(update=settings)
    service.feedback = ReaderFeedback(service.database, service.passing, service.settings)


def test_feedback_is_kept_with_the_receipt(client: Client, service: ScriptedService) -> None:
    """Answer, exact citations, collections and index generation; the comment redacted; no question."""
    client.post("/v1/ask", json=ASKED)
    given = give(client, reason="wrong_citation", marker="[1]", comment="应是第585条，回电13812345678")
    assert given.status_code == 201
    (shown,) = client.get("/v1/feedback").json()["feedback"]
    assert shown["feedback_id"] == given.json()["feedback_id"]
    assert (shown["rating"], shown["reason"], shown["marker"]) == ("down", "wrong_citation", "[1]")
    assert shown["comment"] == "应是第585条，回电[phone]"
    assert shown["model"] == "extractive"
    receipt = shown["receipt"]
    assert receipt["question"] is None
    assert receipt["answer"] == "应当承担违约责任[1]。\n"
    assert receipt["collections"] == ["law"]
    assert receipt["index_generation"] == "g1"
    assert [(c["quote"], c["version_id"], c["start"]) for c in receipt["citations"]] == [(QUOTE, "law", 22)]


def test_no_question_is_stored_unless_someone_chose_it(client: Client, service: ScriptedService) -> None:
    """Not with the answer, not with the feedback, in no file of the home."""
    client.post("/v1/ask", json=ASKED)
    give(client)
    words = "房东不退押金".encode()
    assert all(words not in path.read_bytes() for path in service.settings.home.rglob("*") if path.is_file())


def test_a_reader_may_send_the_question_along(client: Client) -> None:
    """It is then kept, redacted."""
    client.post("/v1/ask", json=ASKED)
    assert give(client, question=ASKED["question"]).status_code == 201
    assert client.get("/v1/feedback").json()["feedback"][0]["receipt"]["question"] == "房东不退押金，我的电话是[phone]"


def test_an_operator_may_keep_questions(client: Client, service: ScriptedService) -> None:
    """By a setting; redacted, too."""
    keeping(service, keep_questions=True)
    client.post("/v1/ask", json=ASKED)
    give(client)
    assert client.get("/v1/feedback").json()["feedback"][0]["receipt"]["question"] == "房东不退押金，我的电话是[phone]"


def test_who_thinks_again_says_it_once(client: Client) -> None:
    """A second thumb takes the place of the first; one about a citation stands beside it."""
    client.post("/v1/ask", json=ASKED)
    first, second = give(client), give(client, rating="up")
    give(client, marker="[1]", reason="outdated")
    assert first.json() == second.json()
    shown = client.get("/v1/feedback").json()["feedback"]
    assert sorted((one["marker"], one["rating"]) for one in shown) == [("", "up"), ("[1]", "down")]


def test_only_who_asked_gives_feedback(client: Client, service: ScriptedService) -> None:
    """Another key, and the key's own pages, get the same 404 as for an answer that never was."""
    mine, others = portal_key(service), new_key(service, "ask")
    ticket = page(get_ticket(client, mine))
    client.post("/v1/ask", json=ASKED, headers=mine)
    for headers in (others, ticket):
        hidden, absent = give(client, headers), give(client, headers, answer_id="nowhere")
        assert hidden.status_code == absent.status_code == 404
        assert hidden.text == absent.text.replace("nowhere", "a1")
    assert give(client, mine).status_code == 201


def test_a_page_gives_feedback_with_its_next_ticket(client: Client, service: ScriptedService) -> None:
    """Tickets are short: the one that asked has often expired when the reader is through; another origin's is none."""
    origins = ("https://portal.example", "https://other.example")
    key = portal_key(service, origins=origins)
    client.post("/v1/ask", json=ASKED, headers=page(get_ticket(client, key)))
    other = page(get_ticket(client, key, origin=origins[1]), origins[1])
    assert give(client, other).status_code == 404
    assert give(client, page(get_ticket(client, key))).status_code == 201


def test_feedback_through_openai_s_interface(client: Client) -> None:
    """The completion's id names the answer."""
    chat = {"model": "law", "messages": [{"role": "user", "content": "违约"}]}
    completion = client.post("/v1/chat/completions", json=chat).json()
    assert give(client, answer_id=completion["id"]).status_code == 201


def test_a_streamed_answer_gets_feedback(client: Client) -> None:
    """It is known before its reader has the end of it."""
    client.post("/v1/ask", json={**ASKED, "stream": True})
    assert give(client).status_code == 201


def test_hours_end(client: Client, service: ScriptedService) -> None:
    """After them, and with none at all, the answer is unknown; with none it was never kept."""
    client.post("/v1/ask", json=ASKED)
    with service.passing.write() as connection:
        connection.execute("UPDATE recent_answers SET at = at - 86401")
    assert give(client).status_code == 404
    keeping(service, feedback_hours=0)
    client.post("/v1/ask", json=ASKED)
    assert give(client).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"rating": "meh"}, {"reason": "boring"}, {"marker": "[9]"}, {"comment": "x" * 2001}, {"comment": "a\0"}]
)
def test_what_is_no_feedback(client: Client, wrong: dict[str, Any]) -> None:
    """400, with what was wrong."""
    client.post("/v1/ask", json=ASKED)
    assert give(client, **wrong).status_code == 400


def test_feedback_is_read_by_pages_and_filters(client: Client, service: ScriptedService) -> None:
    """Newest first; an admin of one collection reads what was asked there and nothing of others."""
    keys = {name: new_key(service, "ask", collections=(name,)) for name in ("law", "secret")}
    everything = new_key(service, "admin")
    answers = iter(replace(scripted_service.answer(), answer_id=f"a{n}") for n in range(4))
    service.answer = lambda: next(answers)
    for n, name in enumerate(("law", "secret", "law")):
        client.post("/v1/ask", json={"question": "违约"}, headers=keys[name])
        give(client, keys[name], answer_id=f"a{n}", rating="up" if n else "down", reason="other" if n else "outdated")

    def listed(query: str, headers: dict[str, str] = everything) -> list[str]:
        response = client.get(f"/v1/feedback{query}", headers=headers)
        assert response.status_code == 200, response.text
        return [one["receipt"]["answer_id"] for one in response.json()["feedback"]]

    assert listed("") == ["a2", "a1", "a0"]
    assert listed("?limit=1&offset=1") == ["a1"]
    assert listed("?rating=down") == listed("?reason=outdated") == ["a0"]
    assert listed("?collection=law") == ["a2", "a0"]
    admin_of_law = new_key(service, "admin", collections=("law",))
    assert listed("", admin_of_law) == ["a2", "a0"]
    hidden, absent = (
        client.get(f"/v1/feedback?collection={name}", headers=admin_of_law) for name in ("secret", "nowhere")
    )
    assert hidden.status_code == absent.status_code == 404
    assert hidden.text == absent.text.replace("nowhere", "secret")


@pytest.mark.parametrize("path", ["/v1/feedback", "/v1/declined"])
def test_only_admins_read_it(client: Client, service: ScriptedService, path: str) -> None:
    """What readers write is not for every key."""
    for scope in ("ask", "ingest"):
        assert client.get(path, headers=new_key(service, scope)).status_code == 403


def test_declined_questions_are_kept_where_the_operator_chose_it(client: Client, service: ScriptedService) -> None:
    """Redacted, with what the asker was told, to be read by admins of the collections that were asked."""
    declined = replace(scripted_service.answer(), abstained=True, reason="no passage answers this", citations=())
    service.answer = lambda: declined
    key = new_key(service, "ask", collections=("secret",))
    admins = {name: new_key(service, "admin", collections=(name,)) for name in ("law", "secret")}
    client.post("/v1/ask", json={"question": ASKED["question"]}, headers=key)
    assert client.get("/v1/declined", headers=admins["secret"]).json()["declined"] == []
    keeping(service, keep_questions=True)
    client.post("/v1/ask", json={"question": ASKED["question"]}, headers=key)
    (shown,) = client.get("/v1/declined", headers=admins["secret"]).json()["declined"]
    assert shown["question"] == "房东不退押金，我的电话是[phone]"
    assert shown["reason"] == "no passage answers this"
    assert shown["collections"] == ["secret"]
    assert client.get("/v1/declined", headers=admins["law"]).json()["declined"] == []


def test_an_answer_is_for_its_owner_s_eyes(client: Client, service: ScriptedService) -> None:
    """The file that remembers answers is closed to others, and holds no passages."""
    client.post("/v1/ask", json=ASKED)
    path = service.settings.home / "passing.sqlite"
    assert path.stat().st_mode & 0o077 == 0
    with sqlite3.connect(path) as connection:
        (body,) = connection.execute("SELECT body FROM recent_answers").fetchone()
    assert "第三编".encode() not in body
