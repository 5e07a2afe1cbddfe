"""The index over HTTP, and the librarian's lists: what a scripted home has none of is an empty list or a 404."""

from __future__ import annotations

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from ragsvc import open_service
from ragsvc.api.app import create_app
from tests.api.conftest import LOCAL, new_key
from tests.api.scripted_service import ScriptedService
from tests.api.serving import make_home

Client = TestClient[Litestar]


def test_an_empty_home_has_no_generation_to_go_back_to(client: Client) -> None:
    """Listed as none, undamaged, and going back is a 404 that says why."""
    assert client.get("/v1/index").json() == {"generations": []}
    assert client.post("/v1/index/verify").json() == {"damage": []}
    refused = client.post("/v1/index/rollback", json={})
    assert refused.status_code == 404
    assert "no generation before" in refused.json()["detail"]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/rollback"), ("POST", "/verify")])
def test_an_admin_of_some_collections_is_not_the_index_s(
    client: Client, service: ScriptedService, method: str, path: str
) -> None:
    """A generation holds all collections: neither counts nor a way back for who may see some only."""
    some = new_key(service, "admin", collections=("law",))
    assert client.request(method, f"/v1/index{path}", json={}, headers=some).status_code == 403
    assert client.get("/v1/index", headers=new_key(service, "admin")).status_code == 200


def test_jobs_are_listed_newest_first_and_another_s_are_not(client: Client, service: ScriptedService) -> None:
    """Each with its collection, without the folders that its files lay in."""
    ids = [service.jobs.submit("ingest", {"collection": name}, 1).job_id for name in ("law", "secret", "law")]
    assert [one["job"]["id"] for one in client.get("/v1/jobs").json()["jobs"]] == ids[::-1]
    mine = new_key(service, "ingest", collections=("law",))
    found = client.get("/v1/jobs?limit=1", headers=mine).json()["jobs"]
    assert [(one["job"]["id"], one["collection"]) for one in found] == [(ids[2], "law")]


def test_a_real_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two versions are compared by article; a title is found by a part of it; damage is named by its place.

    The first generation is current again after a rollback, and the old text with it.
    """
    folder = tmp_path_factory.mktemp("home")
    home = make_home(folder)
    service = open_service(home)
    amended = (folder / "law.md").read_text(encoding="utf-8").replace("十日内", "七日内")
    (folder / "law.md").write_text(f"{amended}\n第三条　本条例由住建部门解释。\n", encoding="utf-8")
    service.ingest([folder / "law.md"], "law", domain="law")
    with TestClient(create_app(service, service.settings), base_url=LOCAL) as client:
        page = {"collection": "law", "matching": "租赁"}
        (found,) = client.get("/v1/documents", params=page).json()["documents"]
        assert client.get("/v1/documents", params={**page, "matching": "100%"}).json()["documents"] == []
        diff = client.get(f"/v1/documents/{found['document_id']}/diff").json()
        assert [one["new"]["locator"] for one in diff["changed"]] == ["第一条"]
        assert diff["changed"][0]["words"] == [{"old": "十", "new": "七"}]
        assert [one["locator"] for one in diff["added"]] == ["第三条"]
        assert (diff["unchanged"], diff["repealed"]) == (1, [])
        newest, first = client.get("/v1/index").json()["generations"]
        assert (newest["is_current"], first["is_current"]) == (True, False)
        after = client.post("/v1/index/rollback", json={"generation": first["generation_id"]}).json()["generations"]
        assert [one["is_current"] for one in after] == [False, True]
        assert "十日内" in client.get("/v1/lookup?citation=虚构租赁条例第一条").json()["hits"][0]["text"]
        (file, *_) = (home / "generations" / newest["generation_id"]).rglob("*.faiss")
        file.write_bytes(b"x")
        (damage,) = client.post("/v1/index/verify").json()["damage"]
        assert newest["generation_id"] in damage
        assert str(home) not in damage
    service.close()
