"""Files that say what is stored already: the same law as Markdown and as Word is one law, and answers once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from ragsvc.pipelines.version_diff import Place, body_of, places_of
from ragsvc.store import identity
from ragsvc.store.inventory import Inventory
from ragsvc.store.staging import StagedDocument

MOST_COMPARED = 64
"""Versions of one work and day that a file is compared with."""


class Duplicate(Struct, frozen=True):
    """A file of which every article or paragraph is stored already, from another file of the same work and day."""

    path: str
    of: str


class DuplicateFinder:
    """Compares what comes with what one collection has."""

    def __init__(self, inventory: Inventory, collection: str) -> None:
        self._inventory = inventory
        self._collection = collection

    def split(self, batch: Sequence[StagedDocument]) -> tuple[list[StagedDocument], list[Duplicate]]:
        """Return the documents that say something new, and the files that do not."""
        kept: list[StagedDocument] = []
        found: list[Duplicate] = []
        for item in batch:
            if original := self.original_of(item, kept):
                found.append(Duplicate(item.document.name, original))
            else:
                kept.append(item)
        return kept, found

    def original_of(self, item: StagedDocument, others: Iterable[StagedDocument] = ()) -> str:
        """Return the name of a file that says all that ``item`` does, or of the first of several; else nothing.

        A file of the same name is a correction, however little it changes; so is one whose first day somebody gave. Of
        a work without a title nothing is known that would make two files the same. Without a day of promulgation a
        file that leaves something out may be the later text: there only one that says the same, no less, is a copy.
        """
        if not item.work_key or item.facts.validity_source == "given":
            return ""
        sources: list[tuple[str, Iterable[Place]]] = [
            (other.document.name, places_of(other.document.text, other.chunks))
            for other in others
            if other.work_key == item.work_key and other.facts.promulgated == item.facts.promulgated
        ]
        work = identity.work_id(self._collection, item.work_key)
        for version in self._inventory.versions_of_work(work, item.facts.promulgated, MOST_COMPARED):
            sources.append((version.name, places_of(*self._inventory.content(version))))
        names = [name for name, _ in sources]
        if not names or item.document.name in names:
            return ""
        wanted = [_said(place) for place in places_of(item.document.text, item.chunks)]
        if item.facts.promulgated is None:
            same = (name for name, places in sources if {_said(place) for place in places} == set(wanted))
            return next(same, "") if wanted else ""
        said = {_said(place): name for name, places in reversed(sources) for place in places}
        return said[wanted[0]] if wanted and all(one in said for one in wanted) else ""


def _said(place: Place) -> tuple[str, str]:
    return place.address, identity.letters(body_of(place))
