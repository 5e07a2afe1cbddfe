"""Documents in and out, and the jobs that bring them in."""

from __future__ import annotations

import json
import threading
import time
from datetime import date
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from ragsvc.api.app import create_app
from tests.api.conftest import LOCAL
from tests.api.scripted_service import ScriptedService

Client = TestClient[Litestar]


def test_files_become_a_job(client: Client, service: ScriptedService) -> None:
    """202 and a job; the files come through byte by byte under harmless names, and nothing is left over."""
    files = [("file", ("../民法典.md", "# 民法典\r\n\0".encode())), ("file", ("a.md", b"")), ("file", ("a.md", b"2"))]
    data = {"collection": "law", "domain": "law", "effective_from": "2021-01-01"}
    response = client.post("/v1/documents", data=data, files=files)
    assert response.status_code == 202
    assert response.json()["status"] == "queued"
    assert service.uploaded == [
        ("law", [("民法典.md", "# 民法典\r\n\0".encode()), ("a.md", b""), ("a.md", b"2")], "law", date(2021, 1, 1))
    ]
    assert list((service.settings.home / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("data", "files", "detail"),
    [
        ({}, [("file", ("a.md", b"x"))], "needs a field 'collection'"),
        ({"collection": "law"}, [("other", ("a.md", b"x"))], "found 'other'"),
        ({"collection": "law", "url": "http://x"}, [("file", ("a.md", b"x"))], "field 'url'"),
        ({"collection": "law", "domain": "magic"}, [("file", ("a.md", b"x"))], "found 'magic'"),
        ({"collection": "law", "effective_from": "soon"}, [("file", ("a.md", b"x"))], "found 'soon'"),
        ({"collection": "a" * 2000}, [("file", ("a.md", b"x"))], "more than 1,000 bytes"),
        ({"collection": "\n"}, [("file", ("a.md", b"x"))], "collection"),
        ({"collection": "law"}, [("file", ("", b"x"))], "file"),
    ],
)
def test_a_form_that_cannot_be_used_says_why(
    client: Client,
    service: ScriptedService,
    data: dict[str, str],
    files: list[tuple[str, tuple[str, bytes]]],
    detail: str,
) -> None:
    """400, and nothing stays on disk."""
    response = client.post("/v1/documents", data=data, files=files)
    assert response.status_code == 400
    assert detail in response.json()["detail"]
    uploads = service.settings.home / "uploads"
    assert not uploads.exists() or list(uploads.iterdir()) == []


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data", "multipart/form-data; boundary=" + "b" * 71]
)
def test_other_bodies_are_refused(client: Client, content_type: str) -> None:
    """415 for another media type, 400 for a form without a usable boundary."""
    response = client.post("/v1/documents", content=b"{}", headers={"content-type": content_type})
    assert response.status_code == (415 if "json" in content_type else 400)


@pytest.mark.parametrize("content", [b"", b"--b\r\n", b"--b\r\nContent-Disposition: form-data\r\n\r\nx", b"nonsense"])
def test_a_broken_form_is_an_error_of_the_client(client: Client, content: bytes) -> None:
    """Cut off, empty or nonsense: 400, never 500."""
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert client.post("/v1/documents", content=content, headers=headers).status_code == 400


def test_an_upload_over_the_limit_leaves_nothing(tmp_path: Path) -> None:
    """413, counted on what came, with the limit in the message."""
    service = ScriptedService(tmp_path, max_file_mb=1)
    with TestClient(create_app(service, service.settings), base_url=LOCAL) as client:
        response = client.post(
            "/v1/documents", data={"collection": "law"}, files=[("file", ("big.md", b"x" * (1 << 20)))]
        )
    assert response.status_code == 413
    assert "1,048,576 bytes" in response.json()["detail"]
    assert service.uploaded == []
    assert not (tmp_path / "uploads").exists() or list((tmp_path / "uploads").iterdir()) == []


def test_documents_can_be_listed_shown_and_taken_out(client: Client, service: ScriptedService) -> None:
    """A document that was taken out is gone."""
    (listed,) = client.get("/v1/documents", params={"collection": "law"}).json()["documents"]
    address = f"/v1/documents/{listed['document_id']}"
    assert client.get(address).json() == listed
    assert client.get(f"{address}/versions").json()["versions"][0]["effective_from"] == "2021-01-01"
    assert client.delete(address).status_code == 204
    assert service.deleted == ["law"]
    assert client.get(address).status_code == 404
    assert client.delete(address).status_code == 404


@pytest.mark.parametrize("query", ["", "?collection=", "?collection=law&limit=0", "?collection=law&offset=-1"])
def test_a_list_that_cannot_be_given_says_why(client: Client, query: str) -> None:
    """A collection is needed, and a page has bounds."""
    assert client.get(f"/v1/documents{query}").status_code == 400


def test_a_job_shows_no_paths_of_this_machine(client: Client, service: ScriptedService) -> None:
    """Its payload stays inside."""
    job = service.jobs.submit("ingest", {"collection": "law", "paths": ["/srv/uploads/x"]}, 1)
    text = client.get(f"/v1/jobs/{job.job_id}").text
    assert "/srv" not in text
    assert json.loads(text)["id"] == job.job_id


def test_a_waiting_job_is_cancelled_at_once(client: Client, service: ScriptedService) -> None:
    """DELETE asks it to stop and shows it as it is then."""
    job = service.jobs.submit("ingest", {"collection": "law"}, 1)
    assert client.delete(f"/v1/jobs/{job.job_id}").json()["status"] == "cancelled"


def test_a_job_can_be_followed_to_its_end(client: Client, service: ScriptedService) -> None:
    """One event per change, then ``done`` with the result."""
    job = service.jobs.submit("ingest", {"collection": "law"}, 2)

    def work() -> None:
        service.jobs.claim("w")
        service.jobs.heartbeat(job.job_id, "w", 1, 2)
        time.sleep(1.2)
        service.jobs.finish(job.job_id, "w", "done", result={"documents": 2})

    worker = threading.Thread(target=work)
    worker.start()
    lines = client.get(f"/v1/jobs/{job.job_id}/events").text.splitlines()
    worker.join()
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    last = json.loads(next(line for line in reversed(lines) if line.startswith("data: ")).removeprefix("data: "))
    assert names[0] == "progress"
    assert names[-1] == "done"
    assert (last["status"], last["result"]) == ("done", {"documents": 2})


def test_following_ends_when_the_server_drains(app: Litestar, client: Client, service: ScriptedService) -> None:
    """A stream without an end of its own must not hold up a shutdown."""
    job = service.jobs.submit("ingest", {"collection": "law"}, 1)
    app.state.is_draining = True
    assert client.get(f"/v1/jobs/{job.job_id}/events").text == ""


@pytest.mark.parametrize("path", ["", "/events"])
def test_an_unknown_job_is_404(client: Client, path: str) -> None:
    """Also where its events are asked for."""
    assert client.get(f"/v1/jobs/nope{path}").status_code == 404
