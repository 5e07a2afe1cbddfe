"""The calls of a strategy that asks the model more than once."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import cache
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace

from ragsvc.citing.sentences import SentenceCutter
from ragsvc.errors import UpstreamFailed, UpstreamTimeout
from ragsvc.generation.images import with_images
from ragsvc.generation.stop_text import StopText
from ragsvc.prompting import Language
from ragsvc.records import Message, Passage, TextPiece, Usage
from ragsvc.strategies import direct
from ragsvc.strategies.direct import STOPPED
from ragsvc.strategies.naming import mark_named
from ragsvc.strategies.task import StrategyEvent, Task

MOST_CHARS = 2_000
"""Of an intermediate step: what is written beyond that is not waited for."""


@cache
def prompts(strategy: str) -> dict[Language, dict[str, Any]]:
    """Return the texts of a strategy by language and name."""
    path = Path(__file__).parent / "prompts" / f"{strategy}.toml"
    return cast(dict[Language, dict[str, Any]], tomllib.loads(path.read_text(encoding="utf-8")))


def prompt_texts(strategy: str, language: Language) -> list[str]:
    """Return all that a strategy's own prompts say in a language; none where it has no prompts of its own."""
    if not (Path(__file__).parent / "prompts" / f"{strategy}.toml").exists():
        return []
    return [text for text in prompts(strategy)[language].values() if isinstance(text, str)]


class Calls:
    """What one run asks its model; usage is that of all calls together."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._usage: Usage | None = None

    @property
    def used(self) -> TextPiece:
        """A piece that says what the calls so far have used: for a run that ends without an answer of the model's."""
        return TextPiece(usage=self._usage)

    async def ask(self, messages: Sequence[Message], most_chars: int = MOST_CHARS) -> str:
        """Return what the model writes for a step, cut; empty when it wrote nothing or broke.

        Whether it can answer at all the last call will show.

        Raises:
            UpstreamTimeout: it did not write in time; it would not for the last call either.
        """
        if self._task.model is None:
            return ""
        text = ""
        usage: Usage | None = None
        try:
            async with aclosing(self._task.model.stream(messages)) as pieces:
                async for piece in pieces:
                    text += piece.text
                    usage = piece.usage or usage
                    if len(text) > most_chars:
                        break
        except UpstreamTimeout:
            raise
        except UpstreamFailed:
            pass
        self._usage = add_usage(self._usage, usage)
        return text[:most_chars].strip()

    async def write(
        self, messages: Sequence[Message], passages: Sequence[Passage], stops: Sequence[str] = ()
    ) -> AsyncGenerator[StrategyEvent, None]:
        """Yield the answer. A sentence that names the article of a passage, and has no mark, gets that passage's.

        A model that writes nothing here is asked plainly, with the same passages.

        Args:
            messages: of the last call.
            passages: what was shown; marks count in them.
            stops: texts that begin a turn of the model's own form, where the answer ends.
        """
        assert self._task.model is not None
        has_text = False
        try:
            async with aclosing(self._pieces(with_images(messages, self._task.request.images), stops)) as pieces:
                cutter = SentenceCutter()
                async for piece in pieces:
                    sentences = cutter.feed(piece.text) + (cutter.finish() if piece.finish_reason else [])
                    text = "".join(s.text if s.is_code else mark_named(s.text, passages) for s in sentences)
                    has_text = has_text or bool(piece.text.strip())
                    yield replace(piece, text=text, usage=add_usage(self._usage, piece.usage))
                    if note := STOPPED.get((piece.finish_reason or "", self._task.language)) if has_text else None:
                        yield TextPiece(text=note)
                yield TextPiece(text="".join(mark_named(s.text, passages) for s in cutter.finish()))
        except UpstreamFailed as error:
            if has_text or isinstance(error, UpstreamTimeout):
                raise
        if not has_text:
            shown = replace(self._task.result, passages=tuple(passages))
            async with aclosing(direct.stream(replace(self._task, result=shown))) as plain:
                async for event in plain:
                    if isinstance(event, TextPiece) and event.usage:
                        yield replace(event, usage=add_usage(self._usage, event.usage))
                    else:
                        yield event

    async def _pieces(self, messages: Sequence[Message], stops: Sequence[str]) -> AsyncGenerator[TextPiece, None]:
        """Yield the model's pieces up to the first stop text."""
        assert self._task.model is not None
        ending = StopText(stops)
        async with aclosing(self._task.model.stream(messages)) as pieces:
            async for piece in pieces:
                text = ending.feed(piece.text)
                if ending.is_reached:
                    yield replace(piece, text=text, finish_reason="stop")
                    return
                yield replace(piece, text=text + (ending.rest() if piece.finish_reason else ""))
        if rest := ending.rest():
            yield TextPiece(text=rest)


def add_usage(first: Usage | None, second: Usage | None) -> Usage | None:
    """Add what calls used; what one of them does not say is not made up."""
    if first is None or second is None:
        return second or first
    counts: dict[str, int | None] = {}
    for name in Usage.__struct_fields__:
        one, other = getattr(first, name), getattr(second, name)
        counts[name] = None if one is None or other is None else one + other
    return Usage(**counts)
