"""What is in a home: collections, documents, versions, generations, as lists to look through."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from ragsvc.errors import NotFound
from ragsvc.records import Chunk
from ragsvc.store.catalogue import (
    VERSION_COLUMNS,
    VERSION_JOIN,
    find_collections_by_name,
    in_force,
    is_open,
    version_of,
)
from ragsvc.store.changes import ORDER_OF_VERSIONS
from ragsvc.store.database import Database
from ragsvc.store.rows import Collection, Document, Generation, Version
from ragsvc.store.schema import chunks, collections, documents, generations, head, versions, works


class Inventory:
    """Lists for people: the librarian's and the operator's view of one home."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def collections(self) -> list[Collection]:
        """Return every collection, by name, with what is live in it."""
        live = (
            sa.select(
                versions.c.collection,
                sa.func.count(sa.distinct(versions.c.document)).label("n_documents"),
                sa.func.count(chunks.c.ordinal).label("n_chunks"),
            )
            .select_from(versions.outerjoin(chunks, sa.and_(chunks.c.version == versions.c.ordinal, chunks.c.is_leaf)))
            .where(versions.c.state == "live")
            .group_by(versions.c.collection)
            .subquery()
        )
        query = (
            sa.select(collections, live.c.n_documents, live.c.n_chunks)
            .select_from(collections.outerjoin(live, live.c.collection == collections.c.ordinal))
            .where(is_open())
            .order_by(collections.c.name)
        )
        with self.database.read() as connection:
            return [
                Collection(
                    ordinal=row.ordinal,
                    name=row.name,
                    domain=row.domain,
                    time_zone=row.time_zone,
                    model=row.model,
                    strategy=row.strategy,
                    abstention=row.abstention,
                    n_documents=row.n_documents or 0,
                    n_chunks=row.n_chunks or 0,
                )
                for row in connection.execute(query)
            ]

    def documents(self, collection: str, offset: int = 0, limit: int = 100, matching: str = "") -> list[Document]:
        """Return a page of a collection's documents, by title; of those whose title, part or file holds ``matching``.

        Raises:
            NotFound: no such collection.
        """
        with self.database.read() as connection:
            found = find_collections_by_name(connection, [collection])[0]
            where = works.c.collection == found.ordinal
            if matching:
                names = (works.c.title, documents.c.part, versions.c.name)
                holds = sa.or_(*(column.icontains(matching, autoescape=True) for column in names))
                live = sa.and_(where, holds, versions.c.state == "live")
                where = documents.c.ordinal.in_(sa.select(documents.c.ordinal).select_from(VERSION_JOIN).where(live))
            return _documents(connection, where, offset, limit)

    def document(self, document_id: str) -> Document:
        """Return one document.

        Raises:
            NotFound: no such document, or it was removed.
        """
        with self.database.read() as connection:
            found = _documents(connection, documents.c.document_id == document_id, 0, 1)
        if not found:
            raise NotFound(f"no document {document_id!r}: it was never here or was removed")
        return found[0]

    def document_versions(self, document_id: str) -> list[Version]:
        """Return the live versions of a document, oldest first.

        Raises:
            NotFound: no such document, or it was removed.
        """
        found = self.find_versions(document_id)
        if not found:
            raise NotFound(f"no document {document_id!r}: it was never here or was removed")
        return found

    def find_versions(self, document_id: str) -> list[Version]:
        """As ``document_versions``; none where there is no such document."""
        n_facts = sa.func.json_array_length(versions.c.facts).label("n_facts")
        query = (
            sa.select(*VERSION_COLUMNS, n_facts)
            .select_from(VERSION_JOIN)
            .where(documents.c.document_id == document_id, versions.c.state == "live")
            .order_by(*ORDER_OF_VERSIONS)
        )
        with self.database.read() as connection:
            return [replace(version_of(row), n_facts=row.n_facts) for row in connection.execute(query)]

    def version(self, version_id: str) -> Version:
        """Return one version, in force or not.

        Raises:
            NotFound: no such version, or it was removed.
        """
        live = sa.and_(versions.c.version_id == version_id, versions.c.state == "live")
        with self.database.read() as connection:
            row = connection.execute(sa.select(*VERSION_COLUMNS).select_from(VERSION_JOIN).where(live)).first()
        if row is None:
            raise NotFound(f"no version {version_id!r}: it was never here or was removed")
        return version_of(row)

    def superseded_by_job(self, job_id: str) -> list[tuple[Version, Version]]:
        """Return (version before, version that this job added) of every document that had one before."""
        cut_again = versions.alias()
        is_recut = sa.exists().where(
            cut_again.c.version_id == versions.c.version_id, cut_again.c.ordinal < versions.c.ordinal
        )
        added = sa.select(versions.c.ordinal, versions.c.document).where(
            versions.c.job_id == job_id, versions.c.state == "live", sa.not_(is_recut)
        )
        with self.database.read() as connection:
            rows = connection.execute(added).all()
            new, touched = {row.ordinal for row in rows}, [row.document for row in rows]
            found: list[Version] = []
            for at in range(0, len(touched), 5000):
                query = (
                    sa.select(*VERSION_COLUMNS)
                    .select_from(VERSION_JOIN)
                    .where(versions.c.document.in_(touched[at : at + 5000]), versions.c.state == "live")
                    .order_by(versions.c.document, *ORDER_OF_VERSIONS)
                )
                found += map(version_of, connection.execute(query))
        return [(a, b) for a, b in pairwise(found) if a.document_id == b.document_id and b.ordinal in new]

    def content(self, version: Version) -> tuple[str, list[Chunk]]:
        """Return a version's text and how it was cut."""
        of_it = sa.select(chunks).where(chunks.c.version == version.ordinal).order_by(chunks.c.position)
        with self.database.read() as connection:
            text = connection.execute(
                sa.select(versions.c.text).where(versions.c.ordinal == version.ordinal)
            ).scalar_one()
            return text, [_chunk(row) for row in connection.execute(of_it)]

    def versions_of_work(self, work_id: str, promulgated: date | None, limit: int) -> list[Version]:
        """Return the newest versions of a work that were promulgated on a day, those that are being ingested too."""
        query = (
            sa.select(*VERSION_COLUMNS)
            .select_from(VERSION_JOIN)
            .where(
                works.c.work_id == work_id,
                versions.c.promulgated.is_not_distinct_from(promulgated),
                versions.c.state.in_(("live", "staged")),
            )
            .order_by(versions.c.ordinal.desc())
            .limit(limit)
        )
        with self.database.read() as connection:
            return [version_of(row) for row in connection.execute(query)]

    def generations(self) -> list[Generation]:
        """Return the generations that the catalogue knows, newest first."""
        with self.database.read() as connection:
            current = connection.execute(sa.select(head.c.generation_id)).scalar_one()
            rows = connection.execute(sa.select(generations).order_by(generations.c.created_at.desc())).all()
        return [
            Generation(
                generation_id=row.generation_id,
                embedder_id=row.embedder_id,
                change_number=row.change_number,
                n_chunks=row.n_chunks,
                created_at=row.created_at,
                is_current=row.generation_id == current,
            )
            for row in rows
        ]


def _chunk(row: Any) -> Chunk:
    return Chunk(
        kind=row.kind,
        start=row.start,
        end=row.end,
        locator=row.locator,
        address=row.address,
        heading_path=tuple(msgspec.json.decode(row.heading_path)),
        is_leaf=row.is_leaf,
        parent=row.parent,
    )


def _documents(connection: sa.Connection, where: sa.ColumnElement[bool], offset: int, limit: int) -> list[Document]:
    today = date.today()
    query = (
        sa.select(*VERSION_COLUMNS, works.c.kind, works.c.issuer, works.c.number, works.c.title.label("work_title"))
        .select_from(VERSION_JOIN)
        .where(where, versions.c.state == "live")
        .order_by(works.c.title, documents.c.ordinal, in_force(today).desc(), versions.c.ordinal.desc())
    )
    by_document: dict[str, list[Any]] = {}
    for row in connection.execute(query):
        by_document.setdefault(row.document_id, []).append(row)
    page = list(by_document.values())[offset : offset + limit]
    shown = [rows[0].ordinal for rows in page]
    n_leaves = (
        sa.select(chunks.c.version, sa.func.count().label("n"))
        .where(chunks.c.version.in_(shown), chunks.c.is_leaf)
        .group_by(chunks.c.version)
    )
    counts = {row.version: row.n for row in connection.execute(n_leaves)}
    return [
        Document(
            document_id=row.document_id,
            collection=row.collection,
            work=row.work_title,
            part=row.part,
            kind=row.kind,
            issuer=row.issuer,
            number=row.number,
            name=row.name,
            version_id=row.version_id,
            n_versions=len(rows),
            n_chunks=counts.get(row.ordinal, 0),
            effective_from=row.effective_from,
            effective_to=version_of(row).effective_to,
            validity_source=row.validity_source,
        )
        for rows in page
        for row in rows[:1]
    ]
