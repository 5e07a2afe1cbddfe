"""Uploads that never end, or are nothing but parts, are cut off."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from litestar.types import Message, Receive, Scope, Send

from ragsvc.api import edge
from ragsvc.api.errors import Refused
from tests.api.scripted_service import ScriptedService


def test_ten_thousand_parts_are_refused(client: TestClient[Litestar], service: ScriptedService) -> None:
    """400 when the thousand and first begins, and nothing stays on disk."""
    part = '--b\r\nContent-Disposition: form-data; name="file"; filename="{0}.md"\r\n\r\n# {0}\r\n'
    body = "".join(part.format(number) for number in range(10_000)) + "--b--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=b"}
    response = client.post("/v1/documents", content=body.encode(), headers=headers)
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("application/problem+json")
    assert "the form cannot be read" in response.json()["detail"]
    assert service.uploaded == []
    assert list((service.settings.home / "uploads").iterdir()) == []


def test_a_part_with_an_endless_head_is_refused(client: TestClient[Litestar], service: ScriptedService) -> None:
    """Heads of parts have bounds of their own."""
    for head in (b"X-Long: " + b"a" * 1_000_000, b"\r\n".join(b"X-%d: a" % n for n in range(10_000))):
        body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n' + head + b"\r\n\r\nx\r\n--b--"
        headers = {"content-type": "multipart/form-data; boundary=b"}
        response = client.post("/v1/documents", content=body, headers=headers)
        assert response.status_code == 400
    assert service.uploaded == []


async def test_a_client_that_sends_no_more_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause in the middle of a body has an end (slow loris), with 408."""
    monkeypatch.setattr(edge, "BODY_PAUSE_S", 0.05)
    taken: list[bytes] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message: Any = await receive()
            taken.append(message["body"])

    sent = iter([b"--b\r\n", b"Content"])

    async def receive() -> Message:
        piece = next(sent, None)
        if piece is None:
            await asyncio.sleep(60)
        return cast(Message, {"type": "http.request", "body": piece, "more_body": True})

    async def send(message: Message) -> None:
        raise AssertionError(message)

    with pytest.raises(Refused, match="nothing of the body came") as refused:
        await edge.watch(application)(cast(Scope, {"type": "http", "state": {}}), cast(Receive, receive), send)
    assert refused.value.status_code == 408
    assert taken == [b"--b\r\n", b"Content"]
