"""Finds what is known about a model by its name: how to call it, how much it reads, under which licence.

A model is one entry of data. The shipped entries are ``chat.toml`` and ``embedding.toml`` beside this file; an
operator adds files of the same form, whose entries win over shipped ones of the same name:

    [[vendor]]                       # what the models of one vendor share
    vendor = "Example"
    kind = "api"
    family = "openai"
    base_url = "https://api.example.com/v1"
    key_env = "EXAMPLE_API_KEY"

    [[vendor.models]]                # what this one adds or changes
    name = "example-large"
    context_tokens = 32_000

    [[override]]                     # a listed model, with some facts changed and the rest as it is
    name = "gpt-4o"
    requests_per_minute = 500

Besides the names listed there, a name may say by itself where the model is:

    openai:MODEL                 any OpenAI-compatible service, whose address comes from the settings
    ollama:MODEL                 a model that Ollama serves
    hf:ORG/NAME                  a Hugging Face repository, loaded here
    modelscope:ORG/NAME          a ModelScope repository, loaded here
    /path/to/dir                 a local model directory, loaded here
    /path/to/file.gguf           a model file, run here by llama.cpp
    https://host/v1#MODEL        an OpenAI-compatible endpoint
"""

from __future__ import annotations

import difflib
import functools
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from ragsvc.errors import InvalidInput, NotFound, SettingsError

Kind = Literal["api", "local", "closed"]
Family = Literal[
    "openai", "anthropic", "gemini", "mistral", "baidu-token", "ollama", "transformers", "gguf", "extractive", "none"
]
"""How a model is called; ``none`` = it cannot be called at all, and ``note`` says why."""

_HERE = Path(__file__).parent
_OPEN_NAMES = "openai:MODEL, ollama:MODEL, hf:ORG/NAME, modelscope:ORG/NAME, /path/to/dir or https://host/v1#MODEL"


class ModelCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known about one model. Empty or None means that it is not known."""

    name: str
    """As users write it; unique in the catalogue."""
    vendor: str
    kind: Kind
    family: Family
    model: str = ""
    """Id that the vendor's API, Ollama or Hugging Face expects, or a directory; empty in a file = ``name``."""
    base_url: str = ""
    """Address that ``/chat/completions`` or ``/embeddings`` is appended to."""
    key_env: str = ""
    """Environment variable that holds the API key."""
    context_tokens: int | None = None
    """Tokens that the model reads, prompt and answer together unless ``note`` says otherwise."""
    max_output_tokens: int | None = None
    """Most tokens of one answer that the service accepts to be asked for."""
    licence: str = ""
    note: str = ""
    source: str = ""
    """Where these facts were read."""


class ChatCard(ModelCard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that writes. Some fields say where an OpenAI-compatible service departs from OpenAI's own."""

    domain: Literal["general", "law", "medicine", "finance"] = "general"
    """What it was made for."""
    modalities: tuple[Literal["text", "image"], ...] = ("text",)
    """What it takes in a question."""
    commercial_use: Literal["yes", "conditions", "no", "unknown"] = "unknown"
    """What the licence of a local model says of it; ``conditions`` = by size, region, registration or application."""
    get: str = ""
    """How to get it: where a key is made, or which repository, drive or merge gives the weights."""
    template: str = ""
    """Local models: the literal template that its conversations are written in; empty = the tokenizer's own."""
    remote_code: bool = False
    """Local models: the repository brings Python code that has to run for it."""
    adapter: str = ""
    """Local models: LoRA weights on top of ``model``."""
    trust_remote_code: bool = False
    """Local models: the operator has read that code and lets it run. No shipped entry says so."""
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    """Local models: number format of the weights; ``auto`` = that of the files."""
    device_map: str = ""
    """Local models: "auto" spreads the layers over all GPUs and memory; empty = the one GPU if any, else the CPU."""
    quantization: Literal["", "8bit", "4bit"] = ""
    """Local models: weights in fewer bits, through bitsandbytes."""
    stop: tuple[str, ...] = ()
    """Local models: texts that end an answer, besides those of the template."""
    takes_tools: bool = False
    """Its service takes tools as data (LangChain's ``bind_tools``); others are told them as text."""
    thinks: bool = False
    """It thinks before it answers, and its service (Gemini, Ollama) shows that only when asked to."""
    secret_env: str = ""
    """Environment variable of the second half of a key that has two."""
    requests_per_minute: float | None = None
    """Most requests to this vendor in a minute from one process; more wait."""
    max_concurrent: int | None = None
    """Most requests to this vendor at a time from one process; more wait."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    stream_usage: bool = True
    """Whether ``stream_options`` may be sent; without it some services report usage unasked, others not at all."""
    temperature_fixed: bool = False
    """The service sets the temperature itself, so none is sent."""
    temperature_min: float = 0.0
    temperature_max: float = 2.0


class EmbeddingCard(ModelCard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that turns texts into vectors."""

    dim: int | None = None
    max_tokens: int | None = None
    """Tokens of one text that the model reads; the rest is cut."""
    pooling: Literal["mean", "cls", "last_token", ""] = ""
    normalised: bool = False
    """Whether the model itself returns vectors of unit length."""
    query_prefix: str = ""
    passage_prefix: str = ""
    languages: tuple[str, ...] = ()
    """BCP 47 tags of what it was trained for; "mul" = many."""
    batch: int | None = None
    """Services: texts to send in one request."""
    request_tokens: int | None = None
    """Services: most tokens of all texts of one request together."""
    dim_is_settable: bool = False
    """Services: ``dim`` is asked for with each request, so that an entry may state a smaller one."""
    query_fields: dict[str, str] = {}
    """Services: what the request says besides when it is about questions."""
    passage_fields: dict[str, str] = {}


_FACTS_OF_WEIGHTS = (
    *("dim", "max_tokens", "pooling", "normalised", "query_prefix", "passage_prefix"),
    *("languages", "licence", "note", "source"),
)
"""What is true of an embedding model wherever it runs."""

Card = TypeVar("Card", ChatCard, EmbeddingCard)


def find_model(name: str, extra_files: Sequence[Path] = (), *, listed_only: bool = False) -> ChatCard:
    """Return the card of the chat model called ``name``.

    Args:
        name: a listed name, or one that says by itself where the model is (see the module's head).
        extra_files: the operator's own catalogue files, later ones win.
        listed_only: refuse names that say by themselves where a model is. For names that come from a caller over
            the network: such a name would make this machine open any address or directory.

    Raises:
        NotFound: no such model; the message offers what is near.
        SettingsError: a catalogue file cannot be read.
    """
    return _find(ChatCard, "chat.toml", name, extra_files, listed_only=listed_only)


def find_embedding_model(name: str, extra_files: Sequence[Path] = (), *, listed_only: bool = False) -> EmbeddingCard:
    """Return the card of the embedding model called ``name``; as ``find_model``.

    Of a listed model that runs elsewhere (``ollama:bge-m3``, ``http://host/v1#BAAI/bge-m3``, ``hf:BAAI/bge-m3``) the
    card has its prefixes, length and pooling: without them its vectors would be silently worse.
    """
    card = _find(EmbeddingCard, "embedding.toml", name, extra_files, listed_only=listed_only)
    cards = _cards(EmbeddingCard, "embedding.toml", extra_files)
    if name in cards:
        return card
    wanted = card.model.lower()
    same = (other for other in cards.values() if wanted in (other.model.lower(), other.name))
    ollama_name = wanted.removesuffix(":latest").replace(":", "-")
    listed = next(same, cards.get(ollama_name) if card.family == "ollama" else None)
    if listed is None:
        return card
    return msgspec.structs.replace(card, **{field: getattr(listed, field) for field in _FACTS_OF_WEIGHTS})


def list_models(kind: Kind | None = None, extra_files: Sequence[Path] = ()) -> list[ChatCard]:
    """Return the listed chat models, in the order of the files, optionally of one kind only."""
    return [card for card in _cards(ChatCard, "chat.toml", extra_files).values() if kind in (None, card.kind)]


def list_embedding_models(kind: Kind | None = None, extra_files: Sequence[Path] = ()) -> list[EmbeddingCard]:
    """Return the listed embedding models, in the order of the files, optionally of one kind only."""
    return [card for card in _cards(EmbeddingCard, "embedding.toml", extra_files).values() if kind in (None, card.kind)]


def own_files(path: Path) -> tuple[Path, ...]:
    """Return the operator's catalogue file as ``extra_files``: nothing when it is not there."""
    return (path,) if path.is_file() else ()


def _find(card_type: type[Card], shipped: str, name: str, extra_files: Sequence[Path], *, listed_only: bool) -> Card:
    cards = _cards(card_type, shipped, extra_files)
    if name in cards:
        return cards[name]
    if not listed_only and (facts := _facts_in_name(name)):
        return card_type(name=name, **facts)
    near = difflib.get_close_matches(name, cards, n=3, cutoff=0.5)
    advice = f" Near: {', '.join(near)}." if near else ""
    if not listed_only:
        advice += f" Name a listed model (`ragsvc models list`) or one of {_OPEN_NAMES}."
    raise NotFound(f"No model is called {_shown(name)!r}.{advice}")


def _shown(name: str) -> str:
    """Return a name as it may be shown: of an address, not what might be a credential in it."""
    scheme, found, rest = name.partition("://")
    return f"{scheme}://{urlsplit(f'//{rest}').hostname or ''}/…" if found else name[:200]


def _facts_in_name(name: str) -> dict[str, Any] | None:
    """Return the facts that a name states by itself, or None if it states none."""
    scheme, _, rest = name.partition(":")
    if scheme in ("http", "https"):
        return _endpoint(name)
    if scheme == "openai" and rest:
        return {"vendor": "", "kind": "api", "family": "openai", "model": rest, "key_env": "OPENAI_API_KEY"}
    if scheme == "ollama" and rest:
        return {"vendor": "Ollama", "kind": "local", "family": "ollama", "model": rest}
    if scheme == "hf" and rest:
        return {"vendor": rest.partition("/")[0], "kind": "local", "family": "transformers", "model": rest}
    if scheme == "modelscope" and rest:
        return {"vendor": rest.partition("/")[0], "kind": "local", "family": "transformers", "model": name}
    if name.startswith(("/", "./", "../", "~")):
        folder = Path(name).expanduser()
        if folder.suffix == ".gguf":
            return {"vendor": "", "kind": "local", "family": "gguf", "model": str(folder.absolute())}
        if not any((folder / stated).is_file() for stated in ("config.json", "modules.json")):
            raise NotFound(f"{folder.absolute()} is not a model directory: no config.json or modules.json is in it.")
        return {"vendor": "", "kind": "local", "family": "transformers", "model": str(folder.absolute())}
    return None


def _endpoint(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query:
        raise InvalidInput("The address of a model endpoint must not hold a credential; set the API key instead.")
    if not parts.hostname or not parts.fragment:
        raise NotFound(f"{_shown(url)!r} does not name a model: write https://host/v1#MODEL.")
    base_url = parts._replace(fragment="").geturl().rstrip("/")
    return {"vendor": parts.hostname, "kind": "api", "family": "openai", "model": parts.fragment, "base_url": base_url}


def _cards(card_type: type[Card], shipped: str, extra_files: Sequence[Path]) -> dict[str, Card]:
    cards = dict(_shipped_cards(card_type, shipped))
    for path in extra_files:
        cards.update(_read_cards(card_type, path))
        for facts in _read(path).get("override", ()):
            cards[facts.get("name", "")] = _overridden(cards, facts, path)
    return cards


def _overridden(cards: dict[str, Card], facts: dict[str, Any], path: Path) -> Card:
    name = facts.get("name", "")
    if name not in cards:
        raise SettingsError(f"{path}: [[override]] names {name!r}, which is not listed; use [[vendor]] to add a model.")
    try:
        return msgspec.convert({**msgspec.to_builtins(cards[name]), **facts}, type(cards[name]))
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: [[override]] of {name!r}: {error}") from error


@functools.cache
def _shipped_cards(card_type: type[Card], file_name: str) -> dict[str, Card]:
    return _read_cards(card_type, _HERE / file_name)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as a model catalogue: {error}") from error


def _read_cards(card_type: type[Card], path: Path) -> dict[str, Card]:
    cards: dict[str, Card] = {}
    read = _read(path)
    try:
        for shared in read["vendor"] if "override" not in read else read.get("vendor", ()):
            for own in shared.pop("models"):
                facts = {**shared, **own}
                card = msgspec.convert({"model": facts.get("name"), **facts}, card_type)
                if card.name in cards:
                    raise SettingsError(f"{path}: the model {card.name!r} is listed twice; remove one entry.")
                cards[card.name] = card
    except (msgspec.ValidationError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path}: expected [[vendor]] tables with [[vendor.models]]; found: {error!r}") from error
    return cards
