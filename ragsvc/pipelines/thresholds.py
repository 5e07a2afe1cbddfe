"""The fitted abstention thresholds that the domain packs bring."""

from __future__ import annotations

from functools import cache

from ragsvc.domains.pack import DOMAINS, Language, find_pack
from ragsvc.retrieval.abstention import AbstentionModel, parse_abstention


@cache
def fitted_thresholds() -> dict[tuple[str, Language], AbstentionModel]:
    """Return those of every domain that has them, by domain and language."""
    return {
        (domain, language): model
        for domain in DOMAINS
        for language, model in parse_abstention(find_pack(domain).abstention).items()
    }
