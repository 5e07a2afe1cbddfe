"""Mistral's own chat completions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

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

_MISTRAL = "https://api.mistral.ai/v1"
_TEMPERATURE = 0.7
"""Of LangChain's class, which always sends one."""


def open_mistral(card: ChatCard, options: ChatOptions) -> Source:
    """Return the source of a model of Mistral's platform.

    Raises:
        SettingsError: ``langchain-mistralai`` or the key is missing, or the address holds a credential.
    """
    try:
        import httpx
        from langchain_mistralai import ChatMistralAI
        from pydantic import SecretStr
    except ImportError:
        raise not_installed(card, "langchain-mistralai") from None

    base_url = options.base_url or card.base_url or _MISTRAL
    host = host_of(base_url)
    key = str(find_key(card, options))
    temperature = fit_temperature(card, options)
    certificates = httpx.create_ssl_context()
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream", "Authorization": f"Bearer {key}"}

    async def pieces(messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        async with httpx.AsyncClient(
            base_url=base_url, headers=headers, timeout=options.limits.idle_timeout_s, verify=certificates
        ) as client:
            model = ChatMistralAI(
                model_name=card.model,
                api_key=SecretStr(key),
                base_url=base_url,
                temperature=_TEMPERATURE if temperature is None else temperature,
                max_tokens=answer_tokens(card, options),
                max_retries=0,
                async_client=client,
            )
            async with aclosing(adapted(model, messages, options.limits.total_timeout_s)) as stream:
                async for piece in stream:
                    yield piece

    return Source(
        open=pieces,
        where=host,
        timeout_errors=(httpx.TimeoutException,),
        connection_errors=(httpx.TransportError,),
        secrets=(key,),
        pace=pace_of(card),
        prompt_tokens=prompt_tokens(card, options),
    )
