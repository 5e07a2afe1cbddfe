"""Opens a chat model by name: one module per family of services, all through LangChain but Baidu's token form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ragsvc.errors import InvalidInput
from ragsvc.generation.anthropic import open_anthropic
from ragsvc.generation.baidu_token import open_baidu
from ragsvc.generation.gemini import open_gemini
from ragsvc.generation.gguf_model import GgufModel
from ragsvc.generation.local_loading import LoadOptions
from ragsvc.generation.local_model import LocalModel
from ragsvc.generation.mistral import open_mistral
from ragsvc.generation.ollama import open_ollama
from ragsvc.generation.openai_compatible import open_openai
from ragsvc.generation.options import ChatOptions as ChatOptions
from ragsvc.generation.options import prompt_tokens
from ragsvc.generation.streaming import OpenStream, Source, StreamedChatModel
from ragsvc.generation.tools import as_plain_turns
from ragsvc.model_catalogue.catalogue import ChatCard, Family, find_model
from ragsvc.protocols import ChatModel


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
        SettingsError: the API key or a vendor's package is missing, or a local model cannot be used.
        InvalidInput: the model is one that cannot be called.
    """
    card = find_model(model, extra_files) if isinstance(model, str) else model
    options = options or ChatOptions()
    if card.family == "extractive":
        raise InvalidInput(f"{card.name} answers from the passages alone and takes no messages: it is not opened.")
    if card.family == "none":
        raise InvalidInput(f"{card.name} ({card.vendor}) cannot be called: {card.note or 'it is closed.'}")
    source = _OPENERS[card.family](card, options)
    is_local = card.family in _LOCAL
    if not (is_local or card.takes_tools):
        source = replace(source, open=_in_words(source.open))
    source = replace(source, takes_images="image" in card.modalities and card.family != "gguf")
    return StreamedChatModel(card.name, source, options.limits)


def _in_words(open_stream: OpenStream) -> OpenStream:
    """Return what tells a model of tools, and of what they gave, in words."""
    return lambda messages: open_stream(as_plain_turns(messages))


def _open_local(card: ChatCard, options: ChatOptions) -> Source:
    local = LocalModel.load(
        card.model,
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        template=card.template,
        stop=card.stop,
        options=LoadOptions.of(card),
    )
    return Source(
        open=local.pieces, where=card.model, prompt_tokens=prompt_tokens(card, options), template=card.template
    )


def _open_gguf(card: ChatCard, options: ChatOptions) -> Source:
    local = GgufModel.load(
        card.model,
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        context_tokens=card.context_tokens,
        template=card.template,
        stop=card.stop,
    )
    return Source(
        open=local.pieces, where=card.model, prompt_tokens=prompt_tokens(card, options), template=card.template
    )


_LOCAL = ("transformers", "gguf")
_OPENERS: dict[Family, Callable[[ChatCard, ChatOptions], Source]] = {
    "openai": open_openai,
    "anthropic": open_anthropic,
    "gemini": open_gemini,
    "mistral": open_mistral,
    "baidu-token": open_baidu,
    "ollama": open_ollama,
    "transformers": _open_local,
    "gguf": _open_gguf,
}
