"""What documents of one work owe each other. Knows facts, no storage."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from ragsvc.records import DocumentFacts


def inherit_validity(facts: DocumentFacts, siblings: Iterable[DocumentFacts]) -> DocumentFacts:
    """Return ``facts`` with the dates of a sibling that states them, where the text itself does not.

    A code that comes in several files says in one of them when it takes effect ("本法自2021年1月1日起施行" stands in
    the last book). Only parts of the same work count, and only those promulgated on the same day: an amended part
    does not inherit from one that was not amended.
    """
    if facts.validity_source in ("stated", "given") or not facts.part:
        return facts
    for other in siblings:
        same_act = other.title == facts.title and facts.promulgated in (None, other.promulgated)
        if same_act and other.validity_source == "stated":
            return replace(
                facts,
                promulgated=other.promulgated,
                effective_from=other.effective_from,
                effective_to=other.effective_to,
                validity_source="stated",
            )
    return facts
