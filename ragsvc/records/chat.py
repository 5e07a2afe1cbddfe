"""A conversation with a chat model."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Image(Struct, frozen=True):
    """A picture that goes with a question: decoded, bounded and written anew, so that it holds pixels and no more."""

    media_type: Literal["image/jpeg", "image/png"]
    data: bytes


class Turn(Struct, frozen=True):
    """What was said before the question. There is no system turn: only the service itself writes those."""

    role: Literal["user", "assistant"]
    content: str


class Tool(Struct, frozen=True, kw_only=True):
    """What a model may have run for it: a function of one text, which gives a text."""

    name: str
    description: str
    parameter: str
    """What the text is."""


class ToolCall(Struct, frozen=True, kw_only=True):
    """What a model asked a tool."""

    name: str
    argument: str
    call_id: str = ""
    """As the model's service numbers its calls; empty where it does not."""


class Message(Struct, frozen=True):
    """One turn of a conversation with a chat model; ``tool`` is what a tool gave."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    """What the assistant asked tools; ``content`` is then what it thought."""
    call_id: str = ""
    """Of a tool's message: the call that it answers."""
    tools: tuple[Tool, ...] = ()
    """Of the system message: what the model may have run for it."""
    references: tuple[str, ...] = ()
    """Of the last message: sources, for a model whose own form has a place for them; others do not read these."""


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens as the model's server counts them; None where it does not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class TextPiece(Struct, frozen=True, kw_only=True):
    """A piece of a chat model's stream. The last piece carries usage and the finish reason."""

    text: str = ""
    reasoning: str = ""
    """What the model thinks before it answers, where its service shows that; never part of the answer."""
    finish_reason: str | None = None
    """In OpenAI's words, whatever the service says: stop, length, content_filter, tool_calls; else its own."""
    usage: Usage | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    """What the model asks tools, instead of or after a text; comes whole."""


class ModelFailure(Struct, frozen=True, kw_only=True):
    """A model that was asked first and did not answer, so that the next one of the chain was."""

    model: str
    reason: str
    """As its error says it; never with a credential."""
