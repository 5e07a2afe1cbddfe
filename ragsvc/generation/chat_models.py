"""Opens a chat model by name: one function per family of services, all through LangChain or transformers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from ragsvc.errors import InvalidInput, SettingsError
from ragsvc.generation.local_model import LocalModel
from ragsvc.generation.streaming import Source, StreamedChatModel, StreamLimits
from ragsvc.model_catalogue.catalogue import ChatCard, find_model
from ragsvc.protocols import ChatModel
from ragsvc.records import Message, TextPiece, Usage

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessageChunk

_OPENAI = "https://api.openai.com/v1"
_OLLAMA = "http://localhost:11434"
_NO_KEY = "none"
"""Sent where no key is known: servers of one's own often want none, but the client library does."""


class ChatOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say about calling a chat model."""

    api_key: str | None = None
    """Sent to this model's server. None = the card's environment variable. Pass a key only with its own model."""
    base_url: str | None = None
    """Instead of the card's address."""
    temperature: float | None = 0.1
    """None = do not send one. It is moved into the range that the service accepts."""
    max_tokens: int = 1024
    """Most tokens of one answer."""
    limits: StreamLimits = StreamLimits()

    def __repr__(self) -> str:
        """Leave the key out: options end up in logs and tracebacks."""
        return f"ChatOptions(base_url={self.base_url!r}, max_tokens={self.max_tokens}, limits={self.limits})"


def open_chat_model(
    model: ChatCard | str, options: ChatOptions | None = None, extra_files: Sequence[Path] = ()
) -> ChatModel:
    """Return a chat model that is ready to stream.

    Blocks: client libraries are imported (seconds), and a local model is loaded (seconds to minutes). No request is
    made yet. In a service, call it in a thread and keep what it returns.

    Args:
        model: a card, or a name for ``find_model``.
        options: what the settings say; the defaults when None.
        extra_files: the operator's catalogue files, for a name.

    Raises:
        NotFound: no such model, or its files are not there.
        SettingsError: the API key is missing, or a local model cannot be used.
        InvalidInput: the model is one that cannot be called.
    """
    card = find_model(model, extra_files) if isinstance(model, str) else model
    options = options or ChatOptions()
    if card.family == "openai":
        source = _open_openai(card, options)
    elif card.family == "ollama":
        source = _open_ollama(card, options)
    elif card.family == "transformers":
        local = LocalModel.load(card.model, temperature=options.temperature, max_tokens=options.max_tokens)
        source = Source(open=local.pieces, where=card.model)
    elif card.family == "extractive":
        raise InvalidInput(f"{card.name} answers from the passages alone and takes no messages: it is not opened.")
    else:
        raise InvalidInput(f"{card.name} ({card.vendor}) cannot be called: {card.note or 'it is closed.'}")
    return StreamedChatModel(card.name, source, options.limits)


def _open_openai(card: ChatCard, options: ChatOptions) -> Source:
    """OpenAI's chat completions, which most vendors and local servers speak."""
    import httpx
    import openai
    from langchain_openai import ChatOpenAI

    base_url = options.base_url or card.base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI
    host = _host(base_url)
    api_key = _api_key(card, options, host)
    total_s = options.limits.total_timeout_s
    certificates = httpx.create_ssl_context()  # read once: it takes a tenth of a second
    max_tokens = min(options.max_tokens, card.max_output_tokens or options.max_tokens)
    # ChatOpenAI renames max_tokens for OpenAI's own newer models; other services know only the older name.
    newer_name = host == "api.openai.com" or card.max_tokens_field == "max_completion_tokens"
    settings: dict[str, Any] = {
        "model": card.model,
        "base_url": base_url,
        "api_key": api_key,
        "temperature": _temperature(card, options),
        "stream_usage": card.stream_usage,
        "use_responses_api": False,
        "max_retries": 0,
        "timeout": options.limits.idle_timeout_s,
        "stream_chunk_timeout": None,
        **({"max_completion_tokens": max_tokens} if newer_name else {"extra_body": {"max_tokens": max_tokens}}),
    }
    if (ChatOpenAI(**settings).profile or {}).get("temperature") is False:
        settings["temperature"] = None

    async def pieces(messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        # A connection of its own: closing it is what tells the server to stop, and it belongs to this event loop.
        hooks = {"request": [] if host == "api.openai.com" else [_without_account]}
        async with openai.DefaultAsyncHttpxClient(verify=certificates, event_hooks=hooks) as client:
            model = ChatOpenAI(**settings, http_async_client=client)
            async with aclosing(_adapted(model, messages, total_s)) as stream:
                async for piece in stream:
                    yield piece

    return Source(
        open=pieces,
        where=host,
        timeout_errors=(openai.APITimeoutError,),
        connection_errors=(openai.APIConnectionError,),
        secrets=() if api_key == _NO_KEY else (api_key,),
    )


def _open_ollama(card: ChatCard, options: ChatOptions) -> Source:
    """Ollama's own chat interface."""
    import httpx
    from langchain_ollama import ChatOllama

    base_url = options.base_url or card.base_url or os.environ.get("OLLAMA_HOST") or _OLLAMA
    total_s = options.limits.total_timeout_s
    certificates = httpx.create_ssl_context()
    headers = {"Authorization": f"Bearer {options.api_key}"} if options.api_key else {}

    async def pieces(messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        async with httpx.AsyncHTTPTransport(verify=certificates) as transport:
            model = ChatOllama(
                model=card.model,
                base_url=base_url,
                temperature=_temperature(card, options),
                num_predict=options.max_tokens,
                client_kwargs={"headers": headers, "timeout": options.limits.idle_timeout_s, "verify": certificates},
                async_client_kwargs={"transport": transport},
            )
            async with aclosing(_adapted(model, messages, total_s)) as stream:
                async for piece in stream:
                    yield piece

    return Source(
        open=pieces,
        where=_host(base_url),
        timeout_errors=(httpx.TimeoutException,),
        connection_errors=(httpx.TransportError, ConnectionError),
        secrets=(options.api_key,) if options.api_key else (),
    )


async def _without_account(request: Any) -> None:
    """Keep OpenAI account ids, which the client library reads from the environment, from other vendors."""
    for header in ("OpenAI-Organization", "OpenAI-Project"):
        request.headers.pop(header, None)


async def _adapted(model: Any, messages: Sequence[Message], total_timeout_s: float) -> AsyncGenerator[TextPiece, None]:
    """Yield what a LangChain model streams.

    A task of its own reads. Closing cancels that task where it waits, which is inside the request, so the request
    has ended when the close returns; closing LangChain's outermost generator would leave the inner ones to the
    garbage collector. The time limit bounds what can pile up while nobody takes it.
    """
    pieces: asyncio.Queue[TextPiece | None] = asyncio.Queue()

    async def read() -> None:
        async with asyncio.timeout(total_timeout_s):
            async for chunk in model.astream([(message.role, message.content) for message in messages]):
                pieces.put_nowait(_piece(chunk))

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


def _piece(chunk: BaseMessageChunk) -> TextPiece:
    said = chunk.response_metadata
    finish_reason = said.get("finish_reason") or said.get("done_reason") or ("stop" if said.get("done") else None)
    counted = getattr(chunk, "usage_metadata", None)
    usage = counted and Usage(prompt_tokens=counted["input_tokens"], completion_tokens=counted["output_tokens"])
    return TextPiece(text=chunk.text, finish_reason=finish_reason, usage=usage or None)


def _api_key(card: ChatCard, options: ChatOptions, host: str) -> str:
    key = options.api_key or (os.environ.get(card.key_env) if card.key_env else None)
    if key:
        return key
    if card.key_env and (card.base_url or host == "api.openai.com"):
        raise SettingsError(f"{card.name} needs an API key of {card.vendor or host}: set {card.key_env}.")
    return _NO_KEY


def _temperature(card: ChatCard, options: ChatOptions) -> float | None:
    if options.temperature is None or card.temperature_fixed:
        return None
    return min(max(options.temperature, card.temperature_min), card.temperature_max)


def _host(base_url: str) -> str:
    """Return host and port, the part of an address that is fit to show; refuse a credential in it."""
    parts = urlsplit(base_url if "://" in base_url else f"http://{base_url}")
    if parts.username or parts.password:
        raise SettingsError("The base URL of a model must not hold a credential; set the API key instead.")
    return parts.netloc
