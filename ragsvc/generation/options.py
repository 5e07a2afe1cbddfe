"""What calling a chat model depends on: the settings' half (``ChatOptions``) joined with the card's half."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import msgspec

from ragsvc.errors import SettingsError
from ragsvc.generation.streaming import StreamLimits
from ragsvc.model_catalogue.catalogue import ChatCard

_FRAMING_TOKENS = 64
"""What a service may put around the messages: role markers, a date line."""


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
        """Leave the key out, and any in the address: options end up in logs and tracebacks."""
        where = urlsplit(self.base_url or "").hostname
        return f"ChatOptions(host={where!r}, max_tokens={self.max_tokens}, limits={self.limits})"


def find_key(card: ChatCard, options: ChatOptions, *, needed: bool = True) -> str | None:
    """Return the API key that the settings or the card's variable gives.

    Raises:
        SettingsError: it is needed and not there; the message names the variable to set.
    """
    key = options.api_key or (os.environ.get(card.key_env) if card.key_env else None)
    if not key and needed:
        raise SettingsError(f"{card.name} needs an API key of {card.vendor}: set {card.key_env or 'model_api_key'}.")
    return key or None


def fit_temperature(card: ChatCard, options: ChatOptions) -> float | None:
    """Return the temperature to send, moved into the range of the service; None = send none."""
    if options.temperature is None or card.temperature_fixed:
        return None
    return min(max(options.temperature, card.temperature_min), card.temperature_max)


def answer_tokens(card: ChatCard, options: ChatOptions) -> int:
    """Return how many tokens an answer may have: as asked, at most what the service takes and half of the window."""
    half = card.context_tokens // 2 if card.context_tokens else options.max_tokens
    return min(options.max_tokens, card.max_output_tokens or options.max_tokens, half)


def prompt_tokens(card: ChatCard, options: ChatOptions) -> int | None:
    """Return how many tokens a prompt may have beside its answer; None when the window is not known."""
    if card.context_tokens is None:
        return None
    return card.context_tokens - answer_tokens(card, options) - _FRAMING_TOKENS


def host_of(base_url: str) -> str:
    """Return host and port, the part of an address that is fit to show.

    Raises:
        SettingsError: the address holds a credential.
    """
    parts = urlsplit(base_url if "://" in base_url else f"http://{base_url}")
    if parts.username or parts.password:
        raise SettingsError("The base URL of a model must not hold a credential; set the API key instead.")
    return parts.netloc


def not_installed(card: ChatCard, package: str) -> SettingsError:
    """Return the error of a vendor package that is not there, with the line that installs it."""
    return SettingsError(f"{card.name} ({card.vendor}) is called through {package}: pip install {package}")
