"""The fitted abstention thresholds that the domain packs bring."""

from __future__ import annotations

from functools import cache

from ragsvc.domains.installed import domain_names
from ragsvc.domains.pack import Language, find_pack
from ragsvc.errors import SettingsError
from ragsvc.retrieval.abstention import AbstentionModel, parse_abstention


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


def _abstention_of(domain: str) -> str:
    try:
        return find_pack(domain).abstention
    except SettingsError:
        return ""
