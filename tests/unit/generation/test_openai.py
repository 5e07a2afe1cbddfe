"""The OpenAI family against a server that enforces the documented wire format."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator

import pytest

from ragsvc.errors import SettingsError, UpstreamFailed, UpstreamTimeout
from ragsvc.generation.chat_models import ChatOptions, open_chat_model
from ragsvc.generation.streaming import StreamLimits
from ragsvc.model_catalogue.catalogue import ChatCard, find_model
from ragsvc.protocols import ChatModel
from ragsvc.records import Message, TextPiece, Usage
from tests.servers.openai_chat import Fault, OpenAIChatServer, Reply

QUESTION = (Message("system", "只依据所给条文回答。"), Message("user", "违约怎么办？"))
LIMITS = StreamLimits(idle_timeout_s=20, total_timeout_s=40, max_characters=500, retries=1)


@pytest.fixture(scope="module")
def running() -> Iterator[OpenAIChatServer]:
    with OpenAIChatServer() as server:
        yield server


@pytest.fixture
def server(running: OpenAIChatServer) -> OpenAIChatServer:
    running.requests.clear()
    running.replies.clear()
    running.disconnects = 0
    return running


@pytest.fixture
def model(server: OpenAIChatServer) -> ChatModel:
    return open_chat_model(server.endpoint, ChatOptions(api_key=server.api_key, limits=LIMITS))


async def read(model: ChatModel) -> list[TextPiece]:
    return [piece async for piece in model.stream(QUESTION)]


def text(pieces: list[TextPiece]) -> str:
    return "".join(piece.text for piece in pieces)


async def test_a_stream_arrives_piece_by_piece_and_ends_with_reason_and_usage(
    server: OpenAIChatServer, model: ChatModel
) -> None:
    """Pieces come as written; only the last one carries the finish reason and the tokens that the server counted."""
    server.replies.append(Reply(pieces=["应当", "承担", "违约责任[1]。"], usage=(321, 9)))
    pieces = await read(model)
    assert [piece.text for piece in pieces] == ["应当", "承担", "违约责任[1]。", ""]
    assert [piece.finish_reason for piece in pieces] == [None, None, None, "stop"]
    assert pieces[-1].usage == Usage(prompt_tokens=321, completion_tokens=9)
    assert model.name == server.endpoint


async def test_the_request_is_the_documented_one(server: OpenAIChatServer, model: ChatModel) -> None:
    """The whole body, field for field: nothing that a stricter vendor would refuse."""
    await read(model)
    [request] = server.requests
    assert request.headers["authorization"] == f"Bearer {server.api_key}"
    assert request.body == {
        "model": "test-model",
        "messages": [
            {"role": "system", "content": "只依据所给条文回答。"},
            {"role": "user", "content": "违约怎么办？"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.1,
        "max_tokens": 1024,
    }


async def test_half_a_surrogate_pair_waits_for_the_other_half(server: OpenAIChatServer, model: ChatModel) -> None:
    """A character whose two JSON escapes come in two pieces is joined; a half alone becomes U+FFFD."""
    server.replies.append(Reply(pieces=["a\ud83d", "\ude00b", "\ude00c\ud83d"], escape=True))
    pieces = await read(model)
    assert text(pieces) == "a😀b\ufffdc\ufffd"
    assert all(piece.text.encode("utf-8") is not None for piece in pieces)


async def test_a_wrong_key_is_explained_and_never_repeated(server: OpenAIChatServer) -> None:
    """401 is not tried again; the vendor's words come without the key that they repeat."""
    model = open_chat_model(server.endpoint, ChatOptions(api_key="not-the-key-0815", limits=LIMITS))
    with pytest.raises(
        UpstreamFailed, match=r"HTTP 401: Incorrect API key provided: \*\*\*\. Check the API key"
    ) as error:
        await read(model)
    assert str(error.value).endswith("Check the API key.")
    assert "0815" not in str(error.value)
    assert "0815" not in "".join(traceback.format_exception(error.value))
    assert len(server.requests) == 1


async def test_credentials_in_a_vendors_words_are_hidden(server: OpenAIChatServer, model: ChatModel) -> None:
    """Whatever looks like a credential in an error body is left out of the message, and the message is short."""
    said = "denied for Bearer abc.def-ghi (api_key=s3cret; token: t0ken) sk-proj-1234567890 " + "x" * 1000
    server.replies.append(Reply(status=403, message=said))
    with pytest.raises(UpstreamFailed, match="HTTP 403: denied for ") as error:
        await read(model)
    assert not [leak for leak in ("abc.def", "s3cret", "t0ken", "1234567890") if leak in str(error.value)]
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("cut", "broke off after 27 characters"),
        ("ends without finish", "cut before the answer ended"),
        ("invalid utf-8", "broke off after 27 characters: .*utf-8"),
        ("error event", "The server is overloaded"),
        ("not json", "broke off after 27 characters"),
    ],
)
async def test_a_broken_stream_is_never_a_complete_answer(
    server: OpenAIChatServer, model: ChatModel, fault: Fault, complaint: str
) -> None:
    """Half an answer ends in an error, never in a finish reason, and is not asked for again."""
    server.replies.append(Reply(fault=fault))
    pieces: list[TextPiece] = []
    with pytest.raises(UpstreamFailed, match=complaint) as error:
        async for piece in model.stream(QUESTION):
            pieces.append(piece)
    assert type(error.value) is UpstreamFailed
    assert text(pieces) == "It depends on the contract."
    assert all(piece.finish_reason is None for piece in pieces)
    assert len(server.requests) == 1


async def test_a_stream_without_end_is_stopped_at_the_time_limit(server: OpenAIChatServer) -> None:
    """A server that always has something to say is given up after ``total_timeout_s``."""
    limits = StreamLimits(idle_timeout_s=0.6, total_timeout_s=0.5, max_characters=10**9)
    model = open_chat_model(server.endpoint, ChatOptions(api_key=server.api_key, limits=limits))
    server.replies.append(Reply(fault="never ends"))
    with pytest.raises(UpstreamTimeout, match=r"not done after 0\.5 s"):
        await read(model)


@pytest.mark.parametrize(
    ("fault", "usage"), [("no done", Usage(prompt_tokens=11, completion_tokens=7)), ("hangs after finish", None)]
)
async def test_what_comes_after_the_finish_reason_is_not_needed(
    server: OpenAIChatServer, model: ChatModel, fault: Fault, usage: Usage | None
) -> None:
    """A complete answer counts even if the server forgets ``[DONE]`` or keeps the line open."""
    server.replies.append(Reply(fault=fault))
    pieces = await read(model)
    assert text(pieces) == "It depends on the contract."
    assert (pieces[-1].finish_reason, pieces[-1].usage) == ("stop", usage)


async def test_cancelling_the_reader_ends_the_request(server: OpenAIChatServer, model: ChatModel) -> None:
    """A task that is cancelled while it waits for the next piece takes its request with it."""
    server.replies.append(Reply(fault="hangs"))
    task = asyncio.create_task(read(model))
    while not server.requests:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(server.wait_for_disconnect)


async def test_a_server_that_is_not_there_is_said_not_to_be() -> None:
    """A refused connection names the address and what to check."""
    model = open_chat_model("http://127.0.0.1:9/v1#m", ChatOptions(limits=StreamLimits(retries=0)))
    with pytest.raises(UpstreamFailed, match=r"127\.0\.0\.1:9.*cannot be reached.*Check that it runs"):
        await read(model)


async def test_another_path_than_the_vendors_is_explained(server: OpenAIChatServer) -> None:
    """A base URL without its ``/v1`` is the usual mistake: 404 says to check it."""
    model = open_chat_model(f"{server.address}/v2#test-model", ChatOptions(api_key=server.api_key, limits=LIMITS))
    with pytest.raises(UpstreamFailed, match=r"HTTP 404.*Check the model id and the base URL"):
        await read(model)


def card(server: OpenAIChatServer, listed: str) -> ChatCard:
    """A listed model that is answered by our server."""
    server.models = ("test-model", find_model(listed).model)
    return find_model(listed)


@pytest.mark.parametrize(
    ("listed", "asked", "sent"),
    [
        ("glm-4-plus", {"temperature": 0.0}, {"temperature": 0.01, "max_tokens": 4096}),
        ("baichuan4", {"temperature": 1.7}, {"temperature": 1.0, "max_tokens": 2048}),
        ("kimi-k3", {"temperature": 0.3}, {"temperature": None, "max_completion_tokens": 4096, "max_tokens": None}),
        ("gpt-4o", {"temperature": 0.3}, {"temperature": 0.3, "max_completion_tokens": 4096, "max_tokens": None}),
    ],
)
async def test_a_vendors_departures_from_the_format_are_kept(
    server: OpenAIChatServer, listed: str, asked: dict[str, float | None], sent: dict[str, object]
) -> None:
    """Range of temperature, cap and name of the token limit, stream options: as the card says, else not sent."""
    options = ChatOptions(
        api_key=server.api_key,
        base_url=server.base_url,
        max_tokens=4096,
        limits=LIMITS,
        temperature=asked["temperature"],
    )
    await read(open_chat_model(card(server, listed), options))
    body = server.requests[0].body
    assert {name: body.get(name) for name in sent} == sent


async def test_the_key_comes_from_the_vendors_variable(
    server: OpenAIChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an explicit key the card's environment variable is read; OpenAI's own key stays at home."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai-only")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-openai-only")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-openai-only")
    options = ChatOptions(base_url=server.base_url, limits=LIMITS)
    with pytest.raises(SettingsError, match="glm-4-plus needs an API key of Zhipu: set ZHIPUAI_API_KEY"):
        open_chat_model(card(server, "glm-4-plus"), options)
    monkeypatch.setenv("ZHIPUAI_API_KEY", server.api_key)
    await read(open_chat_model(card(server, "glm-4-plus"), options))
    assert "openai-only" not in str(server.requests[0].headers)


async def test_an_endpoint_of_ones_own_gets_no_vendors_key(
    server: OpenAIChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address given as a name never receives a key from the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai-only")
    with pytest.raises(UpstreamFailed, match=r"HTTP 401: Incorrect API key provided: none\."):
        await read(open_chat_model(server.endpoint, ChatOptions(limits=LIMITS)))
    assert server.requests[0].headers["authorization"] == "Bearer none"


async def test_openai_names_take_their_address_from_the_settings(server: OpenAIChatServer) -> None:
    """``openai:MODEL`` goes to the base URL that is set, with the key that is set."""
    options = ChatOptions(api_key=server.api_key, base_url=server.base_url, limits=LIMITS)
    assert text(await read(open_chat_model("openai:test-model", options))) == "It depends on the contract."


def test_openai_itself_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening fails before any request when the key is missing."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(SettingsError, match="set OPENAI_API_KEY"):
        open_chat_model("openai:gpt-4o")


def test_options_do_not_show_the_key() -> None:
    """Options end up in logs: their text has no key."""
    assert "hunter2" not in repr(ChatOptions(api_key="hunter2"))
