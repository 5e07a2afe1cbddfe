"""Claims over HTTP."""

from __future__ import annotations

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.api.conftest import new_key
from tests.api.scripted_service import QUOTE, ScriptedService

Client = TestClient[Litestar]


def test_claims_come_with_their_class_and_place(client: Client) -> None:
    """Text, class, citation and quotation of each claim."""
    found = client.post("/v1/verify", json={"text": "应当承担违约责任。", "as_of": "2023-05-01"}).json()
    (claim,) = found["claims"]
    assert (claim["text"], claim["status"], claim["quote"]) == ("应当承担违约责任。", "SUPPORTED", QUOTE)
    assert claim["citation"]["locator"] == "第五百七十七条"
    assert found["as_of"] == "2023-05-01"


@pytest.mark.parametrize("text", ["", "。。", "甲" * 50_001])
def test_a_text_that_cannot_be_verified_is_refused(client: Client, text: str) -> None:
    """Nothing to verify, or too much at once: 400, naming the field."""
    response = client.post("/v1/verify", json={"text": text})
    assert response.status_code == 400
    assert "text" in response.json()["detail"]


def test_a_key_verifies_against_its_own_collections(client: Client, service: ScriptedService) -> None:
    """A collection that the key may not read does not exist for it."""
    key = new_key(service, "ask", collections=("law",))
    body = {"text": "应当承担违约责任。", "collection": "secret"}
    assert client.post("/v1/verify", json=body, headers=key).status_code == 404
