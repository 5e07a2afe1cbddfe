"""The chat models of one process: found by name among the listed ones and the operator's own, each opened once."""

from __future__ import annotations

from functools import cache

from ragsvc.generation.chat_models import open_chat_model
from ragsvc.generation.options import ChatOptions
from ragsvc.generation.streaming import StreamLimits
from ragsvc.model_catalogue import ChatCard, find_model, list_models, own_files
from ragsvc.protocols import ChatModel
from ragsvc.settings import Settings


class ChatModels:
    """What the settings allow to be named, and what was opened of it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.open = cache(self._open)
        """Name -> open model; blocks. Raises NotFound, InvalidInput, SettingsError."""

    def list(self) -> list[ChatCard]:
        """Return the models that can be named, the operator's own among them."""
        return list_models(extra_files=own_files(self._settings.models_file))

    def find(self, name: str, *, listed_only: bool = False) -> ChatCard:
        """Return a model's card; ``listed_only`` for a name that came over the network.

        Raises:
            NotFound: no such model.
        """
        return find_model(name, own_files(self._settings.models_file), listed_only=listed_only)

    def fallbacks(self) -> tuple[str, ...]:
        """Return the models to ask after one that fails.

        Raises:
            NotFound: the setting names one that does not exist.
        """
        for name in self._settings.model_fallbacks:
            self.find(name)
        return self._settings.model_fallbacks

    def options(self, name: str) -> ChatOptions:
        """Return how a model is called: only ``openai:MODEL`` takes its address and key from the settings."""
        settings = self._settings
        is_ours = name.startswith("openai:")
        return ChatOptions(
            api_key=(settings.model_api_key.get_secret_value() or None) if is_ours else None,
            base_url=(settings.model_base_url or None) if is_ours else None,
            temperature=settings.model_temperature,
            max_tokens=settings.model_max_tokens,
            limits=StreamLimits(idle_timeout_s=settings.model_timeout_s),
        )

    def _open(self, name: str) -> ChatModel:
        return open_chat_model(self.find(name), self.options(name))
