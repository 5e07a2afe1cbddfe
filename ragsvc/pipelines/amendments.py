"""What a new version of a text changed, and which kept answers rested on what it changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

from ragsvc.errors import InvalidInput, NotFound
from ragsvc.pipelines.version_diff import Place, TextDiff, diff_places, places_of
from ragsvc.store.inventory import Inventory
from ragsvc.store.receipts import Receipts
from ragsvc.store.rows import Version

Became = Literal["changed", "repealed", "renumbered"]
_SHOWN_CHARS = 24


class VersionDiff(Struct, frozen=True, kw_only=True):
    """Two versions and what they say differently."""

    old: Version
    new: Version
    diff: TextDiff


class Renumbered(Struct, frozen=True):
    """A place that has another number now, and may read differently as well."""

    old: str
    new: str
    is_changed: bool


class TouchedAnswer(Struct, frozen=True, kw_only=True):
    """A citation of a kept answer that rests on what was changed."""

    answer_id: str
    asked_at: float
    """Seconds since 1970."""
    marker: str
    locator: str
    quote: str
    became: Became


class Amendment(Struct, frozen=True, kw_only=True):
    """One document's new version against the one before it. Places are named as a person writes them."""

    document_id: str
    title: str
    path: str
    """The file that brought it."""
    version_id: str
    superseded_version_id: str
    superseded_from: date | None
    """First day on which the new version holds; None = always did."""
    counts: dict[str, int]
    added: list[str]
    changed: list[str]
    repealed: list[str]
    renumbered: list[Renumbered]
    answers: list[TouchedAnswer]


class Amendments:
    """Compares the versions of one home's documents."""

    def __init__(self, inventory: Inventory, receipts: Receipts) -> None:
        self._inventory = inventory
        self._receipts = receipts

    def of_job(self, job_id: str) -> list[Amendment]:
        """Return what the versions that a job added changed in those before them."""
        return [self._report(self._compare(old, new)) for old, new in self._inventory.superseded_by_job(job_id)]

    def between(self, old_id: str, new_id: str) -> VersionDiff:
        """Compare two versions, of one document or of two.

        Raises:
            NotFound: there is no such version.
        """
        return self._compare(self._inventory.version(old_id), self._inventory.version(new_id))

    def of_document(
        self, document_id: str, old_id: str | None = None, new_id: str | None = None, days: Sequence[date] = ()
    ) -> VersionDiff:
        """Compare two versions of a document: by id, or in force on two days; else the last two.

        Raises:
            NotFound: there is no such document, version of it, or version of it on that day.
            InvalidInput: there is nothing before the version to compare it with.
        """
        versions = self._inventory.document_versions(document_id)
        if days:
            return self._compare(_on(versions, min(days)), _on(versions, max(days)))
        new = _find(versions, new_id, document_id) if new_id else versions[-1]
        if old_id:
            return self._compare(_find(versions, old_id, document_id), new)
        at = [version.version_id for version in versions].index(new.version_id)
        if at == 0:
            raise InvalidInput(f"version {new.version_id} is the first of document {document_id}: nothing is before it")
        return self._compare(versions[at - 1], new)

    def against(self, old: Version, new: Sequence[Place]) -> TextDiff:
        """Compare a version with a text that is not stored."""
        return diff_places(places_of(*self._inventory.content(old)), new)

    def _compare(self, old: Version, new: Version) -> VersionDiff:
        return VersionDiff(old=old, new=new, diff=self.against(old, places_of(*self._inventory.content(new))))

    def _report(self, found: VersionDiff) -> Amendment:
        old, new, diff = found.old, found.new, found.diff
        return Amendment(
            document_id=new.document_id,
            title=new.title,
            path=new.name,
            version_id=new.version_id,
            superseded_version_id=old.version_id,
            superseded_from=new.effective_from,
            counts=counts(diff),
            added=[name_of(place) for place in diff.added],
            changed=[name_of(change.old) for change in diff.changed],
            repealed=[name_of(place) for place in diff.repealed],
            renumbered=[
                Renumbered(name_of(change.old), name_of(change.new), bool(change.words)) for change in diff.renumbered
            ],
            answers=self._touched(old, diff, new.effective_from),
        )

    def _touched(self, old: Version, diff: TextDiff, since: date | None) -> list[TouchedAnswer]:
        """An answer for a day before the new version holds is as right as it was."""
        places: dict[Became, list[Place]] = {
            "changed": [change.old for change in (*diff.changed, *diff.renumbered) if change.words],
            "repealed": list(diff.repealed),
            "renumbered": [change.old for change in diff.renumbered if not change.words],
        }
        found = []
        for became, touched in places.items():
            spans = [(place.start, place.end) for place in touched]
            for rest in self._receipts.resting_on(old.version_id, spans):
                if rest.as_of is None or since is None or rest.as_of >= since:
                    found.append(
                        TouchedAnswer(
                            answer_id=rest.answer_id,
                            asked_at=rest.asked_at,
                            marker=rest.citation.marker,
                            locator=rest.citation.locator,
                            quote=rest.citation.quote,
                            became=became,
                        )
                    )
        return found


def counts(diff: TextDiff) -> dict[str, int]:
    """Return how many places were added, changed, repealed, renumbered, and how many are as they were."""
    return {
        "added": len(diff.added),
        "changed": len(diff.changed),
        "repealed": len(diff.repealed),
        "renumbered": len(diff.renumbered),
        "unchanged": diff.unchanged,
    }


def name_of(place: Place) -> str:
    """Return how a place is named: by its number, else by its headings and how it begins."""
    if place.address:
        return place.locator
    where = " › ".join(place.heading_path) or place.locator
    begins = place.text if len(place.text) <= _SHOWN_CHARS else f"{place.text[:_SHOWN_CHARS]}…"
    return f"{where}: {begins}" if where else begins


def _find(versions: Sequence[Version], version_id: str, document_id: str) -> Version:
    for version in versions:
        if version.version_id == version_id:
            return version
    raise NotFound(f"document {document_id} has no version {version_id!r}")


def _on(versions: Sequence[Version], day: date) -> Version:
    for version in reversed(versions):
        begins, ends = version.effective_from, version.effective_to
        if (begins is None or begins <= day) and (ends is None or ends > day):
            return version
    raise NotFound(f"no version of document {versions[0].document_id} was in force on {day}")
