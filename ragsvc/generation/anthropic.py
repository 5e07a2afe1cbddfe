"""Anthropic's Messages, for Claude and for the vendors that offer the same interface beside OpenAI's."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from ragsvc.generation.langchain_stream import adapted
from ragsvc.generation.options import (
    ChatOptions,
    answer_tokens,
    find_key,
    fit_temperature,
    host_of,
    not_installed,
    prompt_tokens,
)
from ragsvc.generation.pace import pace_of
from ragsvc.generation.streaming import Source
from ragsvc.model_catalogue.catalogue import ChatCard
from ragsvc.records import Message, TextPiece

_ANTHROPIC = "https://api.anthropic.com"


def open_anthropic(card: ChatCard, options: ChatOptions) -> Source:
    """Return the source of a model behind the Messages interface.

    Raises:
        SettingsError: ``langchain-anthropic`` or the key is missing, or the address holds a credential.
    """
    try:
        import anthropic
        import httpx
        from langchain_anthropic import ChatAnthropic
    except ImportError:
        raise not_installed(card, "langchain-anthropic") from None

    base_url = options.base_url or card.base_url or _ANTHROPIC
    host = host_of(base_url)
    key = str(find_key(card, options))
    settings: dict[str, Any] = {
        "model": card.model,
        "base_url": base_url,
        "api_key": key,
        "temperature": fit_temperature(card, options),
        "max_tokens": answer_tokens(card, options),
        "max_retries": 0,
        "timeout": options.limits.idle_timeout_s,
    }
    certificates = httpx.create_ssl_context()

    async def pieces(messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        async with anthropic.DefaultAsyncHttpxClient(verify=certificates) as client:
            model = ChatAnthropic(**settings)
            # The class caches one connection pool for all event loops; this is a cached property of its own.
            model.__dict__["_async_client"] = anthropic.AsyncAnthropic(
                api_key=key,
                base_url=base_url,
                max_retries=0,
                timeout=options.limits.idle_timeout_s,
                http_client=client,
            )
            async with aclosing(adapted(model, messages, options.limits.total_timeout_s)) as stream:
                async for piece in stream:
                    yield piece

    return Source(
        open=pieces,
        where=host,
        timeout_errors=(anthropic.APITimeoutError, httpx.TimeoutException),  # the latter in the middle of a stream
        connection_errors=(anthropic.APIConnectionError,),
        secrets=(key,),
        pace=pace_of(card),
        prompt_tokens=prompt_tokens(card, options),
    )
