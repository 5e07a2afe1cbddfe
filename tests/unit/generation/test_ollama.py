"""The Ollama family against a server that enforces the documented wire format."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ragsvc.errors import UpstreamFailed
from ragsvc.generation.chat_models import ChatOptions, open_chat_model
from ragsvc.generation.streaming import StreamLimits
from ragsvc.protocols import ChatModel
from ragsvc.records import Message, TextPiece
from tests.servers.ollama import Fault, OllamaServer, Reply

QUESTION = (Message("system", "Answer from the passages."), Message("user", "What follows from a breach?"))
LIMITS = StreamLimits(idle_timeout_s=20, total_timeout_s=40, retries=1)


@pytest.fixture
def server() -> Iterator[OllamaServer]:
    with OllamaServer() as server:
        yield server


@pytest.fixture
def model(server: OllamaServer) -> ChatModel:
    return open_chat_model("ollama:test-model", ChatOptions(base_url=server.address, limits=LIMITS))


async def read(model: ChatModel) -> list[TextPiece]:
    return [piece async for piece in model.stream(QUESTION)]


async def test_the_request_is_the_documented_one(server: OllamaServer, model: ChatModel) -> None:
    """Messages, temperature and token limit go where Ollama reads them."""
    await read(model)
    [request] = server.requests
    assert request.path == "/api/chat"
    assert request.body["messages"] == [
        {"role": "system", "content": "Answer from the passages."},
        {"role": "user", "content": "What follows from a breach?"},
    ]
    assert request.body["options"] == {"temperature": 0.1, "num_predict": 1024}
    assert request.body["stream"] is True


async def test_a_model_that_was_not_pulled_is_said_so(server: OllamaServer) -> None:
    """Ollama's 404 comes through with its words."""
    model = open_chat_model("ollama:absent", ChatOptions(base_url=server.address, limits=LIMITS))
    with pytest.raises(UpstreamFailed, match=r"HTTP 404: model 'absent' not found"):
        await read(model)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("cut", "broke off after 27 characters"),
        ("ends without finish", "cut before the answer ended"),
        ("error event", "The server is overloaded"),
        ("not json", "broke off after 27 characters"),
    ],
)
async def test_a_broken_stream_is_never_a_complete_answer(
    server: OllamaServer, model: ChatModel, fault: Fault, complaint: str
) -> None:
    """Half an answer ends in an error and is not asked for again."""
    server.replies.append(Reply(fault=fault))
    with pytest.raises(UpstreamFailed, match=complaint):
        await read(model)
    assert len(server.requests) == 1


async def test_a_server_that_is_not_there_is_said_not_to_be() -> None:
    """A refused connection names the address and what to check."""
    model = open_chat_model("ollama:m", ChatOptions(base_url="http://127.0.0.1:9", limits=StreamLimits(retries=0)))
    with pytest.raises(UpstreamFailed, match=r"127\.0\.0\.1:9 cannot be reached.*Check that it runs"):
        await read(model)
