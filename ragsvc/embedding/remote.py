"""Any service that answers ``POST …/embeddings`` as OpenAI's does: Ollama, text-embeddings-inference, vLLM, vendors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import numpy as np
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

from ragsvc.embedding.windows import cut_at_sentences
from ragsvc.errors import SettingsError, UpstreamFailed, UpstreamTimeout
from ragsvc.model_catalogue import EmbeddingCard
from ragsvc.protocols import FloatArray

_BATCH = 64
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_ATTEMPTS = 4
_DEFAULT_MAX_TOKENS = 512
"""Tokens of one text where the card does not say."""
_OWN_ADDRESS = {
    "openai": ("https://api.openai.com/v1", "OPENAI_BASE_URL"),
    "ollama": ("http://127.0.0.1:11434", "OLLAMA_HOST"),
}
"""Per family: where the service is when neither the card nor the environment variable says it."""
_ADVICE = {
    401: "Check the API key.",
    403: "Check that the API key may use this model.",
    404: "Check the address and the model's name.",
    413: "A text is too long for the model.",
}


class _Row(msgspec.Struct):
    index: int
    embedding: list[float]


class _Answer(msgspec.Struct):
    data: list[_Row]


class _Passing(Exception):
    """A failure that may be over in a moment; holds what to raise if it is not."""

    def __init__(self, failure: UpstreamFailed) -> None:
        super().__init__(str(failure))
        self.failure = failure


class RemoteEmbedder:
    """Asks an OpenAI-compatible service. Safe to use from several threads."""

    def __init__(self, card: EmbeddingCard, base_url: str, api_key: str | None) -> None:
        self._card, self._host, self._key = card, urlsplit(base_url).netloc, api_key
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(timeout=_TIMEOUT, headers=headers)
        self._url = f"{base_url.rstrip('/')}/embeddings"
        # Han characters are about a token each, Latin words longer than one: counting characters is on the safe side.
        self._window_chars = (card.max_tokens or _DEFAULT_MAX_TOKENS) - len(card.passage_prefix) - 2

    def __repr__(self) -> str:
        return f"RemoteEmbedder({self.embedder_id!r})"

    @property
    def embedder_id(self) -> str:
        """Model and host; the service shows no hash of its weights."""
        return f"openai:{self._card.model}@{self._host}"

    @cached_property
    def dim(self) -> int:
        """Length of a vector, as the service's first answer shows it."""
        return int(self._ask(["dimension"]).shape[1])

    def windows(self, text: str) -> list[str]:
        """Cut a text at sentence ends into pieces that the model reads whole."""
        return cut_at_sentences(text, max(1, self._window_chars))

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Return an array of shape (len(texts), dim), L2-normalised; a text of white space is a zero row.

        Raises:
            UpstreamFailed: the service refused, broke, or sent what is no list of vectors.
            UpstreamTimeout: it did not answer in time.
        """
        return self._embed(texts, self._card.passage_prefix)

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """As ``embed_passages``, with the card's query prefix."""
        return self._embed(texts, self._card.query_prefix)

    def _embed(self, texts: Sequence[str], prefix: str) -> FloatArray:
        filled = [row for row, text in enumerate(texts) if text.strip()]  # services refuse empty texts
        if not filled:
            return np.zeros((len(texts), self.dim), np.float32)
        batches = [filled[at : at + _BATCH] for at in range(0, len(filled), _BATCH)]
        found = [self._ask([prefix + texts[row] for row in batch]) for batch in batches]
        self._check_dim(found)
        vectors = np.zeros((len(texts), self.dim), np.float32)
        vectors[filled] = np.concatenate(found)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors

    def _check_dim(self, found: Sequence[FloatArray]) -> None:
        self.__dict__.setdefault("dim", found[0].shape[1])
        if other := [part.shape[1] for part in found if part.shape[1] != self.dim]:
            raise UpstreamFailed(f"{self._who} sent vectors of {other[0]} numbers after vectors of {self.dim}.")

    @property
    def _who(self) -> str:
        return f"The embedding service {self._host} (model {self._card.model})"

    def _ask(self, texts: list[str]) -> FloatArray:
        attempts = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, _Passing)),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(multiplier=0.3, max=10.0) + wait_random(0.0, 0.3),
            reraise=True,
        )
        try:
            return self._read(attempts(self._post, texts), len(texts))
        except _Passing as passing:
            raise passing.failure from None

    def _post(self, texts: list[str]) -> bytes:
        try:
            answer = self._client.post(self._url, json={"model": self._card.model, "input": texts})
        except httpx.TimeoutException as error:
            raise UpstreamTimeout(f"{self._who} did not answer in time: {type(error).__name__}.") from error
        except httpx.TransportError as error:
            failure = UpstreamFailed(
                f"{self._who} cannot be reached: {self._clean(str(error))} Check that it runs and that the address is "
                "right."
            )
            raise _Passing(failure) from error
        if answer.is_success:
            return answer.content
        said = f"{self._who} answered HTTP {answer.status_code}: {self._clean(_message(answer))}"
        failure = UpstreamFailed(f"{said} {_ADVICE.get(answer.status_code, '')}".rstrip())
        if answer.status_code == 429 or answer.status_code >= 500:
            raise _Passing(failure)
        raise failure

    def _read(self, content: bytes, expected: int) -> FloatArray:
        try:
            rows = msgspec.json.decode(content, type=_Answer).data
            if sorted(row.index for row in rows) != list(range(expected)):
                raise ValueError(f"{len(rows)} rows for {expected} texts, or their indexes are not 0 to {expected - 1}")
            vectors: FloatArray = np.array([r.embedding for r in sorted(rows, key=lambda r: r.index)], np.float32)
            if vectors.ndim != 2 or not vectors.shape[1] or not np.isfinite(vectors).all():
                raise ValueError("a vector is empty or holds what is no number")
        except ValueError as error:  # msgspec's errors are ValueErrors, numpy's for ragged rows too
            raise UpstreamFailed(f"{self._who} sent what is no list of vectors: {self._clean(str(error))}") from error
        return vectors

    def _clean(self, said: str) -> str:
        """Return the service's words on one short line, without the key."""
        said = said.replace(self._key, "***") if self._key else said
        said = " ".join(said.split())[:300] or "no reason given"
        return said if said.endswith((".", "!", "?", "。")) else f"{said}."


def open_remote_embedder(card: EmbeddingCard, api_key: str | None) -> RemoteEmbedder:
    """Make a client for the service that ``card`` describes; nothing is sent before the first text.

    Args:
        card: model, address, prefixes; without an address OpenAI's or Ollama's own is meant.
        api_key: else the environment variable that the card names; servers on this network often need none.

    Raises:
        SettingsError: the vendor needs a key and there is none, or the address holds a credential.
    """
    default, variable = _OWN_ADDRESS["ollama" if card.family == "ollama" else "openai"]
    base_url = card.base_url or os.environ.get(variable) or default
    base_url = base_url if "://" in base_url else f"http://{base_url}"
    parts = urlsplit(base_url)
    if parts.username or parts.password:
        raise SettingsError("The address of an embedding service must not hold a credential; set the API key instead.")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{card.name}: {base_url!r} is no address of a service; set base_url to https://host/v1.")
    key = api_key or (os.environ.get(card.key_env) if card.key_env else None)
    if card.key_env and not key and base_url in (card.base_url, default):
        raise SettingsError(f"{card.name} needs an API key of {card.vendor or parts.netloc}: set {card.key_env}.")
    if card.family == "ollama" and parts.path in ("", "/"):
        base_url = base_url.rstrip("/") + "/v1"
    return RemoteEmbedder(card, base_url, key)


def _message(answer: httpx.Response) -> str:
    """Return what the service says is wrong, else the beginning of what it sent."""
    try:
        body: Any = answer.json()
    except ValueError:
        return answer.text
    error = body.get("error", body) if isinstance(body, dict) else body
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)
