"""OpenAI's chat completions, which most vendors and local servers speak.

OpenAI itself is called through ``ChatOpenAI``, all others through ``ChatDeepSeek``: the same client underneath, but
it keeps the ``reasoning_content`` that those vendors add and ``ChatOpenAI`` drops, and it sends ``max_tokens``, the
only name that they know.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import cache
from typing import Any

from ragsvc.errors import SettingsError
from ragsvc.generation.langchain_stream import adapted
from ragsvc.generation.options import (
    ChatOptions,
    answer_tokens,
    find_key,
    fit_temperature,
    host_of,
    prompt_tokens,
)
from ragsvc.generation.pace import pace_of
from ragsvc.generation.streaming import Source
from ragsvc.generation.vendor_errors import VendorRefused
from ragsvc.model_catalogue.catalogue import ChatCard
from ragsvc.records import Message, TextPiece

_OPENAI = "https://api.openai.com/v1"
_NO_KEY = "none"
"""Sent where no key is known: servers of one's own often want none, but the client library does."""


def open_openai(card: ChatCard, options: ChatOptions) -> Source:
    """Return the source of a model behind an OpenAI-compatible address.

    Raises:
        SettingsError: the key is missing, or the address holds one.
    """
    import httpx
    import openai

    base_url = options.base_url or card.base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI
    if not (options.base_url or card.base_url) and card.vendor not in ("", "OpenAI"):
        raise SettingsError(f"{card.name} has an address of your own: set base_url in your models file. {card.get}")
    host = host_of(base_url)
    is_openai = host == "api.openai.com" or card.vendor == "OpenAI"
    key = find_key(card, options, needed=bool(card.key_env) and (bool(card.base_url) or is_openai)) or _NO_KEY
    certificates = httpx.create_ssl_context()  # read once: it takes a tenth of a second
    make_model = _maker(card, options, base_url, key, is_openai)
    make_model(None)  # what is wrong with the settings is said now

    async def pieces(messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        # A connection of its own: closing it is what tells the server to stop, and it belongs to this event loop.
        hooks: dict[str, list[Any]] = {
            "request": [] if host == "api.openai.com" else [_without_account],
            "response": [_check_is_stream],
        }
        async with openai.DefaultAsyncHttpxClient(verify=certificates, event_hooks=hooks) as client:
            model = make_model(client)
            async with aclosing(adapted(model, messages, options.limits.total_timeout_s)) as stream:
                async for piece in stream:
                    yield piece

    return Source(
        open=pieces,
        where=host,
        timeout_errors=(openai.APITimeoutError, httpx.TimeoutException),  # the latter in the middle of a stream
        connection_errors=(openai.APIConnectionError,),
        secrets=() if key == _NO_KEY else (key,),
        pace=pace_of(card),
        prompt_tokens=prompt_tokens(card, options),
    )


def _maker(card: ChatCard, options: ChatOptions, base_url: str, key: str, is_openai: bool) -> Callable[[Any], Any]:
    from langchain_openai import ChatOpenAI

    model_class = ChatOpenAI if is_openai else _compatible_class()
    settings: dict[str, Any] = {
        "model": card.model,
        "base_url": base_url,
        "api_key": key,
        "temperature": fit_temperature(card, options),
        "stream_usage": card.stream_usage,
        "use_responses_api": False,
        "max_retries": 0,
        "timeout": options.limits.idle_timeout_s,
        "stream_chunk_timeout": None,
        **_token_limit(card, answer_tokens(card, options), is_openai),
    }
    if is_openai and (ChatOpenAI(**settings).profile or {}).get("temperature") is False:
        settings["temperature"] = None
    return lambda client: model_class(**settings, http_async_client=client)


def _token_limit(card: ChatCard, n_tokens: int, is_openai: bool) -> dict[str, Any]:
    """Return the limit of an answer under the name that this service knows."""
    if is_openai:
        return {"max_completion_tokens": n_tokens}
    if card.max_tokens_field == "max_completion_tokens":
        return {"model_kwargs": {"max_completion_tokens": n_tokens}}
    return {"max_tokens": n_tokens}


@cache
def _compatible_class() -> type[Any]:
    from langchain_deepseek import ChatDeepSeek

    class CompatibleModel(ChatDeepSeek):
        """Also sees the errors that some services (iFlytek, Baidu) report inside an answer with status 200."""

        def _convert_chunk_to_generation_chunk(self, chunk: dict[str, Any], *rest: Any) -> Any:
            _check_code(chunk)
            return super()._convert_chunk_to_generation_chunk(chunk, *rest)

    return CompatibleModel


def _check_code(body: Any) -> None:
    """Raise what a body with status 200 reports as an error: ``code`` is 0 or absent in one that is none."""
    code = body.get("code") if isinstance(body, dict) else None
    if code not in (None, 0, "0", ""):
        raise VendorRefused(f"{body.get('message') or body.get('msg') or 'no reason given'} (code {code})", 502)


async def _without_account(request: Any) -> None:
    """Keep OpenAI account ids, which the client library reads from the environment, from other vendors."""
    for header in ("OpenAI-Organization", "OpenAI-Project"):
        request.headers.pop(header, None)


async def _check_is_stream(response: Any) -> None:
    """Refuse a JSON document where a stream was asked for: it is an error with status 200."""
    if response.status_code == 200 and response.headers.get("content-type", "").startswith("application/json"):
        await response.aread()
        body = response.json()
        _check_code(body)
        raise VendorRefused(f"a JSON document instead of a stream: {str(body)[:200]}", 502)
