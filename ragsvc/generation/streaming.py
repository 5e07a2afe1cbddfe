"""One way to stream from any chat model: limits, retries, and errors that say what happened.

A vendor's stream comes in as ``TextPiece``s from a ``Source``. What leaves ``StreamedChatModel.stream`` is whole
Unicode text, then exactly one last piece with the finish reason and the usage; or an error. A stream that ends
without a finish reason was cut, and half an answer must not pass for a whole one, so that is an error too.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

import msgspec
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential,
    wait_random,
)

from ragsvc.errors import RagsvcError, UpstreamFailed, UpstreamTimeout
from ragsvc.generation.pace import Pace
from ragsvc.generation.thinking import ThinkingParter
from ragsvc.generation.vendor_errors import retry_after_s, said, status_of
from ragsvc.records import Message, TextPiece, Usage

_TAIL_TIMEOUT_S = 2.0
"""After the finish reason only the usage may follow; a server that keeps the line open is not waited for."""
_NEARLY = 0.8
"""Of the idle time: a client library counts from the byte, which on a busy machine has come some time before here."""
_BACKOFF = wait_exponential(multiplier=0.5, max=8) + wait_random(0, 0.5)
_ADVICE = {
    401: "Check the API key.",
    403: "Check the API key and what it may use.",
    404: "Check the model id and the base URL.",
    429: "Its rate limit or quota is used up: try again later.",
}


class StreamLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how much one answer may be."""

    idle_timeout_s: float = 60.0
    """Longest silence, before the first piece too."""
    total_timeout_s: float = 300.0
    max_characters: int = 50_000
    retries: int = 2
    """New attempts after 408, 429, 5xx or a failed connection, only while nothing has come."""


OpenStream = Callable[[Sequence[Message]], AsyncGenerator[TextPiece, None]]


@dataclass(frozen=True)
class Source:
    """A vendor's stream and what its client library raises."""

    open: OpenStream
    """Starts one request. Closing the generator ends it. The last piece carries the finish reason."""
    where: str
    """Host or directory, for messages."""
    timeout_errors: tuple[type[Exception], ...] = ()
    connection_errors: tuple[type[Exception], ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What no message may repeat."""
    pace: Pace | None = None
    """What the requests to this vendor share."""
    prompt_tokens: int | None = None
    """Most tokens of a prompt; None when the window is not known."""
    takes_images: bool = False
    template: str = ""
    """Name of the literal template of a local model."""


class StreamedChatModel:
    """A ``protocols.ChatModel`` over a ``Source``."""

    def __init__(self, name: str, source: Source, limits: StreamLimits) -> None:
        self._name = name
        self._source = source
        self._limits = limits
        self._late: tuple[type[Exception], ...] = (TimeoutError, *source.timeout_errors)
        self._who = name if source.where in name else f"{name} at {source.where}"

    @property
    def name(self) -> str:
        """The model's name as users write it."""
        return self._name

    @property
    def prompt_tokens(self) -> int | None:
        """Most tokens of a prompt that leaves room for the answer; None when the window is not known."""
        return self._source.prompt_tokens

    @property
    def takes_images(self) -> bool:
        """Whether a message may hold pictures."""
        return self._source.takes_images

    @property
    def template(self) -> str:
        """Name of the literal template that its conversations are written in; empty = chat messages."""
        return self._source.template

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        """Yield the text as it is written, then one piece with ``finish_reason`` and ``usage``.

        Closing the generator ends the request. Wrap it in ``contextlib.aclosing`` to be sure when.

        Raises:
            UpstreamFailed: the server refused, broke, cut the stream, wrote nothing or wrote without end.
            UpstreamTimeout: it was silent for ``idle_timeout_s`` or not done after ``total_timeout_s``.
        """
        deadline = time.monotonic() + self._limits.total_timeout_s
        written = 0
        heard = time.monotonic()
        try:
            async with self._slot(deadline), contextlib.aclosing(self._pieces(messages, deadline)) as pieces:
                async for piece in pieces:
                    written += len(piece.text) + len(piece.reasoning)
                    if written > self._limits.max_characters:
                        limit = self._limits.max_characters
                        raise UpstreamFailed(f"{self._name} wrote more than {limit} characters and was stopped.")
                    yield piece
                    heard = time.monotonic()
        except RagsvcError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a vendor's library raises, the vendor failed
            # Without the cause: its text, in a logged traceback, may repeat what was sent.
            raise self._explain(error, written, time.monotonic() - heard, deadline) from None

    async def _pieces(self, messages: Sequence[Message], deadline: float) -> AsyncGenerator[TextPiece, None]:
        """Yield joined text and the last piece; check that there is text and an end."""
        source, piece = await self._first_piece(messages, deadline)
        text, thought, parter = _WholeText(), _WholeText(), ThinkingParter()
        wrote = False
        finish_reason: str | None = None
        usage: Usage | None = None
        async with contextlib.aclosing(source):
            while piece is not None:
                finish_reason = piece.finish_reason or finish_reason
                usage = piece.usage or usage
                parted = parter.feed(text.add(piece.text))
                reasoning = thought.add(piece.reasoning) + parted.reasoning
                if parted.text or reasoning or piece.tool_calls:
                    wrote = wrote or bool(parted.text.strip() or piece.tool_calls)
                    yield TextPiece(text=parted.text, reasoning=reasoning, tool_calls=piece.tool_calls)
                try:
                    piece = await self._next_piece(source, deadline, _TAIL_TIMEOUT_S if finish_reason else None)
                except self._late:
                    if finish_reason is None:
                        raise
                    piece = None
        if finish_reason is None:
            raise UpstreamFailed(f"{self._who}: the stream was cut before the answer ended.")
        held = parter.rest()
        if (rest := held.text + text.rest()) or held.reasoning:
            wrote = wrote or bool(rest.strip())
            yield TextPiece(text=rest, reasoning=held.reasoning)
        if not wrote:
            raise UpstreamFailed(f"{self._name} wrote nothing; it gave {finish_reason!r} as reason for stopping.")
        yield TextPiece(finish_reason=finish_reason, usage=usage)

    async def _first_piece(
        self, messages: Sequence[Message], deadline: float
    ) -> tuple[AsyncGenerator[TextPiece, None], TextPiece | None]:
        """Start the request until a first piece comes, again where trying again can help."""

        async def attempt() -> tuple[AsyncGenerator[TextPiece, None], TextPiece | None]:
            if self._source.pace:
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    await self._source.pace.next_request()
            source = self._source.open(messages)
            try:
                return source, await self._next_piece(source, deadline)
            except BaseException:
                await source.aclose()
                raise

        attempts = AsyncRetrying(
            retry=retry_if_exception(self._is_passing),
            stop=stop_after_attempt(1 + self._limits.retries) | stop_before_delay(self._limits.total_timeout_s),
            wait=_wait_s,
            reraise=True,
        )
        return await attempts(attempt)

    @contextlib.asynccontextmanager
    async def _slot(self, deadline: float) -> AsyncGenerator[None, None]:
        """Wait for the vendor's turn, at most until the answer should be done."""
        async with contextlib.AsyncExitStack() as held:
            if self._source.pace:
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    await held.enter_async_context(self._source.pace.slot())
            yield

    async def _next_piece(
        self, source: AsyncGenerator[TextPiece, None], deadline: float, timeout_s: float | None = None
    ) -> TextPiece | None:
        silence_s = self._limits.idle_timeout_s if timeout_s is None else timeout_s
        async with asyncio.timeout(max(0.0, min(silence_s, deadline - time.monotonic()))):
            return await anext(source, None)

    def _is_passing(self, error: BaseException) -> bool:
        status = status_of(error)
        if status is not None:
            return status in (408, 429) or status >= 500
        return isinstance(error, self._source.connection_errors) and not isinstance(error, self._late)

    def _explain(self, error: Exception, written: int, silent_s: float, deadline: float) -> UpstreamFailed:
        who = self._who
        # A stream that is given up in its silence ends in a read error with some libraries.
        was_silent = written > 0 and silent_s >= _NEARLY * self._limits.idle_timeout_s
        if isinstance(error, self._late) or (was_silent and status_of(error) is None):
            if time.monotonic() >= deadline:
                return UpstreamTimeout(f"{who} was not done after {self._limits.total_timeout_s:g} s.")
            return UpstreamTimeout(f"{who} sent nothing for {self._limits.idle_timeout_s:g} s.")
        words = said(error, self._source.secrets)
        status = status_of(error)
        if status is not None:
            return UpstreamFailed(f"{who} answered HTTP {status}: {words} {_ADVICE.get(status, '')}".rstrip())
        if written:
            return UpstreamFailed(f"{who}: the stream broke off after {written} characters: {words}")
        if isinstance(error, self._source.connection_errors):
            return UpstreamFailed(f"{who} cannot be reached: {words} Check that it runs and that the address is right.")
        return UpstreamFailed(f"{who} sent what cannot be read: {type(error).__name__}: {words}")


class _WholeText:
    r"""Joins pieces so that none ends inside a character.

    JSON writes a character outside the basic plane as two escapes (``\ud83d\ude00``), and a stream may part them. A
    half without its other half would break every later encoder; it becomes U+FFFD.
    """

    def __init__(self) -> None:
        self._held = ""

    def add(self, text: str) -> str:
        text = self._held + text
        self._held = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        text = text[: len(text) - len(self._held)]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def rest(self) -> str:
        return "\ufffd" if self._held else ""


def _wait_s(state: RetryCallState) -> float:
    """Return the seconds that the server asked for, else an exponential back-off with jitter."""
    error = state.outcome.exception() if state.outcome else None
    asked = retry_after_s(error)
    return _BACKOFF(state) if asked is None else asked
