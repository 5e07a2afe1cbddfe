"""Baidu's token form beyond what all families share: tokens are bought once, kept, and renewed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ragsvc.errors import SettingsError, UpstreamFailed
from ragsvc.generation.chat_models import open_chat_model
from ragsvc.generation.options import ChatOptions
from ragsvc.protocols import ChatModel
from ragsvc.records import Message
from tests.servers.baidu import BaiduServer
from tests.servers.families import card_of, key_of
from tests.servers.vendor import Reply

QUESTION = (Message("system", "只依据所给条文回答。"), Message("user", "违约怎么办？"))


@pytest.fixture
def server() -> Iterator[BaiduServer]:
    with BaiduServer() as server:
        yield server


def opened(server: BaiduServer, key: str | None = None) -> ChatModel:
    return open_chat_model(card_of("Baidu", server), ChatOptions(api_key=key or key_of(server), max_tokens=800))


async def ask(model: ChatModel) -> str:
    return "".join([piece.text async for piece in model.stream(QUESTION)])


async def test_a_token_is_bought_once_and_kept(server: BaiduServer) -> None:
    """Three answers, one purchase."""
    model = opened(server)
    for _ in range(3):
        await ask(model)
    assert server.n_bought == 1


async def test_a_token_that_the_service_no_longer_takes_is_renewed(server: BaiduServer) -> None:
    """Error 110 or 111 buys another token, and the reader notices nothing."""
    model = opened(server)
    await ask(model)
    server.expire()
    assert await ask(model) == "It depends on the contract."
    assert server.n_bought == 2


async def test_a_token_is_renewed_before_it_expires(server: BaiduServer) -> None:
    """One that would expire while the request is on its way is not used."""
    server.lifetime_s = 30
    model = opened(server)
    await ask(model)
    await ask(model)
    assert server.n_bought == 2


async def test_a_service_that_takes_no_token_is_asked_twice_only(server: BaiduServer) -> None:
    """A fresh token that is refused too is an error of the keys, not a reason to go on."""
    server.replies.extend([Reply(status=401, message="Access token invalid")] * 5)
    with pytest.raises(UpstreamFailed, match=r"HTTP 401: Access token invalid.*Check the API key"):
        await ask(opened(server))
    assert server.n_bought == 2


async def test_the_request_is_the_documented_one(server: BaiduServer) -> None:
    """The system text is a field, the answer's limit has its own name, and the token stands in the address alone."""
    await ask(opened(server))
    request = server.requests[-1]
    assert request.body == {
        "messages": [{"role": "user", "content": "违约怎么办？"}],
        "system": "只依据所给条文回答。",
        "stream": True,
        "temperature": 0.1,
        "max_output_tokens": 800,
    }
    assert request.query == {"access_token": next(iter(server.tokens))}


async def test_a_wrong_secret_is_said_to_be_wrong(server: BaiduServer) -> None:
    """The vendor's words come through, without either key."""
    with pytest.raises(UpstreamFailed, match=r"HTTP 401: no access token was given: Client authentication failed") as e:
        await ask(opened(server, f"{server.api_key}:wrong-secret"))
    assert "wrong-secret" not in str(e.value)


def test_both_keys_are_needed(server: BaiduServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names both variables; with both set they are read."""
    with pytest.raises(SettingsError, match="set NO_SUCH_KEY and NO_SUCH_SECRET"):
        opened(server, "only-one")
    monkeypatch.setenv("NO_SUCH_KEY", server.api_key)
    monkeypatch.setenv("NO_SUCH_SECRET", server.secret_key)
    assert open_chat_model(card_of("Baidu", server), ChatOptions())
