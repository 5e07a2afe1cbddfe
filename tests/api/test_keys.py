"""Keys over HTTP: made, listed, rotated, revoked by admins, each within the collections of their own key."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from ragsvc.api import revocation
from ragsvc.security.api_keys import hash_key
from tests.api.conftest import new_key
from tests.api.scripted_service import ScriptedService
from tests.api.test_embed_tickets import PORTAL, get_ticket

Client = TestClient[Litestar]


def make(client: Client, admin: dict[str, str], **body: Any) -> Any:
    return client.post("/v1/keys", json={"name": "portal", "scopes": ["ask"], **body}, headers=admin)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_key_is_made_and_its_secret_shown_once(client: Client, service: ScriptedService) -> None:
    """It works at once; neither the list nor any file of the home has the secret."""
    admin = new_key(service, "admin")
    limits = {"requests_per_minute": 60, "questions_per_day": None, "tokens_per_day": 0}
    made = make(client, admin, collections=["law"], origins=[PORTAL], limits=limits, days=1)
    assert made.status_code == 201, made.text
    secret, shown = made.json()["secret"], made.json()["key"]
    assert shown["limits"] == limits
    assert 0 < shown["expires_at"] - time.time() <= 86_400
    assert client.get("/v1/collections", headers=bearer(secret)).status_code == 200
    get_ticket(client, bearer(secret))
    listed = client.get("/v1/keys", headers=admin)
    assert shown in listed.json()["keys"]
    assert secret not in listed.text
    assert hash_key(secret) not in listed.text
    assert all(secret.encode() not in path.read_bytes() for path in service.settings.home.rglob("*") if path.is_file())


def test_origins_are_set_and_a_key_revoked(client: Client, service: ScriptedService) -> None:
    """Each acts with the next request."""
    admin = new_key(service, "admin")
    made = make(client, admin).json()
    path = f"/v1/keys/{made['key']['key_id']}"
    changed = client.put(f"{path}/origins", json={"origins": ["HTTPS://portal.example:443"]}, headers=admin)
    assert changed.json()["origins"] == [PORTAL]
    get_ticket(client, bearer(made["secret"]))
    assert client.put(f"{path}/origins", json={"origins": ["*"]}, headers=admin).status_code == 400
    assert client.delete(path, headers=admin).status_code == 204
    assert client.get("/v1/collections", headers=bearer(made["secret"])).status_code == 401


def test_rotation_leaves_time_to_change_over(client: Client, service: ScriptedService) -> None:
    """Both secrets work until the grace ends; then the new one only. Another rotation ends the first secret."""
    admin = new_key(service, "admin")
    made = make(client, admin).json()
    path = f"/v1/keys/{made['key']['key_id']}/rotate"
    secrets = [made["secret"]]
    for _ in range(2):
        rotated = client.post(path, json={"grace_s": 100}, headers=admin).json()
        assert rotated["key"]["key_id"] == made["key"]["key_id"]
        secrets.append(rotated["secret"])
    assert [client.get("/v1/models", headers=bearer(one)).status_code for one in secrets] == [401, 200, 200]
    client.post(path, json={"grace_s": 0}, headers=admin)
    assert [client.get("/v1/models", headers=bearer(one)).status_code for one in secrets] == [401, 401, 401]


def test_the_grace_ends(client: Client, service: ScriptedService, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock, not by another request."""
    admin = new_key(service, "admin")
    made = make(client, admin).json()
    client.post(f"/v1/keys/{made['key']['key_id']}/rotate", json={"grace_s": 100}, headers=admin)
    later = time.time() + 101
    monkeypatch.setattr("ragsvc.store.keys.time.time", lambda: later)
    assert client.get("/v1/models", headers=bearer(made["secret"])).status_code == 401


def test_a_secret_that_ended_ends_its_stream(
    client: Client, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rotation without grace is what one does with a secret that leaked."""
    monkeypatch.setattr(revocation, "RECHECK_S", 0.05)
    admin = new_key(service, "admin")
    made = make(client, admin).json()
    service.pause_s = 30
    with ThreadPoolExecutor(1) as pool:
        body = {"question": "违约", "stream": True}
        asking = pool.submit(client.post, "/v1/ask", json=body, headers=bearer(made["secret"]))
        while not service.asked:
            time.sleep(0.02)
        service.access.rotate_key(made["key"]["key_id"], 0)
        assert '"status":401' in asking.result(timeout=10).text


def test_a_revoked_key_is_not_brought_back_by_rotation(client: Client, service: ScriptedService) -> None:
    """There is nothing to go on with."""
    admin = new_key(service, "admin")
    key_id = make(client, admin).json()["key"]["key_id"]
    client.delete(f"/v1/keys/{key_id}", headers=admin)
    assert client.post(f"/v1/keys/{key_id}/rotate", json={}, headers=admin).status_code == 404


def test_an_admin_of_one_collection_makes_no_wider_key(client: Client, service: ScriptedService) -> None:
    """Naming none means the admin's own, never all; another's collection looks as if it were not there."""
    admin = new_key(service, "admin", collections=("law",))
    assert make(client, admin).json()["key"]["collections"] == ["law"]
    hidden, absent = (make(client, admin, collections=[name]) for name in ("secret", "nowhere"))
    assert hidden.status_code == absent.status_code == 404
    assert hidden.text == absent.text.replace("nowhere", "secret")


def test_an_admin_of_one_collection_sees_no_other_key(client: Client, service: ScriptedService) -> None:
    """Not in the list, and by its id it looks as if it were not there: whether it reads elsewhere or everywhere."""
    new_key(service, "admin")
    new_key(service, "ask", collections=("secret",))
    new_key(service, "ask", collections=("law", "secret"))
    admin = new_key(service, "admin", collections=("law",))
    own = service.keys.list()[-1].key_id
    assert [key["key_id"] for key in client.get("/v1/keys", headers=admin).json()["keys"]] == [own]
    others = [key.key_id for key in service.keys.list() if key.key_id != own]
    for method, path, body in (
        ("DELETE", "/v1/keys/{}", None),
        ("POST", "/v1/keys/{}/rotate", {}),
        ("PUT", "/v1/keys/{}/origins", {"origins": []}),
    ):
        for other in others:
            hidden, absent = (
                client.request(method, path.format(name), json=body, headers=admin) for name in (other, "nowhere")
            )
            assert hidden.status_code == absent.status_code == 404
            assert hidden.text == absent.text.replace("nowhere", other)
    assert all(key.revoked_at is None and key.old_until is None for key in service.keys.list())


def test_the_first_key_is_an_admin_s(client: Client, service: ScriptedService) -> None:
    """From the first key on every request needs one: another would lock out whoever makes it in a browser."""
    refused = make(client, {})
    assert refused.status_code == 409
    assert "'admin'" in refused.json()["detail"]
    assert not service.keys.any()
    made = make(client, {}, scopes=["admin"]).json()
    assert client.get("/v1/keys").status_code == 401
    assert client.get("/v1/keys", headers=bearer(made["secret"])).status_code == 200
