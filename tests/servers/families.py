"""Every family of services by name, each with a strict server of its own and the card that leads to it."""

from __future__ import annotations

from collections.abc import Callable

from ragsvc.model_catalogue.catalogue import ChatCard
from tests.servers.anthropic_messages import AnthropicServer
from tests.servers.baidu import BaiduServer
from tests.servers.gemini import GeminiServer
from tests.servers.mistral_chat import MistralServer
from tests.servers.ollama import OllamaServer
from tests.servers.openai_chat import OpenAIChatServer, SparkServer
from tests.servers.vendor import VendorServer

FAMILIES: dict[str, Callable[[], VendorServer]] = {
    "OpenAI": OpenAIChatServer,
    "compatible": OpenAIChatServer,
    "Spark": SparkServer,
    "Anthropic": AnthropicServer,
    "Gemini": GeminiServer,
    "Mistral": MistralServer,
    "Baidu token": BaiduServer,
    "Ollama": lambda: OllamaServer(needs_key=True),
}


def card_of(family: str, server: VendorServer) -> ChatCard:
    """The card of the model that the server serves; no key is set in any variable that it names."""
    return ChatCard(
        name=f"{family} model",
        vendor=family,
        kind="api",
        family=server.family,
        model=server.models[0],
        base_url=server.base_url,
        key_env="NO_SUCH_KEY",
        secret_env="NO_SUCH_SECRET",
        thinks=family in ("Gemini", "Ollama"),
        temperature_min=0.01,
        temperature_max=1.0,
    )


def key_of(server: VendorServer) -> str:
    """The key as the settings take it."""
    return f"{server.api_key}:{server.secret_key}" if isinstance(server, BaiduServer) else server.api_key
