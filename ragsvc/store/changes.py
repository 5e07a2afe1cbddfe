"""Changes that act at once, without a new index generation: removal, validity, going back to a generation.

They work through the exclusion set of ``Catalogue.snapshot``: a version that is not live is excluded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import pairwise

import sqlalchemy as sa

from ragsvc.errors import NotFound
from ragsvc.records import DocumentFacts
from ragsvc.store.catalogue import is_open
from ragsvc.store.database import Database
from ragsvc.store.schema import (
    chunk_vectors,
    chunks,
    collections,
    documents,
    generations,
    head,
    vectors,
    versions,
    works,
)

Inherit = Callable[[DocumentFacts, Iterable[DocumentFacts]], DocumentFacts]
"""What parts of one work owe each other: (facts of a part, facts of all parts) -> facts."""

NEVER = date.min
"""``superseded_from`` of a version whose successor has no first day either: it is never in force."""

ORDER_OF_VERSIONS = (
    sa.func.coalesce(versions.c.effective_from, NEVER),
    versions.c.promulgated,
    versions.c.ordinal,
)
"""In which the versions of a document follow each other."""


def bump_change_number(connection: sa.Connection) -> int:
    """Count one more visible change and return its number; readers' caches are keyed by it."""
    connection.execute(head.update().values(change_number=head.c.change_number + 1))
    return int(connection.execute(sa.select(head.c.change_number)).scalar_one())


def empty_versions(connection: sa.Connection, ordinals: Sequence[int]) -> None:
    """Remove texts and chunks for good; the empty rows stay, so that old generations' ordinals are excluded."""
    for at in range(0, len(ordinals), 1000):
        some = ordinals[at : at + 1000]
        of_these = sa.select(chunks.c.ordinal).where(chunks.c.version.in_(some))
        connection.execute(chunk_vectors.delete().where(chunk_vectors.c.chunk.in_(of_these)))
        connection.execute(chunks.delete().where(chunks.c.version.in_(some)))
        connection.execute(
            versions.update().where(versions.c.ordinal.in_(some)).values(state="removed", text="", name="")
        )


def order_versions(connection: sa.Connection, ordinals: Sequence[int]) -> None:
    """Let each live version of the documents of these versions end where the next one begins."""
    for at in range(0, len(ordinals), 5000):
        touched = sa.select(versions.c.document).where(versions.c.ordinal.in_(ordinals[at : at + 5000]))
        rows = connection.execute(
            sa.select(versions.c.document, versions.c.ordinal, versions.c.effective_from, versions.c.superseded_from)
            .where(versions.c.document.in_(touched), versions.c.state == "live")
            .order_by(versions.c.document, *ORDER_OF_VERSIONS)
        ).all()
        ends = {a.ordinal: b.effective_from or NEVER for a, b in pairwise(rows) if a.document == b.document}
        for row in rows:
            end = ends.get(row.ordinal)
            if row.superseded_from != end:
                this = versions.c.ordinal == row.ordinal
                connection.execute(versions.update().where(this).values(superseded_from=end))


def inherit_dates(connection: sa.Connection, ordinals: Sequence[int], inherit: Inherit) -> list[int]:
    """Date the live parts of the works of these versions by one another; return which changed."""
    dates = (versions.c.promulgated, versions.c.effective_from, versions.c.effective_to, versions.c.validity_source)
    touched = (
        sa.select(documents.c.work)
        .join(versions, versions.c.document == documents.c.ordinal)
        .where(versions.c.ordinal.in_(ordinals), documents.c.part != "")
    )
    rows = connection.execute(
        sa.select(versions.c.ordinal, documents.c.work, documents.c.part, works.c.title, *dates)
        .join(documents, documents.c.ordinal == versions.c.document)
        .join(works, works.c.ordinal == documents.c.work)
        .where(versions.c.state == "live", documents.c.work.in_(touched))
    ).all()
    by_work: dict[int, list[tuple[int, DocumentFacts]]] = {}
    for row in rows:
        facts = DocumentFacts(title=row.title, part=row.part, **{column.name: row._mapping[column] for column in dates})
        by_work.setdefault(row.work, []).append((row.ordinal, facts))
    changed = []
    for parts in by_work.values():
        for ordinal, facts in parts:
            dated = inherit(facts, [other for _, other in parts])
            if dated != facts:
                values = {column.name: getattr(dated, column.name) for column in dates}
                connection.execute(versions.update().where(versions.c.ordinal == ordinal).values(**values))
                changed.append(ordinal)
    return changed


class Changes:
    """Changes to one home's catalogue; each is one transaction, visible from the next request on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remove_document(self, document_id: str) -> int:
        """Remove a document with all its versions; return how many that were.

        Raises:
            NotFound: no such document, or it was removed before.
        """
        of_it = (
            sa.select(versions.c.ordinal)
            .join(documents, documents.c.ordinal == versions.c.document)
            .where(documents.c.document_id == document_id, versions.c.state.in_(("live", "inactive")))
        )
        with self._database.write() as connection:
            ordinals = connection.execute(of_it).scalars().all()
            if not ordinals:
                raise NotFound(f"no document {document_id!r}: it was never here or was removed")
            empty_versions(connection, ordinals)
            bump_change_number(connection)
        return len(ordinals)

    def remove_collection(self, name: str) -> int:
        """Remove a collection with everything in it; return how many versions that were. Its name is free again.

        Raises:
            NotFound: no such collection.
        """
        with self._database.write() as connection:
            this = sa.and_(collections.c.name == name, is_open())
            ordinal = connection.execute(sa.select(collections.c.ordinal).where(this)).scalar()
            if ordinal is None:
                raise NotFound(f"no collection {name!r}; 'ragsvc collections list' shows them")
            of_it = sa.select(versions.c.ordinal).where(versions.c.collection == ordinal, versions.c.state != "removed")
            ordinals = connection.execute(of_it).scalars().all()
            empty_versions(connection, ordinals)
            # As if nothing had ever been committed to it: the row itself stays, for its versions' ordinals do.
            of_all = versions.c.collection == ordinal
            connection.execute(versions.update().where(of_all).values(added_change=None))
            itself = collections.c.ordinal == ordinal
            connection.execute(collections.update().where(itself).values(model="", strategy="", abstention=""))
            bump_change_number(connection)
        return len(ordinals)

    def set_collection(
        self,
        name: str,
        *,
        time_zone: str | None = None,
        model: str | None = None,
        strategy: str | None = None,
        abstention: str | None = None,
    ) -> None:
        """Change how a collection is read or answered.

        Raises:
            NotFound: no such collection.
        """
        given = {"time_zone": time_zone, "model": model, "strategy": strategy, "abstention": abstention}
        values = {key: value for key, value in given.items() if value is not None}
        with self._database.write() as connection:
            this = sa.and_(collections.c.name == name, is_open())
            known = connection.execute(sa.select(collections.c.ordinal).where(this)).scalar()
            if known is None:
                raise NotFound(f"no collection {name!r}")
            if values:
                connection.execute(collections.update().where(collections.c.ordinal == known).values(**values))
                bump_change_number(connection)

    def set_validity(self, version_id: str, effective_from: date | None, effective_to: date | None) -> None:
        """Give a version other first and last days; None leaves one as it is.

        Raises:
            NotFound: no such version.
        """
        values: dict[str, date | str] = {"validity_source": "given"}
        if effective_from is not None:
            values["effective_from"] = effective_from
        if effective_to is not None:
            values["effective_to"] = effective_to
        live = sa.and_(versions.c.version_id == version_id, versions.c.state == "live")
        with self._database.write() as connection:
            ordinals = connection.execute(sa.select(versions.c.ordinal).where(live)).scalars().all()
            if not ordinals:
                raise NotFound(f"no version {version_id!r}")
            connection.execute(versions.update().where(live).values(**values))
            order_versions(connection, ordinals)
            bump_change_number(connection)

    def switch(self, generation_id: str) -> int:
        """Make another generation the current one: live is what was live in it and was not removed since.

        Returns:
            The new change number.

        Raises:
            NotFound: the catalogue knows no such generation.
        """
        with self._database.write() as connection:
            at = connection.execute(
                sa.select(generations.c.change_number).where(generations.c.generation_id == generation_id)
            ).scalar()
            if at is None:
                raise NotFound(f"no generation {generation_id!r}; 'ragsvc index list' shows them")
            was_live = sa.and_(
                versions.c.added_change <= at,
                sa.or_(versions.c.replaced_change.is_(None), versions.c.replaced_change > at),
            )
            present = versions.c.state.in_(("live", "inactive"))
            # First out, then in: one version id is live at most once.
            connection.execute(versions.update().where(present, sa.not_(was_live)).values(state="inactive"))
            connection.execute(versions.update().where(present, was_live).values(state="live"))
            order_versions(connection, connection.execute(sa.select(versions.c.ordinal).where(present)).scalars().all())
            connection.execute(head.update().values(generation_id=generation_id))
            return bump_change_number(connection)

    def prune(self, keep_generations: Sequence[str]) -> None:
        """Forget generations that are gone from disk and what only they could bring back."""
        with self._database.write() as connection:
            connection.execute(generations.delete().where(generations.c.generation_id.not_in(keep_generations)))
            oldest = connection.execute(sa.select(sa.func.min(generations.c.change_number))).scalar() or 0
            newest = connection.execute(sa.select(sa.func.max(generations.c.change_number))).scalar() or 0
            lost = sa.select(versions.c.ordinal).where(
                versions.c.state == "inactive",
                sa.or_(versions.c.replaced_change <= oldest, versions.c.added_change > newest),
            )
            empty_versions(connection, connection.execute(lost).scalars().all())
            used = sa.select(chunk_vectors.c.embedding_key)
            embedders = sa.select(generations.c.embedder_id)
            unused = sa.or_(vectors.c.embedding_key.not_in(used), vectors.c.embedder_id.not_in(embedders))
            connection.execute(vectors.delete().where(unused))
            left = sa.select(vectors.c.embedding_key)
            connection.execute(chunk_vectors.delete().where(chunk_vectors.c.embedding_key.not_in(left)))
