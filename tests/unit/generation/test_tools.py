"""Calls to tools: as text, and as the vendors' interfaces have them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ragsvc.generation.chat_models import open_chat_model
from ragsvc.generation.options import ChatOptions
from ragsvc.generation.tools import MAX_CALLS, as_plain_turns, read_calls, write_calls
from ragsvc.model_catalogue.catalogue import ChatCard
from ragsvc.records import Message, TextPiece, Tool, ToolCall

NAMES = ("Search", "Calculate")
TOOLS = (
    Tool(name="Search", description="Finds passages", parameter="what to look for"),
    Tool(name="Calculate", description="Works out", parameter="the expression"),
)


def call(name: str, argument: str, call_id: str = "") -> ToolCall:
    return ToolCall(name=name, argument=argument, call_id=call_id)


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ('Search("民法典 违约")', [call("Search", "民法典 违约")]),
        ("Search('a'), Calculate ( \"1+1\" )", [call("Search", "a"), call("Calculate", "1+1")]),
        ("Search(“违约金”)", [call("Search", "违约金")]),
        (r'Search("说\"好\"的\n \\")', [call("Search", '说"好"的\n \\')]),
        (r"Search('it\'s \d')", [call("Search", r"it's d")]),
        (r'Search("a\ud800\u0000b")', [call("Search", "ab")]),
        ("None", []),
        ('search("a") Solve("x") Search(a) Search("") Search("  ") Search("a', []),
        ('Search("a"); Search("a")', [call("Search", "a")]),
        ("Search(" * 1000, []),
    ],
)
def test_commands_are_read_as_models_write_them(text: str, calls: list[ToolCall]) -> None:
    """Straight, single and curly quotes, escapes, spaces; nothing that is not a whole call to a known tool."""
    assert list(read_calls(text, NAMES)) == calls


def test_the_number_and_length_of_calls_is_bounded() -> None:
    """Whatever a model writes, four texts of 500 characters at most are run."""
    text = ", ".join(f'Search("{"长" * 900}{n}")' for n in range(9)) + ", ".join(f'Search("{n}")' for n in range(9))
    calls = read_calls(text, NAMES)
    assert len(calls) == MAX_CALLS
    assert max(len(call.argument) for call in calls) == 500


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.text(min_size=1, max_size=30)), max_size=MAX_CALLS))
def test_what_is_written_is_read_again(written: list[tuple[str, str]]) -> None:
    """Any argument survives the text form, quotes and newlines included."""
    usable = [(name, argument.replace("\0", "").strip()) for name, argument in written]
    calls = [call(name, argument) for name, argument in usable if argument]
    calls = list({(c.name, c.argument): c for c in calls}.values())
    assert list(read_calls(write_calls(calls), NAMES)) == calls


CONVERSATION = (
    Message("system", "Rules.", tools=TOOLS),
    Message("user", "How much?"),
    Message("assistant", "I look.", tool_calls=(call("Search", "penalty", "a1"), call("Calculate", "1+1", "a2"))),
    Message("tool", "Search => …\n", call_id="a1"),
    Message("tool", "Calculate => '2'\n", call_id="a2"),
)


def test_a_model_without_tools_is_told_in_words() -> None:
    """One system message, then user and assistant in turn: any service takes that."""
    plain = as_plain_turns(CONVERSATION)
    assert [message.role for message in plain] == ["system", "user", "assistant", "user"]
    assert "- Search(what to look for): Finds passages" in plain[0].content
    assert plain[2].content == (
        '<|Inner Thoughts|>: I look.<eot>\n<|Commands|>: Search("penalty"), Calculate("1+1")<eoc>'
    )
    assert plain[3].content == "<|Results|>:\nSearch => …\nCalculate => '2'\n<eor>"
    assert not any(message.tools or message.tool_calls for message in plain)


def frames(*deltas: dict[str, Any], finish: str) -> str:
    """A stream as OpenAI's reference has it ("Streaming", "Function calling")."""
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


def tool_delta(index: int, **fields: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, **fields}]}


CALLS = frames(
    {"role": "assistant", "content": "Let me see."},
    tool_delta(0, id="a1", type="function", function={"name": "Search", "arguments": ""}),
    tool_delta(0, function={"arguments": '{"text": "pen'}),
    tool_delta(0, function={"arguments": 'alty"}'}),
    tool_delta(1, id="a2", type="function", function={"name": "Calculate", "arguments": '{"text": 7}'}),
    tool_delta(2, id="a3", type="function", function={"name": "Delete", "arguments": '{"text": "all"}'}),
    finish="tool_calls",
)


async def ask(server: HTTPServer, reply: str, messages: Sequence[Message], **facts: Any) -> tuple[Any, list[TextPiece]]:
    bodies: list[Any] = []

    def answer(request: Request) -> Response:
        bodies.append(request.get_json())
        return Response(reply, content_type="text/event-stream")

    server.expect_request("/v1/chat/completions").respond_with_handler(answer)
    card = ChatCard(
        name="m", vendor="v", kind="api", family="openai", base_url=server.url_for("/v1"), model="m", **facts
    )
    model = open_chat_model(card, ChatOptions(api_key="k"))
    pieces = [piece async for piece in model.stream(messages)]
    return bodies[0], pieces


async def test_a_service_that_takes_tools_is_sent_their_schemas(httpserver: HTTPServer) -> None:
    """Tools, calls and results go as data; calls that come in pieces arrive whole, unusable ones not at all."""
    body, pieces = await ask(httpserver, CALLS, CONVERSATION, takes_tools=True)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["Search", "Calculate"]
    assert body["tools"][0]["function"]["parameters"]["required"] == ["text"]
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "tool", "tool"]
    sent = body["messages"][2]["tool_calls"]
    assert [(one["id"], json.loads(one["function"]["arguments"])) for one in sent] == [
        ("a1", {"text": "penalty"}),
        ("a2", {"text": "1+1"}),
    ]
    assert [message["tool_call_id"] for message in body["messages"][3:]] == ["a1", "a2"]
    assert [piece.tool_calls for piece in pieces if piece.tool_calls] == [(call("Search", "penalty", "a1"),)]
    assert (pieces[-1].finish_reason, "".join(piece.text for piece in pieces)) == ("tool_calls", "Let me see.")


async def test_a_service_that_takes_none_is_sent_none(httpserver: HTTPServer) -> None:
    """Without the entry's word for it, no field that a stricter service would refuse is sent."""
    reply = frames({"role": "assistant", "content": 'Search("a")'}, finish="stop")
    body, pieces = await ask(httpserver, reply, CONVERSATION)
    assert "tools" not in body
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    assert all(set(message) == {"role", "content"} for message in body["messages"])
    assert "".join(piece.text for piece in pieces) == 'Search("a")'
