"""The fitted abstention thresholds: those that the domain packs bring, and those that a collection has of its own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache

from ragsvc.domains.installed import domain_names
from ragsvc.domains.pack import find_pack
from ragsvc.errors import InvalidInput, SettingsError
from ragsvc.prompting import Language
from ragsvc.retrieval.abstention import AbstentionModel, parse_abstention
from ragsvc.store.rows import Collection


@cache
def fitted_thresholds() -> dict[tuple[str, Language], AbstentionModel]:
    """Return those of every domain that has them, by domain and language.

    A broken installed pack has none; what is wrong with it is said to who uses its domain.
    """
    return {
        (domain, language): model
        for domain in domain_names()
        for language, model in parse_abstention(_abstention_of(domain)).items()
    }


def own_thresholds(collections: Iterable[Collection], language: Language) -> dict[str, AbstentionModel]:
    """Return those that collections have of their own for questions in this language, by the collections' names."""
    return {
        collection.name: model for collection in collections if (model := _parsed(collection.abstention).get(language))
    }


def check_thresholds(toml: str, embedder_id: str) -> None:
    """Raise InvalidInput unless ``toml`` holds models that were fitted for this encoder."""
    models = parse_abstention(toml)
    if not models:
        raise InvalidInput("the thresholds given have no table [zh] or [en]; 'evaluate abstention --write' makes one")
    for language, model in models.items():
        if model.embedder_id != embedder_id:
            raise InvalidInput(
                f"the thresholds for {language} were fitted for the encoder {model.embedder_id}, and this home has "
                f"{embedder_id}; fit them again with 'evaluate abstention --collection'"
            )


@lru_cache(maxsize=64)
def _parsed(toml: str) -> dict[Language, AbstentionModel]:
    return parse_abstention(toml)


def _abstention_of(domain: str) -> str:
    try:
        return find_pack(domain).abstention
    except SettingsError:
        return ""
