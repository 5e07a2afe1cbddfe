"""Google's own interface to Gemini (``generateContent``)."""

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

_GOOGLE = "https://generativelanguage.googleapis.com"


def open_gemini(card: ChatCard, options: ChatOptions) -> Source:
    """Return the source of a Gemini model.

    Raises:
        SettingsError: ``langchain-google-genai`` or the key is missing, or the address holds a credential.
    """
    try:
        import httpx
        from google import genai
        from langchain_google_genai import ChatGoogleGenerativeAI
    except ImportError:
        raise not_installed(card, "langchain-google-genai") from None

    base_url = options.base_url or card.base_url or _GOOGLE
    host = host_of(base_url)
    key = str(find_key(card, options))
    certificates = httpx.create_ssl_context()
    settings: dict[str, Any] = {
        "model": card.model,
        "base_url": base_url,
        "api_key": key,
        "vertexai": False,
        "temperature": fit_temperature(card, options),
        "max_output_tokens": answer_tokens(card, options),
        "include_thoughts": True if card.thinks else None,
        "max_retries": 1,  # of Google's library: 1 = one attempt; 0 would mean its default of five
        "timeout": options.limits.idle_timeout_s,
        "client_args": {"verify": certificates},
    }

    async def pieces(messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        model = ChatGoogleGenerativeAI(**settings)
        async with httpx.AsyncClient(verify=certificates, timeout=options.limits.idle_timeout_s) as client:
            # The class makes a client that is closed when it is collected; this one is closed when the answer ends.
            model.client = genai.Client(
                api_key=key,
                vertexai=False,
                http_options=genai.types.HttpOptions(
                    base_url=base_url,
                    api_version="v1beta",
                    client_args={"verify": certificates},
                    httpx_async_client=client,
                ),
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
