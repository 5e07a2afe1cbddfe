"""What is known about an encoder, and whether it was trained on data of the set that it is measured on.

All that an encoder's record and a set's folder share is a name: pairs of the set ``stard`` are called
``legal_zh_stard``, those of ``lay-law-zh`` ``legal_zh_lay``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msgspec import to_builtins

from ragsvc.model_catalogue import EmbeddingCard
from ragsvc.protocols import Embedder

_SAME = {
    "legal": "law",
    "laws": "law",
    "medical": "medicine",
    "health": "medicine",
    "financial": "finance",
    "chinese": "zh",
    "english": "en",
    "lecoqa": "stard",  # the same questions, with other answers: github.com/oneal2000/LeCoQA
}
_LANGUAGES = {"zh", "en"}
_DOMAINS = {"law", "medicine", "finance", "general"}
_CARD_FACTS = (
    *("vendor", "licence", "languages", "max_tokens", "pooling", "normalised", "query_prefix", "passage_prefix"),
    *("note", "source"),
)
_PARTS = {"train", "dev", "test", "eval", "heldout", "held", "out", "hidden", "split", "beir", "set"}


def describe_encoder(name: str, card: EmbeddingCard, embedder: Embedder) -> dict[str, Any]:
    """Return what an encoder's card says of it.

    ``data`` lists what it was trained on, None when its card does not say; ``card`` has the other facts that are known.
    """
    data = list(getattr(embedder, "trained_on", ()))
    known = to_builtins(card)
    facts = {key: known[key] for key in _CARD_FACTS if known[key]}
    return {"name": name, "id": embedder.embedder_id, "dim": embedder.dim, "data": data or None, "card": facts}


def data_of_set(set_name: str, data: Sequence[str]) -> list[str]:
    """Return those of an encoder's data sets that come from the set called ``set_name``.

    A name matches when it has every word that is the set's own, and names no other language or domain. Words of a
    split (dev, test) do not count: a set's development questions are near its training questions.
    """
    wanted = _words(set_name)
    own = wanted - _LANGUAGES - _DOMAINS
    return [name for name in data if _fits(wanted, own, _words(name))]


def _fits(wanted: set[str], own: set[str], found: set[str]) -> bool:
    if not own:  # nothing but a language and a domain: only the very same name is the same data
        return bool(wanted) and wanted == found
    return own <= found and all(
        not (wanted & kind and found & kind) or wanted & found & kind for kind in (_LANGUAGES, _DOMAINS)
    )


def _words(name: str) -> set[str]:
    words = re.findall(r"[^\W_]+", name.casefold())
    return {_SAME.get(word, word) for word in words} - _PARTS
