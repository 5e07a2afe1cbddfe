"""Asks a live model a few small questions and says how far it behaves as the answers rely on.

The same behaviour is tested in full against servers of ours that follow each vendor's wire format; what only a server
can provoke (its overload, a line that breaks, bytes that are no text) is not provoked at somebody else's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Literal

import msgspec

from ragsvc.errors import UpstreamFailed
from ragsvc.generation.chat_models import open_chat_model
from ragsvc.generation.options import ChatOptions
from ragsvc.model_catalogue.catalogue import ChatCard
from ragsvc.protocols import ChatModel
from ragsvc.records import Message, TextPiece

_SMALL = 256
"""Most tokens of an answer, thinking included: seven of them cost next to nothing."""
_CLOSE_S = 5.0
_ECHO = "第五百七十七条 😀𠮷"


class CheckResult(msgspec.Struct, frozen=True):
    """What became of one check."""

    name: str
    outcome: Literal["ok", "failed", "skipped"]
    detail: str


async def check_model(card: ChatCard, options: ChatOptions) -> AsyncGenerator[CheckResult, None]:
    """Yield the outcome of each check: at most seven requests, one after another.

    Raises:
        NotFound, SettingsError, InvalidInput: the model cannot be opened.
    """
    small = msgspec.structs.replace(options, max_tokens=_SMALL)
    model = await asyncio.to_thread(open_chat_model, card, small)
    checks: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        ("answers", lambda: _answers(model)),
        ("takes a conversation", lambda: _takes_turns(model)),
        ("keeps Unicode", lambda: _keeps_unicode(model)),
        ("streams", lambda: _streams(model)),
        ("stops when the reader leaves", lambda: _stops(model)),
        ("says when it was cut", lambda: _says_length(card, options)),
        ("refuses a wrong key", lambda: _refuses_key(card, small)),
    ]
    for name, check in checks:
        start = time.monotonic()
        try:
            detail = await check()
        except _Skipped as skipped:
            yield CheckResult(name, "skipped", str(skipped))
        except (UpstreamFailed, _Unexpected) as error:
            yield CheckResult(name, "failed", str(error))
        else:
            yield CheckResult(name, "ok", f"{detail} ({time.monotonic() - start:.1f} s)")


class _Skipped(Exception):
    """The check has no meaning for this model."""


class _Unexpected(Exception):
    """The model did something else."""


async def _answers(model: ChatModel) -> str:
    pieces = await _ask(model, "Reply with the single word OK.")
    usage = pieces[-1].usage
    counted = f"{usage.prompt_tokens} + {usage.completion_tokens} tokens" if usage else "no token counts"
    return f"{_text(pieces)[:40]!r}, {pieces[-1].finish_reason}, {counted}"


async def _takes_turns(model: ChatModel) -> str:
    turns = (
        Message("system", "Answer with one word."),
        Message("user", "My word is APPLE."),
        Message("assistant", "Noted."),
        Message("user", "What is my word?"),
    )
    pieces = [piece async for piece in model.stream(turns)]
    return f"{_text(pieces)[:40]!r}"


async def _keeps_unicode(model: ChatModel) -> str:
    text = _text(await _ask(model, f"Repeat exactly, without anything else: {_ECHO}"))
    if "\ufffd" in text:
        raise _Unexpected(f"characters came broken: {text[:60]!r}")
    return "repeated" if _ECHO in text else f"whole, though not repeated: {text[:40]!r}"


async def _streams(model: ChatModel) -> str:
    pieces = await _ask(model, "Write the numbers from 1 to 20, separated by commas.")
    n = sum(bool(piece.text or piece.reasoning) for piece in pieces)
    if n < 2:
        raise _Unexpected("the answer came in one piece: readers wait for the whole of it")
    return f"{n} pieces"


async def _stops(model: ChatModel) -> str:
    async with aclosing(model.stream((Message("user", "Write a long story about a river."),))) as stream:
        await anext(stream)
        start = time.monotonic()
    if (took := time.monotonic() - start) > _CLOSE_S:
        raise _Unexpected(f"the request went on for {took:.1f} s")
    return "the request ended"


async def _says_length(card: ChatCard, options: ChatOptions) -> str:
    model = await asyncio.to_thread(open_chat_model, card, msgspec.structs.replace(options, max_tokens=16))
    try:
        pieces = await _ask(model, "Write the numbers from 1 to 200, separated by commas.")
    except UpstreamFailed as error:
        if "'length'" in str(error):  # all tokens went into thinking
            return "length"
        raise
    if pieces[-1].finish_reason != "length":
        raise _Unexpected(f"an answer cut at 16 tokens gave {pieces[-1].finish_reason!r} as reason, not 'length'")
    return "length"


async def _refuses_key(card: ChatCard, options: ChatOptions) -> str:
    if not card.key_env:
        raise _Skipped("no key is needed")
    wrong = "ragsvc-check-of-a-wrong-key"
    given = f"{wrong}:{wrong}" if card.secret_env else wrong
    limits = msgspec.structs.replace(options.limits, retries=0)
    options = msgspec.structs.replace(options, api_key=given, limits=limits)
    model = await asyncio.to_thread(open_chat_model, card, options)
    try:
        await _ask(model, "Reply with the single word OK.")
    except UpstreamFailed as error:
        if wrong in str(error):
            raise _Unexpected("the error repeats the key") from None
        return str(error)
    raise _Unexpected("a wrong key was taken")


async def _ask(model: ChatModel, question: str) -> list[TextPiece]:
    return [piece async for piece in model.stream((Message("user", question),))]


def _text(pieces: list[TextPiece]) -> str:
    return "".join(piece.text for piece in pieces)
