"""What a question reads: one snapshot of what may be returned, works by name, chunks by address, texts."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from ragsvc.errors import InvalidInput, NotFound
from ragsvc.records import Filters, IndexFilter, TableFrame, VersionStatus
from ragsvc.store.database import Database
from ragsvc.store.rows import Collection, ReadingNotes, Snapshot, StoredChunk, Version, VersionText, Work
from ragsvc.store.schema import chunks, collections, documents, head, versions, work_names, works

MAX_CACHED_FILTERS = 64

VERSION_COLUMNS = (
    versions.c.ordinal,
    versions.c.version_id,
    documents.c.document_id,
    collections.c.name.label("collection"),
    works.c.title,
    documents.c.part,
    versions.c.name,
    versions.c.promulgated,
    versions.c.effective_from,
    versions.c.effective_to,
    versions.c.superseded_from,
    versions.c.validity_source,
    versions.c.length,
    versions.c.notes,
    collections.c.time_zone,
)
VERSION_JOIN = (
    versions.join(documents, documents.c.ordinal == versions.c.document)
    .join(works, works.c.ordinal == documents.c.work)
    .join(collections, collections.c.ordinal == works.c.collection)
)
# Asked at every search: built here, because building a statement takes longer than running it.
_CHUNKS = sa.select(
    *VERSION_COLUMNS,
    chunks.c.ordinal.label("chunk"),
    chunks.c.chunk_id,
    chunks.c.kind.label("chunk_kind"),
    chunks.c.start,
    chunks.c.end,
    chunks.c.locator,
    chunks.c.address,
    chunks.c.heading_path,
    chunks.c.frame,
    documents.c.url,
    # SQLite's substr counts code points, as our offsets do.
    sa.func.substr(versions.c.text, chunks.c.start + 1, chunks.c.end - chunks.c.start).label("chunk_text"),
).select_from(VERSION_JOIN.join(chunks, chunks.c.version == versions.c.ordinal))
_LIVE_CHUNKS = _CHUNKS.where(chunks.c.ordinal.in_(sa.bindparam("wanted", expanding=True)), versions.c.state == "live")
_HEAD = sa.select(head)


def in_force(day: date) -> sa.ColumnElement[bool]:
    """The rule of validity: ``[from, to)``, null = always."""
    return sa.and_(
        versions.c.state == "live",
        sa.or_(versions.c.effective_from.is_(None), versions.c.effective_from <= day),
        sa.or_(versions.c.effective_to.is_(None), versions.c.effective_to > day),
        sa.or_(versions.c.superseded_from.is_(None), versions.c.superseded_from > day),
    )


def version_of(row: Any) -> Version:
    """A joined row of ``VERSION_COLUMNS`` as a record."""
    ends = [day for day in (row.effective_to, row.superseded_from) if day is not None]
    return Version(
        ordinal=row.ordinal,
        version_id=row.version_id,
        document_id=row.document_id,
        collection=row.collection,
        work=row.title,
        title=f"{row.title} {row.part}" if row.part else row.title,
        name=row.name,
        promulgated=row.promulgated,
        effective_from=row.effective_from,
        effective_to=min(ends) if ends else None,
        validity_source=row.validity_source,
        length=row.length,
        status=_status(row, datetime.now(ZoneInfo(row.time_zone)).date()),
        notes=msgspec.json.decode(row.notes, type=ReadingNotes),
    )


def _status(row: Any, today: date) -> VersionStatus:
    if row.superseded_from is not None and row.superseded_from <= today:
        return "superseded"
    if row.effective_to is not None and row.effective_to <= today:
        return "repealed"
    if row.effective_from is not None and row.effective_from > today:
        return "future"
    return "in force"


class Catalogue:
    """Read access to one home's database; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._filters: dict[tuple[Any, ...], IndexFilter] = {}
        self._lock = threading.Lock()

    def one_state(self) -> AbstractContextManager[object]:
        """Let everything that this thread reads inside belong to one state, whatever is committed meanwhile."""
        return self.database.read()

    def find_collections(self, names: Sequence[str]) -> list[Collection]:
        """Return the named collections in that order; no names means all. Counts are not filled.

        Raises:
            NotFound: a name is unknown; the message lists those that exist.
        """
        with self.database.read() as connection:
            return find_collections_by_name(connection, names)

    # --- snapshots ---

    def snapshot(
        self,
        names: Sequence[str],
        as_of: date | None = None,
        filters: Filters | None = None,
        works_only: Iterable[int] = (),
    ) -> Snapshot:
        """Read the current generation and, for the same instant, what a search of these collections may not return.

        Args:
            names: collections; empty = all.
            as_of: the day; None = today in each collection's time zone.
            filters: kinds and document ids to keep.
            works_only: ordinals of works to keep (``filters.works`` resolved by the caller); empty = all.

        Raises:
            NotFound: a collection is unknown.
        """
        filters = filters or Filters()
        with self.database.read() as connection:
            state = connection.execute(_HEAD).one()
            found = find_collections_by_name(connection, names)
            days = tuple(sorted((c.ordinal, as_of or datetime.now(ZoneInfo(c.time_zone)).date()) for c in found))
            key = (state.change_number, days, filters.kinds, filters.documents, tuple(works_only))
            with self._lock:
                where = self._filters.get(key)
            if where is None:
                where = _index_filter(connection, days, filters, tuple(works_only))
                with self._lock:
                    if len(self._filters) >= MAX_CACHED_FILTERS:
                        self._filters.clear()
                    self._filters[key] = where
        return Snapshot(generation_id=state.generation_id, change_number=state.change_number, where=where)

    def change_number(self) -> int:
        """Return the number of the last change that readers can see."""
        with self.database.read() as connection:
            return int(connection.execute(sa.select(head.c.change_number)).scalar_one())

    # --- works and addresses ---

    def find_works(self, where: IndexFilter, name_keys: Sequence[str]) -> list[Work]:
        """Return the works of these collections that are stored under any of the names, in the order of the names."""
        query = (
            sa.select(works, work_names.c.name_key)
            .join(work_names, work_names.c.work == works.c.ordinal)
            .where(work_names.c.collection.in_(where.collections), work_names.c.name_key.in_(name_keys))
        )
        rank = {key: position for position, key in enumerate(name_keys)}
        with self.database.read() as connection:
            rows = sorted(connection.execute(query), key=lambda row: (rank[row.name_key], row.ordinal))
        return list({row.ordinal: _work(row) for row in rows}.values())

    def work_titles(self, where: IndexFilter) -> list[Work]:
        """Return every work of these collections that has a live version."""
        live = (
            sa.select(documents.c.work)
            .join(versions, versions.c.document == documents.c.ordinal)
            .where(versions.c.state == "live")
        )
        query = sa.select(works).where(works.c.collection.in_(where.collections), works.c.ordinal.in_(live))
        with self.database.read() as connection:
            return [_work(row) for row in connection.execute(query.order_by(works.c.ordinal))]

    def work_name_keys(self, where: IndexFilter) -> dict[str, list[int]]:
        """Return every stored name of these collections' works: name key -> ordinals of works."""
        query = sa.select(work_names.c.name_key, work_names.c.work).where(
            work_names.c.collection.in_(where.collections)
        )
        found: dict[str, list[int]] = {}
        with self.database.read() as connection:
            for key, work in connection.execute(query.order_by(work_names.c.name_key, work_names.c.work)):
                found.setdefault(key, []).append(work)
        return found

    def chunks_at(self, work_ordinals: Sequence[int], address: str, where: IndexFilter) -> list[StoredChunk]:
        """Return the chunks with exactly this address in versions that ``where`` allows, parents included."""
        query = _CHUNKS.where(
            works.c.ordinal.in_(work_ordinals),
            chunks.c.address == address,
            chunks.c.address != "",  # says to SQLite that the partial index will do
            versions.c.state == "live",
        )
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(versions.c.ordinal, chunks.c.position)).all()
        return [_stored_chunk(row) for row in rows if row.ordinal not in where.excluded_versions]

    def last_address(self, work_ordinals: Sequence[int], where: IndexFilter) -> str:
        """Return the locator of the last article of a work, as a version in force has it; empty if none."""
        query = (
            sa.select(chunks.c.locator, versions.c.ordinal)
            .select_from(
                chunks.join(versions, versions.c.ordinal == chunks.c.version).join(
                    documents, documents.c.ordinal == versions.c.document
                )
            )
            .where(
                documents.c.work.in_(work_ordinals),
                versions.c.state == "live",
                chunks.c.kind == "article",
                chunks.c.address != "",
            )
            .order_by(sa.cast(chunks.c.address, sa.Integer).desc(), chunks.c.position.desc())
        )
        with self.database.read() as connection:
            for row in connection.execute(query):
                if row.ordinal not in where.excluded_versions:
                    return str(row.locator)
        return ""

    # --- chunks and texts ---

    def read_chunks(self, ordinals: Sequence[int]) -> list[StoredChunk]:
        """Return these chunks in this order; those that were removed meanwhile are left out."""
        with self.database.read() as connection:
            found = {row.chunk: _stored_chunk(row) for row in connection.execute(_LIVE_CHUNKS, {"wanted": ordinals})}
        return [found[ordinal] for ordinal in ordinals if ordinal in found]

    def version_text(self, version_id: str, start: int = 0, end: int | None = None) -> VersionText:
        """Return ``text[start:end]`` of a version, in force or not.

        Raises:
            NotFound: no such version, or it was removed.
            InvalidInput: the range is not inside the text.
        """
        with self.database.read() as connection:
            row = connection.execute(
                sa.select(*VERSION_COLUMNS, versions.c.text)
                .select_from(VERSION_JOIN)
                .where(versions.c.version_id == version_id, versions.c.state.in_(("live", "inactive")))
                .order_by(versions.c.state.desc(), versions.c.ordinal.desc())
            ).first()
        if row is None:
            raise NotFound(f"no version {version_id!r}: it was never here or was removed")
        end = row.length if end is None else end
        if not 0 <= start <= end <= row.length:
            raise InvalidInput(f"range {start}:{end} is outside version {version_id} of {row.length} characters")
        return VersionText(version=version_of(row), text=row.text[start:end], start=start, end=end)


def is_open() -> sa.ColumnElement[bool]:
    """Whether anything was ever committed to a collection: one that a writer has only just made is not there yet."""
    return sa.exists().where(versions.c.collection == collections.c.ordinal, versions.c.added_change.is_not(None))


_OPEN_COLLECTIONS = sa.select(collections).where(is_open()).order_by(collections.c.name)


def find_collections_by_name(connection: sa.Connection, names: Sequence[str]) -> list[Collection]:
    """Return the named collections in that order; no names means all. Raises NotFound with the names that exist."""
    rows = {row.name: row for row in connection.execute(_OPEN_COLLECTIONS)}
    for name in names:
        if name not in rows:
            known = ", ".join(rows) or "none yet: 'ragsvc ingest PATH --collection NAME' makes one"
            raise NotFound(f"no collection {name!r}; there are: {known}")
    return [
        Collection(
            ordinal=row.ordinal,
            name=row.name,
            domain=row.domain,
            time_zone=row.time_zone,
            model=row.model,
            strategy=row.strategy,
            abstention=row.abstention,
        )
        for row in (rows[name] for name in (names or rows))
    ]


def _index_filter(
    connection: sa.Connection, days: tuple[tuple[int, date], ...], filters: Filters, works_only: tuple[int, ...]
) -> IndexFilter:
    allowed = [sa.and_(versions.c.collection == ordinal, in_force(day)) for ordinal, day in days]
    keep: list[sa.ColumnElement[bool]] = [sa.or_(sa.false(), *allowed)]
    if filters.kinds:
        keep.append(works.c.kind.in_(filters.kinds))
    if filters.documents:
        keep.append(documents.c.document_id.in_(filters.documents))
    if works_only:
        keep.append(works.c.ordinal.in_(works_only))
    query = (
        sa.select(versions.c.ordinal)
        .select_from(
            versions.join(documents, documents.c.ordinal == versions.c.document).join(
                works, works.c.ordinal == documents.c.work
            )
        )
        .where(versions.c.collection.in_([ordinal for ordinal, _ in days]), sa.not_(sa.and_(*keep)))
    )
    return IndexFilter(
        collections=frozenset(ordinal for ordinal, _ in days),
        excluded_versions=frozenset(connection.execute(query).scalars()),
    )


def _work(row: Any) -> Work:
    return Work(
        ordinal=row.ordinal,
        work_id=row.work_id,
        collection=row.collection,
        title=row.title,
        kind=row.kind,
        issuer=row.issuer,
        number=row.number,
    )


def _stored_chunk(row: Any) -> StoredChunk:
    return StoredChunk(
        ordinal=row.chunk,
        chunk_id=row.chunk_id,
        version=version_of(row),
        kind=row.chunk_kind,
        start=row.start,
        end=row.end,
        locator=row.locator,
        address=row.address,
        heading_path=tuple(msgspec.json.decode(row.heading_path)),
        text=row.chunk_text,
        url=row.url,
        frame=msgspec.json.decode(row.frame, type=TableFrame) if row.frame else None,
    )
