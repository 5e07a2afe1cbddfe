"""Passages without an answer: search, lookup, and the stored text."""

from __future__ import annotations

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.api.scripted_service import TEXT, ScriptedService

Client = TestClient[Litestar]


def test_search_returns_passages_with_what_each_arm_said(client: Client, service: ScriptedService) -> None:
    """The choice of arms and the number of passages reach the service."""
    body = {"question": "违约", "top_k": 5, "arms": ["lexical", "dense", "lexical"], "collections": ["law"]}
    found = client.post("/v1/search", json=body).json()
    (searched,) = service.searched
    assert (searched.k, searched.arms, searched.collections) == (5, ("lexical", "dense"), ("law",))
    (hit,) = found["hits"]
    assert hit["text"] == TEXT
    assert hit["scores"] == {"lexical": 7.5, "dense": 0.6, "fused": 0.9}
    assert found["index_generation"] == "g1"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"question": "违约", "arms": []}, "arms is empty"),
        ({"question": "违约", "arms": ["bm25"]}, "$.arms"),
        ({"question": "违约", "top_k": 0}, "found 0"),
    ],
)
def test_a_search_that_cannot_be_run_says_why(client: Client, body: dict[str, object], detail: str) -> None:
    """400, naming the field."""
    response = client.post("/v1/search", json=body)
    assert response.status_code == 400
    assert detail in response.json()["detail"]


def test_lookup_opens_what_exists(client: Client) -> None:
    """The passage is the article itself."""
    found = client.get("/v1/lookup", params={"citation": "民法典577条", "as_of": "2021-01-01", "collection": "law"})
    assert found.json()["hits"][0]["locator"] == "第五百七十七条"
    assert found.json()["addressed"] == 1


def test_lookup_of_what_does_not_exist_is_404_and_offers_what_does(client: Client) -> None:
    """No near match is served as the thing itself."""
    response = client.get("/v1/lookup", params={"citation": "民法典第九千条"})
    assert response.status_code == 404
    assert response.json()["detail"] == "民法典第九千条: no such article; there is 第五百七十七条"
    assert "hits" not in response.json()


def test_a_missing_parameter_is_named(client: Client) -> None:
    """In the detail and, for programs, by field."""
    problem = client.get("/v1/lookup").json()
    assert problem["errors"] == [{"field": "citation", "message": "is missing"}]


@pytest.mark.parametrize(("query", "start", "end"), [("", 0, 31), ("?start=3&end=10", 3, 10), ("?start=31", 31, 31)])
def test_a_version_s_text_by_code_points(client: Client, query: str, start: int, end: int) -> None:
    """``text`` is exactly ``stored[start:end]``, and the whole length is told."""
    found = client.get(f"/v1/versions/law/text{query}").json()
    assert found["text"] == TEXT[start:end]
    assert (found["start"], found["end"], found["length"]) == (start, end, len(TEXT))


@pytest.mark.parametrize("query", ["?start=-1", "?end=32", "?start=5&end=4", "?start=x", f"?start={2**40}"])
def test_a_range_outside_the_text_is_an_error(client: Client, query: str) -> None:
    """A citation with such offsets is wrong, and silence would hide it."""
    assert client.get(f"/v1/versions/law/text{query}").status_code == 400


def test_models_in_openai_s_list_shape(client: Client) -> None:
    """Programs written for OpenAI's API can read it."""
    found = client.get("/v1/models").json()
    assert found["object"] == "list"
    collection, model = found["data"][0], next(one for one in found["data"] if one["id"] == "extractive")
    for one in (collection, model):
        assert (one["object"], one["created"], one["owned_by"]) == ("model", 0, "ragsvc")
    assert (collection["id"], collection["kind"], model["kind"]) == ("law", "collection", "local")


def test_a_query_parameter_that_does_not_exist_is_refused(client: Client) -> None:
    """A mistyped day would otherwise be answered with today's law; the message lists what there is."""
    response = client.get("/v1/lookup", params={"citation": "民法典577条", "asof": "2019-01-01"})
    assert response.status_code == 400
    assert "asof do not exist at /v1/lookup; it takes as_of, citation, collection" in response.json()["detail"]
    assert client.get("/v1/collections", params={"x": "1"}).json()["detail"].endswith("it takes none")
    assert client.get("/v1/models", params={"api-version": "2024-06-01"}).status_code == 200
