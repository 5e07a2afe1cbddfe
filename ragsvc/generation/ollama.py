"""Ollama's own chat interface: newline-delimited JSON, no key unless a proxy wants one."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from ragsvc.generation.langchain_stream import adapted
from ragsvc.generation.options import ChatOptions, answer_tokens, fit_temperature, host_of, prompt_tokens
from ragsvc.generation.streaming import Source
from ragsvc.model_catalogue.catalogue import ChatCard
from ragsvc.records import Message, TextPiece

_OLLAMA = "http://localhost:11434"


def open_ollama(card: ChatCard, options: ChatOptions) -> Source:
    """Return the source of a model that an Ollama server has pulled.

    Where the window is known it is asked for (``num_ctx``): Ollama's own default is a fraction of what most models
    read, and what is over it is cut without a word.

    Raises:
        SettingsError: the address holds a credential.
    """
    import httpx
    from langchain_ollama import ChatOllama

    base_url = options.base_url or card.base_url or os.environ.get("OLLAMA_HOST") or _OLLAMA
    certificates = httpx.create_ssl_context()
    headers = {"Authorization": f"Bearer {options.api_key}"} if options.api_key else {}
    host = host_of(base_url)

    async def pieces(messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        async with httpx.AsyncHTTPTransport(verify=certificates) as transport:
            model = ChatOllama(
                model=card.model,
                base_url=base_url,
                temperature=fit_temperature(card, options),
                num_predict=answer_tokens(card, options),
                num_ctx=card.context_tokens,
                reasoning=True if card.thinks else None,
                client_kwargs={"headers": headers, "timeout": options.limits.idle_timeout_s, "verify": certificates},
                async_client_kwargs={"transport": transport},
            )
            async with aclosing(adapted(model, messages, options.limits.total_timeout_s)) as stream:
                async for piece in stream:
                    yield piece

    return Source(
        open=pieces,
        where=host,
        timeout_errors=(httpx.TimeoutException,),
        connection_errors=(httpx.TransportError, ConnectionError),
        secrets=(options.api_key,) if options.api_key else (),
        prompt_tokens=prompt_tokens(card, options),
    )
