"""Writing an ingest: rows are staged batch by batch and go live, all together, in one transaction.

A process that dies before ``commit`` leaves staged rows, which nobody reads and the next writer discards;
the vectors it computed stay and are not computed again. Callers hold the writer lock.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import sqlalchemy as sa
from msgspec import Struct
from numpy.typing import NDArray

from ragsvc.records import Chunk, DocumentFacts, LoadedDocument
from ragsvc.store import identity
from ragsvc.store.catalogue import is_open
from ragsvc.store.changes import Inherit, bump_change_number, empty_versions, inherit_dates, order_versions
from ragsvc.store.database import Database
from ragsvc.store.rows import Collection, ReadingNotes, ReadPage
from ragsvc.store.schema import (
    chunk_vectors,
    chunks,
    collections,
    documents,
    generations,
    head,
    vectors,
    versions,
    work_names,
    works,
)

_ROWS_AT_ONCE = 4000

# Asked once a document: built here, because building a statement takes longer than running it.
_WORK = sa.select(works.c.ordinal).where(works.c.work_id == sa.bindparam("work_id"))
_DOCUMENT = sa.select(documents.c.ordinal).where(documents.c.document_id == sa.bindparam("document_id"))
_VERSION = sa.select(versions.c.ordinal).where(
    versions.c.version_id == sa.bindparam("version_id"),
    versions.c.chunked_by == sa.bindparam("chunked_by"),
    versions.c.state.in_(("live", "staged")),
)
_LAST_CHUNK = sa.select(sa.func.coalesce(sa.func.max(chunks.c.ordinal), 0))
_NEW_WORK, _NEW_DOCUMENT, _NEW_VERSION = works.insert(), documents.insert(), versions.insert()
_NEW_CHUNKS, _NEW_LINKS = chunks.insert(), chunk_vectors.insert()


class StagedDocument(Struct, frozen=True, kw_only=True):
    """A document ready to be stored. ``windows[i]``: the texts embedded for ``chunks[i]``; empty: not searchable."""

    document: LoadedDocument
    facts: DocumentFacts
    chunks: tuple[Chunk, ...]
    windows: tuple[tuple[str, ...], ...]
    work_key: str
    name_keys: tuple[str, ...]
    document_key: str
    """What tells this document from the others of its work: the part's name, or the file's."""
    chunked_by: str
    url: str | None = None


class Staging:
    """The writer's side of the catalogue for one job."""

    def __init__(self, database: Database, job_id: str, embedder_id: str) -> None:
        self._database = database
        self._job_id = job_id
        self._embedder_id = embedder_id
        self._last_chunk = 0
        # What a commit changes of works and versions that readers see already: nothing of it before.
        self._work_facts: dict[int, dict[str, str]] = {}
        self._work_names: dict[tuple[int, str, int], None] = {}
        self._restated: dict[int, date | None] = {}

    # --- before ---

    def discard_leftovers(self) -> int:
        """Drop rows that a dead writer staged; return how many versions that were."""
        with self._database.write() as connection:
            left = connection.execute(sa.select(versions.c.ordinal).where(versions.c.state == "staged")).scalars().all()
            empty_versions(connection, left)
        return len(left)

    def open_collection(self, name: str, domain: str, time_zone: str) -> Collection:
        """Return the collection; if it is new, it is there for readers with the first commit.

        Its domain and time zone are kept if it exists.
        """
        this = collections.c.name == name
        with self._database.write() as connection:
            values = {"domain": domain, "time_zone": time_zone, "model": "", "created_at": time.time()}
            if connection.execute(sa.select(collections.c.ordinal).where(this)).first() is None:
                connection.execute(collections.insert().values(name=name, **values))
            else:
                connection.execute(collections.update().where(this, sa.not_(is_open())).values(**values))
            row = connection.execute(sa.select(collections).where(this)).one()
        return Collection(
            ordinal=row.ordinal, name=row.name, domain=row.domain, time_zone=row.time_zone, model=row.model
        )

    def live_sources(self, collection: Collection) -> dict[tuple[str, str], int]:
        """Return the versions that need no reading again: (SHA-256 of the file, chunker) -> version ordinal."""
        query = sa.select(versions.c.source_sha256, versions.c.chunked_by, versions.c.ordinal).where(
            versions.c.collection == collection.ordinal, versions.c.state == "live"
        )
        with self._database.read() as connection:
            return {(row.source_sha256, row.chunked_by): row.ordinal for row in connection.execute(query)}

    def missing_vectors(self, texts: Iterable[str]) -> list[str]:
        """Return the distinct texts that have no stored vector yet, in order."""
        by_key = {identity.embedding_key(self._embedder_id, text): text for text in texts}
        found: set[bytes] = set()
        keys = list(by_key)
        with self._database.read() as connection:
            for at in range(0, len(keys), 5000):
                query = sa.select(vectors.c.embedding_key).where(vectors.c.embedding_key.in_(keys[at : at + 5000]))
                found.update(connection.execute(query).scalars())
        return [text for key, text in by_key.items() if key not in found]

    # --- during ---

    def stage(
        self, collection: Collection, batch: Sequence[StagedDocument], embedded: dict[str, NDArray[np.float32]]
    ) -> list[bool]:
        """Write one batch of documents and the vectors computed for it, in one transaction.

        Returns:
            Which documents were new; one whose text is live already (under the same work) is left alone.
        """
        with self._database.write() as connection:
            self._insert_vectors(connection, embedded)
            self._last_chunk = int(connection.execute(_LAST_CHUNK).scalar_one())
            return [self._stage_one(connection, collection, item) for item in batch]

    def add_windows(
        self, windows: Sequence[tuple[int, Sequence[str]]], embedded: dict[str, NDArray[np.float32]]
    ) -> None:
        """Give chunks that are there already (ordinal, texts) the vectors of this embedder, beside any other's."""
        links = [link for chunk, texts in windows for link in self._links(chunk, texts)]
        with self._database.write() as connection:
            self._insert_vectors(connection, embedded)
            if links:
                connection.execute(chunk_vectors.insert().prefix_with("OR IGNORE"), links)

    def _insert_vectors(self, connection: sa.Connection, embedded: dict[str, NDArray[np.float32]]) -> None:
        rows = (
            {
                "embedding_key": identity.embedding_key(self._embedder_id, text),
                "embedder_id": self._embedder_id,
                "vector": vector.astype("<f2").tobytes(),
            }
            for text, vector in embedded.items()
        )
        _insert(connection, vectors.insert().prefix_with("OR IGNORE"), rows)

    def _links(self, chunk: int, texts: Sequence[str]) -> list[dict[str, Any]]:
        return [
            {"chunk": chunk, "window": window, "embedding_key": identity.embedding_key(self._embedder_id, text)}
            for window, text in enumerate(texts)
        ]

    def _stage_one(self, connection: sa.Connection, collection: Collection, item: StagedDocument) -> bool:
        work = self._open_work(connection, collection, item)
        document_id = identity.document_id(collection.name, item.work_key, item.document_key)
        document = connection.execute(_DOCUMENT, {"document_id": document_id}).scalar()
        if document is None:
            values = {"document_id": document_id, "work": work, "part": item.facts.part, "url": item.url}
            document = _inserted(connection, _NEW_DOCUMENT, values)
        version_id = identity.version_id(document_id, item.document.text)
        known = connection.execute(_VERSION, {"version_id": version_id, "chunked_by": item.chunked_by}).scalar()
        if known is not None:
            if item.facts.validity_source == "given":
                self.restate(known, item.facts.effective_from)
            return False
        values = {
            "version_id": version_id,
            "document": document,
            "collection": collection.ordinal,
            "state": "staged",
            "name": item.document.name,
            "text": item.document.text,
            "length": len(item.document.text),
            "media_type": item.document.media_type,
            "language": item.facts.language,
            "source_sha256": item.document.source_sha256,
            "chunked_by": item.chunked_by,
            "promulgated": item.facts.promulgated,
            "effective_from": item.facts.effective_from,
            "effective_to": item.facts.effective_to,
            "validity_source": item.facts.validity_source,
            "job_id": self._job_id,
            "created_at": time.time(),
            "notes": msgspec.json.encode(_notes(item.document)).decode(),
            "facts": msgspec.json.encode(item.document.facts).decode(),
        }
        version = _inserted(connection, _NEW_VERSION, values)
        self._insert_chunks(connection, version, version_id, item)
        return True

    def _open_work(self, connection: sa.Connection, collection: Collection, item: StagedDocument) -> int:
        work_id = identity.work_id(collection.name, item.work_key)
        work = connection.execute(_WORK, {"work_id": work_id}).scalar()
        facts = {"kind": item.facts.kind, "issuer": item.facts.issuer, "number": item.facts.number}
        if work is None:
            values = {"work_id": work_id, "collection": collection.ordinal, "title": item.facts.title, **facts}
            work = _inserted(connection, _NEW_WORK, values)
        else:
            # A later file may state what an earlier one did not; what is known is never blanked.
            known = {name: value for name, value in facts.items() if value}
            self._work_facts[work] = self._work_facts.get(work, {}) | known
        self._work_names.update(dict.fromkeys((collection.ordinal, key, int(work)) for key in item.name_keys))
        return int(work)

    def _insert_chunks(self, connection: sa.Connection, version: int, version_id: str, item: StagedDocument) -> None:
        first = self._last_chunk + 1
        self._last_chunk += len(item.chunks)
        rows = (
            {
                "ordinal": first + position,
                "chunk_id": identity.chunk_id(version_id, chunk.start, chunk.end),
                "version": version,
                "position": position,
                "kind": chunk.kind,
                "start": chunk.start,
                "end": chunk.end,
                "locator": chunk.locator,
                "address": chunk.address,
                "heading_path": msgspec.json.encode(chunk.heading_path).decode(),
                "is_leaf": chunk.is_leaf,
                "is_searchable": chunk.is_searchable,
                "parent": chunk.parent,
                "frame": msgspec.json.encode(chunk.frame).decode() if chunk.frame else None,
            }
            for position, chunk in enumerate(item.chunks)
        )
        links = (
            link for position, windows in enumerate(item.windows) for link in self._links(first + position, windows)
        )
        _insert(connection, _NEW_CHUNKS, rows)
        _insert(connection, _NEW_LINKS, links)

    def restate(self, version: int, effective_from: date | None) -> None:
        """Give a version that is live already another first day when the job is committed."""
        self._restated[version] = effective_from

    # --- after ---

    def has_staged(self) -> bool:
        """Whether there is anything to commit."""
        with self._database.read() as connection:
            return (
                connection.execute(sa.select(versions.c.ordinal).where(versions.c.state == "staged")).first()
                is not None
            )

    def next_change_number(self) -> int:
        """Return the change number that a commit now would get."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(head.c.change_number)).scalar_one()) + 1

    def inferred(self) -> list[tuple[str, str, date | None]]:
        """Return (file name, title, first day in force) of this job's live versions whose day was inferred."""
        query = (
            sa.select(versions.c.name, works.c.title, versions.c.effective_from)
            .join(documents, documents.c.ordinal == versions.c.document)
            .join(works, works.c.ordinal == documents.c.work)
            .where(
                versions.c.job_id == self._job_id,
                versions.c.state == "live",
                versions.c.validity_source == "inferred",
            )
            .order_by(versions.c.ordinal)
        )
        with self._database.read() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def commit(self, generation_id: str, n_chunks: int, inherit: Inherit | None = None) -> int:
        """Make the staged rows live and move the pointer to the new generation: THE commit point.

        Args:
            generation_id: the new generation, complete on disk.
            n_chunks: how many chunks it holds.
            inherit: what parts of one work owe each other (facts of a part, facts of all parts) -> facts.

        Returns:
            The new change number.
        """
        with self._database.write() as connection:
            base = connection.execute(
                sa.select(generations.c.change_number).join(head, head.c.generation_id == generations.c.generation_id)
            ).scalar()
            change = bump_change_number(connection)
            # A branch that a rollback left behind is given up by going on from the older generation.
            abandoned = sa.select(versions.c.ordinal).where(
                versions.c.state == "inactive", versions.c.added_change > (base or 0)
            )
            empty_versions(connection, connection.execute(abandoned).scalars().all())
            # What that branch had replaced is replaced by nothing now.
            is_back = sa.and_(versions.c.state == "live", versions.c.replaced_change.is_not(None))
            connection.execute(versions.update().where(is_back).values(replaced_change=None))
            is_staged = versions.c.state == "staged"
            ordinals = list(connection.execute(sa.select(versions.c.ordinal).where(is_staged)).scalars())
            coming = versions.alias()
            comes_again = versions.c.version_id.in_(sa.select(coming.c.version_id).where(coming.c.state == "staged"))
            replaced = sa.and_(versions.c.state == "live", comes_again)
            connection.execute(versions.update().where(replaced).values(state="inactive", replaced_change=change))
            connection.execute(versions.update().where(is_staged).values(state="live", added_change=change))
            self._write_facts(connection)
            ordinals += self._write_validity(connection)
            if inherit:
                ordinals = [*ordinals, *inherit_dates(connection, ordinals, inherit)]
            order_versions(connection, ordinals)
            record_generation(connection, generation_id, self._embedder_id, change, n_chunks)
        return change

    def commit_validity(self) -> None:
        """Make what was restated count where nothing was staged: no new generation is needed for that."""
        with self._database.write() as connection:
            if changed := self._write_validity(connection):
                order_versions(connection, changed)
                bump_change_number(connection)

    def _write_facts(self, connection: sa.Connection) -> None:
        for work, facts in self._work_facts.items():
            if facts:
                connection.execute(works.update().where(works.c.ordinal == work).values(**facts))
        names = [dict(zip(("collection", "name_key", "work"), name, strict=True)) for name in self._work_names]
        if names:
            connection.execute(work_names.insert().prefix_with("OR IGNORE"), names)

    def _write_validity(self, connection: sa.Connection) -> list[int]:
        changed = []
        for version, day in self._restated.items():
            given = {"effective_from": day, "validity_source": "given"}
            differs = sa.or_(versions.c.effective_from.is_distinct_from(day), versions.c.validity_source != "given")
            update = versions.update().where(versions.c.ordinal == version, versions.c.state == "live", differs)
            if connection.execute(update.values(**given)).rowcount:
                changed.append(version)
        return changed


def record_generation(
    connection: sa.Connection, generation_id: str, embedder_id: str, change_number: int, n_chunks: int
) -> None:
    """Make a generation the current one."""
    connection.execute(
        generations.insert().values(
            generation_id=generation_id,
            embedder_id=embedder_id,
            change_number=change_number,
            n_chunks=n_chunks,
            created_at=time.time(),
        )
    )
    connection.execute(head.update().values(generation_id=generation_id))


def _notes(document: LoadedDocument) -> ReadingNotes:
    pages = (
        ReadPage(page=block.page, confidence=block.confidence, start=block.start, end=block.end)
        for block in document.blocks
        if block.page is not None and block.confidence is not None
    )
    return ReadingNotes(pages=tuple(pages), warnings=document.warnings)


def _insert(connection: sa.Connection, statement: sa.Insert, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows a few thousand at a time: those of a very long document would take more memory than it does."""
    waiting = iter(rows)
    while some := list(islice(waiting, _ROWS_AT_ONCE)):
        connection.execute(statement, some)


def _inserted(connection: sa.Connection, insert: sa.Insert, values: dict[str, Any]) -> int:
    key = connection.execute(insert, values).inserted_primary_key
    assert key is not None  # every table that is inserted row by row has an integer key
    return int(key[0])
