"""What a LangChain chat model streams, as ``TextPiece``s; and nothing of it to anybody but the model's own service."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ragsvc.generation.tools import calls_of, schema_of, to_call
from ragsvc.records import Message, TextPiece, Tool, ToolCall, Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage, BaseMessageChunk
    from langchain_core.runnables import Runnable

FINISH_REASONS = {
    # Anthropic: platform.claude.com, "Handling stop reasons"
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "tool_use": "tool_calls",
    # Gemini: ai.google.dev, FinishReason; a blocked prompt has a BlockReason instead
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    # Mistral: docs.mistral.ai, FinishReason
    "model_length": "length",
    # Zhipu: docs.bigmodel.cn, finish_reason
    "sensitive": "content_filter",
    # Baidu: cloud.baidu.com, Qianfan chat
    "normal": "stop",
}
"""How vendors say what OpenAI calls stop, length, content_filter and tool_calls."""


async def adapted(
    model: BaseChatModel, messages: Sequence[Message], total_timeout_s: float
) -> AsyncGenerator[TextPiece, None]:
    """Yield what a LangChain model streams.

    A task of its own reads. Closing cancels that task where it waits, which is inside the request, so the request
    has ended when the close returns; closing LangChain's outermost generator would leave the inner ones to the
    garbage collector. The time limit bounds what can pile up while nobody takes it.

    LangChain sends prompts and answers to a tracing service as soon as the environment names one (LANGSMITH_TRACING,
    LANGCHAIN_TRACING_V2): what people ask here is not its to see, so tracing is off for this request.
    """
    from langsmith import tracing_context

    pieces: asyncio.Queue[TextPiece | None] = asyncio.Queue()
    tools = [tool for message in messages for tool in message.tools]
    asking: Runnable[Any, Any] = model.bind_tools([schema_of(tool) for tool in tools]) if tools else model

    async def read() -> None:
        usage, calls = _UsageSum(), _Calls()
        with tracing_context(enabled=False):
            async with asyncio.timeout(total_timeout_s):
                async for chunk in asking.astream([to_turn(message) for message in messages]):
                    calls.add(chunk)
                    piece = _piece(chunk, usage)
                    pieces.put_nowait(replace(piece, tool_calls=calls.whole(tools)) if piece.finish_reason else piece)

    reading = asyncio.create_task(read())
    reading.add_done_callback(lambda _: pieces.put_nowait(None))
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
        await reading
    finally:
        reading.cancel()
        await asyncio.wait((reading,))
        if not reading.cancelled():
            reading.exception()  # looked at, so that it is not reported as lost


def to_turn(message: Message) -> BaseMessage | tuple[str, str | list[str | dict[str, Any]]]:
    """Return a message as LangChain reads one; pictures go as data URLs, which every vendor package understands."""
    from langchain_core.messages import AIMessage, ToolMessage

    if message.role == "tool":
        return ToolMessage(message.content, tool_call_id=message.call_id)
    if message.tool_calls:
        calls = [to_call(call) for call in message.tool_calls]
        return AIMessage(message.content, tool_calls=calls)
    if not message.images:
        return message.role, message.content
    parts: list[str | dict[str, Any]] = [{"type": "text", "text": message.content}]
    for image in message.images:
        data = base64.b64encode(image.data).decode()
        parts.append({"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{data}"}})
    return message.role, parts


class _Calls:
    """Puts together the calls to tools that a stream gives in pieces."""

    def __init__(self) -> None:
        self._whole: Any = None

    def add(self, chunk: BaseMessageChunk) -> None:
        if getattr(chunk, "tool_call_chunks", None):
            self._whole = chunk if self._whole is None else self._whole + chunk

    def whole(self, tools: Sequence[Tool]) -> tuple[ToolCall, ...]:
        return calls_of(self._whole.tool_calls, tools) if self._whole is not None else ()


class _UsageSum:
    """Adds up what a stream reports in parts, as LangChain's chunks add up."""

    def __init__(self) -> None:
        self._prompt = self._completion = 0

    def add(self, counted: dict[str, int] | None) -> Usage | None:
        if not counted:
            return None
        self._prompt += counted["input_tokens"]
        self._completion += counted["output_tokens"]
        return Usage(prompt_tokens=self._prompt, completion_tokens=self._completion)


def _piece(chunk: BaseMessageChunk, usage: _UsageSum) -> TextPiece:
    counted = usage.add(getattr(chunk, "usage_metadata", None))
    return TextPiece(
        text=chunk.text,
        reasoning=_reasoning(chunk),
        finish_reason=_finish_reason(chunk.response_metadata),
        usage=counted,
    )


def _finish_reason(said: dict[str, Any]) -> str | None:
    reason = said.get("finish_reason") or said.get("stop_reason") or said.get("done_reason")
    if not reason and said.get("done"):
        reason = "stop"
    if not reason and (blocked := (said.get("prompt_feedback") or {}).get("block_reason")):
        reason = FINISH_REASONS.get(getattr(blocked, "name", str(blocked)), "content_filter")
    return FINISH_REASONS.get(reason, reason) if reason else None


def _reasoning(chunk: BaseMessageChunk) -> str:
    """Return the thinking in a chunk: a field of its own (DeepSeek, Moonshot, Zhipu, Qwen) or blocks of content."""
    if thought := chunk.additional_kwargs.get("reasoning_content"):
        return str(thought)
    if isinstance(chunk.content, str):
        return ""
    return "".join(_thinking(block) for block in chunk.content if isinstance(block, dict))


def _thinking(block: dict[str, Any]) -> str:
    thought = block.get("thinking") if block.get("type") == "thinking" else None
    if isinstance(thought, list):  # Mistral: a list of text blocks
        return "".join(str(part.get("text", "")) for part in thought if isinstance(part, dict))
    return thought if isinstance(thought, str) else ""
