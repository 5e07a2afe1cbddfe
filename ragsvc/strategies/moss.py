"""The model searches itself: MOSS's plugin protocol, with retrieval as ``Search`` and arithmetic as ``Calculate``.

A turn is two calls. In the first the model says what it wants to know; nothing of that is released. What its commands
gave is put after it, and the second call writes the answer, whose marks ``<sup><|1|></sup>`` count the passages found.

    <|Inner Thoughts|>: 需要查违约金的条文<eot>
    <|Commands|>: Search("违约金 过高"), Calculate("30000*1.3")<eoc>
    <|Results|>:
    Search("违约金 过高") =>
    <|1|>: "…"
    Calculate("30000*1.3") => '39000'
    <eor>
    <|MOSS|>: …<sup><|1|></sup><eom>

A service that takes tools as data is given them so. A model that asks for nothing, writes something else or never ends
the first call is given what the question itself found; one that then still writes no answer is asked plainly.

Source: README of OpenLMLab/MOSS, "Plugin-augmented MOSS".
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from msgspec import Struct
from msgspec.structs import replace

from ragsvc.errors import InvalidInput, UpstreamFailed, UpstreamTimeout
from ragsvc.generation.images import with_images
from ragsvc.generation.tools import MAX_ARGUMENT_CHARS, read_calls, write_calls
from ragsvc.prompting import as_data, estimated_tokens, neutralise
from ragsvc.records import (
    Message,
    Passage,
    PassagesDropped,
    PassagesFound,
    SearchRequest,
    TextPiece,
    Tool,
    ToolCall,
    Usage,
)
from ragsvc.strategies import direct
from ragsvc.strategies.calculator import calculate
from ragsvc.strategies.direct import STOPPED
from ragsvc.strategies.task import Task

SEARCH, CALCULATE = "Search", "Calculate"
TOOLS = (
    Tool(name=SEARCH, description="Finds passages of the sources 查找资料原文", parameter="what to look for"),
    Tool(name=CALCULATE, description="Works out an arithmetic expression 计算算式", parameter="the expression"),
)
MOST_WANTED_CHARS = 2_000
"""Of the first call: what is written beyond that is not waited for."""
MOST_THOUGHT_CHARS = 500
NO_RESULT = "No result."
_ABOVE = "The same as above."
_FRAMING_TOKENS = 300
"""What the protocol itself takes of a prompt, generously."""
_LEAST_ROOM = 50
"""Tokens, under which no passage is begun."""

_END_OF_WANTS = "<eoc>"
_THOUGHTS = re.compile(r"<\|Inner Thoughts\|>:?\s*(.*?)\s*(?:<eot>|<\|Commands\|>|$)", re.DOTALL)
_ENDS = re.compile(r"<eom>|<eoh>|<\|(?:Human|Commands|Results)\|>")
_MARK = re.compile(r"<sup>\s*<\|(\d{1,3})\|>\s*</sup>|<\|(\d{1,3})\|>")
_ROLE = re.compile(r"<\|(?:MOSS|Inner Thoughts)\|>:?[ ]?|<eo[tcr]>")
_MAY_GO_ON = re.compile(r"<[^<>\n]{0,20}(?:>\s*<[^<>\n]{0,8}){0,2}>?:?$")
"""At the end of a piece: what may become markup with the next one."""


async def stream(task: Task) -> AsyncGenerator[TextPiece | PassagesFound | PassagesDropped, None]:
    """Let the model search and calculate, then answer."""
    assert task.model is not None, "strategies/__init__.py names this strategy only with a model"
    rules = Message("system", task.pack.system_prompt[task.language], tools=TOOLS)
    question = Message("user", neutralise(task.request.question))
    conversation = with_images((rules, question), task.request.images)
    wants = await _wanted(task, conversation)
    room = task.prompt_tokens - estimated_tokens(rules.content) - estimated_tokens(question.content) - _FRAMING_TOKENS
    found = await _run(task, wants.calls, room)
    if found.passages != task.result.passages:
        yield PassagesFound(found.passages)
    if found.n_dropped:
        yield PassagesDropped(found.n_dropped)

    has_text = False
    asked = Message("assistant", wants.thoughts, tool_calls=tuple(call for call, _ in found.results))
    given = [Message("tool", text, call_id=call.call_id) for call, text in found.results]
    try:
        async with aclosing(_answer(task, (*conversation, asked, *given))) as pieces:
            async for piece in pieces:
                has_text = has_text or bool(piece.text.strip())
                yield replace(piece, usage=_sum(wants.usage, piece.usage)) if piece.usage else piece
    except UpstreamFailed as error:
        if has_text or isinstance(error, UpstreamTimeout):
            raise
    if not has_text:
        shown = replace(task.result, passages=found.passages)
        async with aclosing(direct.stream(replace(task, result=shown))) as plain:
            async for event in plain:
                yield event


class _Wants(Struct, frozen=True):
    """What the model wants to know, and why."""

    thoughts: str
    calls: tuple[ToolCall, ...]
    usage: Usage | None


async def _wanted(task: Task, conversation: Sequence[Message]) -> _Wants:
    """Make the first call; whatever is not a command in it is nobody's to read."""
    assert task.model is not None
    text = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage | None = None
    try:
        async with aclosing(task.model.stream(conversation)) as pieces:
            async for piece in pieces:
                text += piece.text
                calls += piece.tool_calls
                usage = piece.usage or usage
                if _END_OF_WANTS in text or len(text) > MOST_WANTED_CHARS:
                    break
    except UpstreamTimeout:
        raise
    except UpstreamFailed:
        pass  # it may have written nothing; whether it can answer at all, the second call will show
    before, _, commands = text.partition("<|Commands|>")
    thoughts = _THOUGHTS.search(before)
    if not calls:
        calls = read_calls((commands or text).partition(_END_OF_WANTS)[0], (SEARCH, CALCULATE))
    return _Wants((thoughts[1] if thoughts else "")[:MOST_THOUGHT_CHARS], calls, usage)


class _Found(Struct, frozen=True):
    """What the tools gave: the text for each call, and the passages that its numbers count."""

    results: list[tuple[ToolCall, str]]
    passages: tuple[Passage, ...]
    n_dropped: int


async def _run(task: Task, calls: Sequence[ToolCall], room: int) -> _Found:
    """Run the commands. Without a search that found something, what the question itself found stands there."""
    numbered = _Numbered(room)
    results = []
    for call in calls:
        if call.name == CALCULATE:
            results.append((call, f"{write_calls((call,))} => '{_calculated(call.argument)}'\n"))
        else:
            results.append((call, numbered.add(call, await _searched(task, call.argument))))
    if not numbered.passages:
        # Nine letters and digits: one vendor (Mistral) takes no other number of a call.
        own = ToolCall(name=SEARCH, argument=task.request.question[:MAX_ARGUMENT_CHARS], call_id="question1")
        results.append((own, numbered.add(own, task.result.passages)))
    return _Found(results, tuple(numbered.passages), numbered.n_dropped)


class _Numbered:
    """Numbers passages over all searches of a turn, each once, as long as there is room."""

    def __init__(self, room: int) -> None:
        self.passages: list[Passage] = []
        self.n_dropped = 0
        self._room = room

    def add(self, call: ToolCall, passages: Sequence[Passage]) -> str:
        """Return what a search gave, as MOSS reads it."""
        lines = [self._line(passage) for passage in passages if passage not in self.passages]
        shown = [line for line in lines if line]
        if not shown:
            shown = [_ABOVE if passages and not lines else NO_RESULT]
        return f"{write_calls((call,))} =>\n" + "".join(f"{line}\n" for line in shown)

    def _line(self, passage: Passage) -> str:
        self.passages.append(passage)
        name = " ".join(dict.fromkeys(part for part in (passage.title or passage.work, passage.locator) if part))
        text = " ".join(f"{neutralise(name)}: {as_data(passage.text)}".split())
        line = f'<|{len(self.passages)}|>: "{text}"'
        if self.n_dropped or estimated_tokens(line) > self._room:
            if len(self.passages) > 1 or self._room < _LEAST_ROOM:
                self.n_dropped += 1
                return ""
            line = f'{line[: self._room]}…"'  # a token is a character at least
        self._room -= estimated_tokens(line)
        return line


async def _searched(task: Task, query: str) -> tuple[Passage, ...]:
    if not any(map(str.isalnum, query)):
        return ()
    request = task.request
    found = await task.search(
        SearchRequest(
            question=query, collections=request.collections, as_of=request.as_of, k=request.k, filters=request.filters
        )
    )
    return found.passages


def _calculated(expression: str) -> str:
    try:
        return calculate(expression)
    except InvalidInput:
        return NO_RESULT


async def _answer(task: Task, conversation: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
    """Make the second call and yield its answer, with marks as ``[1]`` and without the protocol's markup."""
    assert task.model is not None
    held, has_text = "", False
    async with aclosing(task.model.stream(conversation)) as pieces:
        async for piece in pieces:
            held += piece.text
            end = _ENDS.search(held)
            is_last = end is not None or piece.finish_reason is not None
            go_on = None if is_last else _MAY_GO_ON.search(held)
            stop = end.start() if end else go_on.start() if go_on else len(held)
            text, held = _read(held[:stop]), held[stop:]
            text = text if has_text else text.lstrip()
            has_text = has_text or bool(text)
            finish_reason = "stop" if end else piece.finish_reason
            yield replace(piece, text=text, finish_reason=finish_reason, tool_calls=())
            if note := STOPPED.get((finish_reason or "", task.language)) if has_text else None:
                yield TextPiece(text=note)
            if end:
                return
    if rest := _read(held):
        yield TextPiece(text=rest)


def _read(text: str) -> str:
    return _ROLE.sub("", _MARK.sub(lambda mark: f"[{mark[1] or mark[2]}]", text))


def _sum(first: Usage | None, second: Usage) -> Usage:
    """Add what two calls used; what one of them does not say is not made up."""
    if first is None:
        return second
    counts = {}
    for name in Usage.__struct_fields__:
        one, other = getattr(first, name), getattr(second, name)
        counts[name] = None if one is None or other is None else one + other
    return Usage(**counts)
