"""Any service that answers ``POST …/embeddings`` as OpenAI's does: Ollama, text-embeddings-inference, vLLM, vendors.

The format: https://developers.openai.com/api/reference/resources/embeddings. Where others depart from it: Ollama cuts a
text that is longer than its context without a word; text-embeddings-inference takes 32 texts a request unless it is
started with ``--max-client-batch-size``, and refuses more, as it does a text that is too long, with 413.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import numpy as np
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

from ragsvc.embedding.windows import cut_in_context
from ragsvc.errors import SettingsError, UpstreamFailed, UpstreamTimeout
from ragsvc.model_catalogue import EmbeddingCard
from ragsvc.protocols import FloatArray

_BATCH = 32
"""Texts of one request where the card does not say; what text-embeddings-inference takes as it is delivered."""
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_ATTEMPTS = 4
_DEFAULT_MAX_TOKENS = 512
"""Tokens of one text where the card does not say."""
_OLLAMA_TOKENS = 2048
"""Ollama's smallest default context: what is longer would be cut there, whatever the model could read."""
_LONGEST_PAUSE_S = 30.0
_TOO_MUCH = (400, 413, 422)
"""How services refuse a request of too many texts or tokens; each has its own."""
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

    def __init__(self, failure: UpstreamFailed, retry_after_s: float = 0.0) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.retry_after_s = retry_after_s


class _TooMuch(Exception):
    """A request that was refused and may be accepted in parts; holds what to raise if it cannot be parted."""

    def __init__(self, failure: UpstreamFailed) -> None:
        super().__init__(str(failure))
        self.failure = failure


_PAUSE = wait_exponential(multiplier=0.3, max=10.0) + wait_random(0.0, 0.3)


def _pause_s(state: RetryCallState) -> float:
    """Return how long to wait before the next attempt: as long as the service asks, within reason."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after_s if isinstance(error, _Passing) else 0.0
    return max(_PAUSE(state), min(asked, _LONGEST_PAUSE_S))


class RemoteEmbedder:
    """Asks an OpenAI-compatible service. Safe to use from several threads."""

    def __init__(self, card: EmbeddingCard, base_url: str, api_key: str | None) -> None:
        self._card, self._host, self._key = card, urlsplit(base_url).netloc, api_key
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(timeout=_TIMEOUT, headers=headers)
        self._url = f"{base_url.rstrip('/')}/embeddings"
        # Han characters are about a token each, Latin words longer than one: counting characters is on the safe side.
        tokens = min(card.max_tokens or _DEFAULT_MAX_TOKENS, _OLLAMA_TOKENS if card.family == "ollama" else 2**31)
        self._window_chars = tokens - len(card.passage_prefix) - 2

    def __repr__(self) -> str:
        return f"RemoteEmbedder({self.embedder_id!r})"

    @property
    def embedder_id(self) -> str:
        """Model and host, and a hash of what else is sent; the service shows no hash of its weights."""
        card = self._card
        sent = [card.query_prefix, card.passage_prefix, card.query_fields, card.passage_fields, self._asked_dim]
        digest = hashlib.sha256(msgspec.json.encode(sent)).hexdigest()[:12]
        return f"openai:{card.model}@{self._host}" + (f"-{digest}" if any(sent) else "")

    @property
    def _asked_dim(self) -> int | None:
        return self._card.dim if self._card.dim_is_settable else None

    @cached_property
    def dim(self) -> int:
        """Length of a vector: as the catalogue says, else as the service's first answer shows it."""
        return self._card.dim or int(self._ask(["dimension"], {}).shape[1])

    def windows(self, text: str, context: str = "") -> list[str]:
        """Cut a text at sentence ends into pieces that the model reads whole."""
        return cut_in_context(text, context, max(1, self._window_chars))

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Return an array of shape (len(texts), dim), L2-normalised; a text of white space is a zero row.

        Raises:
            UpstreamFailed: the service refused, broke, or sent what is no list of vectors.
            UpstreamTimeout: it did not answer in time.
        """
        return self._embed(texts, self._card.passage_prefix, self._card.passage_fields)

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """As ``embed_passages``, with the card's query prefix."""
        return self._embed(texts, self._card.query_prefix, self._card.query_fields)

    def _embed(self, texts: Sequence[str], prefix: str, fields: Mapping[str, str]) -> FloatArray:
        filled = [row for row, text in enumerate(texts) if text.strip()]  # services refuse empty texts
        if not filled:
            return np.zeros((len(texts), self.dim), np.float32)
        found = [self._ask(batch, fields) for batch in self._batches([prefix + texts[row] for row in filled])]
        self._check_dim(found)
        vectors = np.zeros((len(texts), self.dim), np.float32)
        vectors[filled] = np.concatenate(found)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Part the texts into requests that the service takes, as far as its card says what it takes."""
        batch: list[str] = []
        chars = 0
        for text in texts:
            is_full = len(batch) >= (self._card.batch or _BATCH)
            if batch and (is_full or chars + len(text) > (self._card.request_tokens or 2**31)):
                yield batch
                batch, chars = [], 0
            batch.append(text)
            chars += len(text)
        if batch:
            yield batch

    def _check_dim(self, found: Sequence[FloatArray]) -> None:
        known = self._card.dim
        self.__dict__.setdefault("dim", known or found[0].shape[1])
        if other := [part.shape[1] for part in found if part.shape[1] != self.dim]:
            before = f"the catalogue says that they have {known}" if known else f"after vectors of {self.dim}"
            raise UpstreamFailed(f"{self._who} sent vectors of {other[0]} numbers, {before}. Is it that model?")

    @property
    def _who(self) -> str:
        return f"The embedding service {self._host} (model {self._card.model})"

    def _ask(self, texts: list[str], fields: Mapping[str, str]) -> FloatArray:
        attempts = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, _Passing)),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=_pause_s,
            reraise=True,
        )
        try:
            return self._read(attempts(self._post, texts, fields), len(texts))
        except _Passing as passing:
            raise passing.failure from None
        except _TooMuch as too_much:
            if len(texts) == 1:
                raise too_much.failure from None
        middle = len(texts) // 2
        return np.concatenate([self._ask(texts[:middle], fields), self._ask(texts[middle:], fields)])

    def _post(self, texts: list[str], fields: Mapping[str, str]) -> bytes:
        body: dict[str, Any] = {"model": self._card.model, "input": texts, **fields}
        if self._asked_dim:
            body["dimensions"] = self._asked_dim
        try:
            answer = self._client.post(self._url, json=body)
        except httpx.TimeoutException as error:
            raise UpstreamTimeout(f"{self._who} did not answer in time: {type(error).__name__}.") from error
        except httpx.RequestError as error:
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
            raise _Passing(failure, _retry_after_s(answer))
        if answer.status_code in _TOO_MUCH:
            raise _TooMuch(failure)
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
    if parts.username or parts.password or parts.query:
        raise SettingsError("The address of an embedding service must not hold a credential; set the API key instead.")
    if parts.scheme not in ("http", "https") or not parts.hostname or not _has_port(base_url):
        raise SettingsError(f"{card.name}: {base_url!r} is no address of a service; set base_url to https://host/v1.")
    key = (api_key or os.environ.get(card.key_env or "", "")).strip() or None
    if key and not (key.isascii() and key.isprintable()):
        raise SettingsError(f"The API key for {card.name} holds a character that no key has: copy it again.")
    if card.key_env and not key and base_url in (card.base_url, default):
        raise SettingsError(f"{card.name} needs an API key of {card.vendor or parts.netloc}: set {card.key_env}.")
    if card.family == "ollama" and parts.path in ("", "/"):
        base_url = base_url.rstrip("/") + "/v1"
    return RemoteEmbedder(card, base_url, key)


def _has_port(address: str) -> bool:
    """Whether the port of the address, if it names one, is a number."""
    try:
        return httpx.URL(address).port != 0
    except httpx.InvalidURL:
        return False


def _retry_after_s(answer: httpx.Response) -> float:
    """Return the seconds of a Retry-After header; 0 where there is none or it is a date."""
    try:
        return float(answer.headers.get("retry-after", 0))
    except ValueError:
        return 0.0


def _message(answer: httpx.Response) -> str:
    """Return what the service says is wrong, else the beginning of what it sent."""
    try:
        body: Any = answer.json()
    except ValueError:
        return answer.text
    error = body.get("error", body) if isinstance(body, dict) else body
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)
