"""Tools that a model may call: as MOSS writes them, and as the vendors' interfaces take them through LangChain.

A service with an interface for tools gets their JSON schemas by ``bind_tools`` and gives calls as data. Every other
model is told MOSS's text form, in which both a call and what it gave are plain text:

    <|Commands|>: Search("民法典 违约责任"), Calculate("3*30")<eoc>
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ragsvc.records import Message, Tool, ToolCall

MAX_CALLS = 4
"""Of one turn; what a model asks beyond that is not run."""
MAX_ARGUMENT_CHARS = 500
"""Of one call; a longer one is cut."""

_RESULTS, _END_OF_RESULTS = "<|Results|>:\n", "<eor>"
_TOLD = """\
You may use tools. First write only these two lines and stop:
<|Inner Thoughts|>: what you need to know<eot>
<|Commands|>: Name("argument"), Name("argument")<eoc>
{}
The next message holds the results. Then answer from them alone and put the number of its source after each claim: [1].
"""
PARAMETER = "text"
"""Name of the one argument of every tool, where a name is needed."""

_CALL = re.compile(r"([A-Za-z][A-Za-z0-9]{0,39})\s*\(\s*(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|“([^”]*)”)\s*\)")


def write_calls(calls: Sequence[ToolCall]) -> str:
    """Return calls as MOSS writes them; ``None`` where there are none."""
    written = (f"{call.name}({json.dumps(call.argument, ensure_ascii=False)})" for call in calls)
    return ", ".join(written) or "None"


def read_calls(text: str, names: Sequence[str]) -> tuple[ToolCall, ...]:
    """Return the calls to tools of these names that a model wrote, in order, each once, at most ``MAX_CALLS``.

    Anything else in the text is left alone: unknown names, ``None``, prose, half a call.
    """
    found: dict[tuple[str, str], ToolCall] = {}
    for match in _CALL.finditer(text):
        argument = _usable(_unescaped(next(group for group in match.groups()[1:] if group is not None)))
        if match[1] in names and argument and len(found) < MAX_CALLS:
            found[match[1], argument] = ToolCall(name=match[1], argument=argument)
    return tuple(found.values())


def as_plain_turns(messages: Sequence[Message]) -> list[Message]:
    """Return the conversation with tools, calls and what they gave in words, for a model that takes them as text."""
    plain: list[Message] = []
    for message in messages:
        if message.role == "tool" and plain and plain[-1].content.startswith(_RESULTS):
            plain[-1] = Message("user", f"{plain[-1].content.removesuffix(_END_OF_RESULTS)}{message.content}<eor>")
        elif message.role == "tool":
            plain.append(Message("user", f"{_RESULTS}{message.content}{_END_OF_RESULTS}"))
        elif message.tool_calls:
            said = f"<|Inner Thoughts|>: {message.content}<eot>\n<|Commands|>: {write_calls(message.tool_calls)}<eoc>"
            plain.append(Message("assistant", said))
        elif message.tools:
            listed = "\n".join(f"- {tool.name}({tool.parameter}): {tool.description}" for tool in message.tools)
            plain.append(Message(message.role, f"{message.content}\n\n{_TOLD.format(listed)}"))
        else:
            plain.append(message)
    return plain


def schema_of(tool: Tool) -> dict[str, Any]:
    """Return a tool as OpenAI's interface describes one; LangChain's ``bind_tools`` takes it for every vendor."""
    parameters = {
        "type": "object",
        "properties": {PARAMETER: {"type": "string", "description": tool.parameter}},
        "required": [PARAMETER],
    }
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}


def to_call(call: ToolCall) -> Any:
    """Return a call as LangChain's messages hold it."""
    return {"name": call.name, "args": {PARAMETER: call.argument}, "id": call.call_id}


def calls_of(calls: Sequence[Any], tools: Sequence[Tool]) -> tuple[ToolCall, ...]:
    """Return the calls to these tools among those of a LangChain message, at most ``MAX_CALLS``.

    A call to another tool, or one without a text, is left out.
    """
    names = {tool.name for tool in tools}
    found = []
    for call in calls:
        argument = (call["args"] or {}).get(PARAMETER)
        if call["name"] in names and isinstance(argument, str) and (argument := _usable(argument)):
            found.append(ToolCall(name=call["name"], argument=argument, call_id=call["id"] or ""))
    return tuple(found[:MAX_CALLS])


def _usable(argument: str) -> str:
    """Return an argument without what is no text (half a surrogate pair, NUL), not longer than allowed."""
    return argument.encode("utf-8", "ignore").decode("utf-8").replace("\0", "").strip()[:MAX_ARGUMENT_CHARS].strip()


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:  # not as JSON has it: quotation marks inside other ones, a backslash of a formula
        return re.sub(r"\\(.)", r"\1", text)
