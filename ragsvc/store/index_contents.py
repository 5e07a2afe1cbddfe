"""What an index generation is made of, read from the catalogue: columns, vectors and the texts that are new."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import sqlalchemy as sa
from msgspec import Struct
from numpy.typing import NDArray

from ragsvc.errors import IndexMismatch
from ragsvc.store.database import Database
from ragsvc.store.schema import chunk_vectors, chunks, documents, vectors, versions, works


class Columns(Struct, frozen=True, kw_only=True):
    """Arrays of one entry per searchable chunk, in ordinal order, and their vectors."""

    chunk: NDArray[np.int64]
    version: NDArray[np.int32]
    collection: NDArray[np.int32]
    vectors: NDArray[np.float16]
    """Shape (n_vectors, dim), unit length."""
    vector_position: NDArray[np.int64]
    """Shape (n_vectors,): which entry of ``chunk`` each vector belongs to, ascending."""


class IndexedText(Struct, frozen=True, kw_only=True):
    """A chunk as the keyword index takes it in."""

    chunk: int
    version: int
    collection: int
    title: str
    heading: str
    text: str


# Asked once a version: built here, because building a statement takes longer than running it.
_SEARCHABLE = (
    sa.select(chunks.c.ordinal, chunks.c.start, chunks.c.end, chunks.c.heading_path)
    .where(chunks.c.version == sa.bindparam("of_version"), chunks.c.is_searchable)
    .order_by(chunks.c.position)
)
_IN_INDEX = versions.c.state.in_(("live", "staged"))


class IndexContents:
    """Reads what the next generation holds: everything live or staged. All of it is read in one ``Database.read``."""

    def __init__(self, database: Database, embedder_id: str, dim: int) -> None:
        self._database = database
        self.embedder_id = embedder_id
        self.dim = dim

    def columns(self) -> Columns:
        """Return the columns of all searchable chunks.

        Raises:
            IndexMismatch: chunks lack vectors of this embedder.
        """
        rows_query = (
            sa.select(chunks.c.ordinal, chunks.c.version, versions.c.collection)
            .join(versions, versions.c.ordinal == chunks.c.version)
            .where(chunks.c.is_searchable, _IN_INDEX)
            .order_by(chunks.c.ordinal)
        )
        vectors_query = (
            sa.select(chunk_vectors.c.chunk, vectors.c.vector)
            .join(vectors, vectors.c.embedding_key == chunk_vectors.c.embedding_key)
            .join(chunks, chunks.c.ordinal == chunk_vectors.c.chunk)
            .join(versions, versions.c.ordinal == chunks.c.version)
            .where(chunks.c.is_searchable, _IN_INDEX, vectors.c.embedder_id == self.embedder_id)
            .order_by(chunk_vectors.c.chunk, chunk_vectors.c.window)
        )
        with self._database.read() as connection:
            table = np.array(connection.execute(rows_query).all(), dtype=np.int64).reshape(-1, 3)
            found = connection.execute(vectors_query).all()
        owners = np.fromiter((row[0] for row in found), dtype=np.int64, count=len(found))
        data = b"".join(row[1] for row in found)
        lacking = np.setdiff1d(table[:, 0], owners)
        if lacking.size:
            raise IndexMismatch(
                f"{lacking.size} of {len(table)} chunks have no vector of embedder {self.embedder_id!r}: "
                f"embed them with 'ragsvc index rebuild --embedder NAME'"
            )
        return Columns(
            chunk=table[:, 0],
            version=table[:, 1].astype(np.int32),
            collection=table[:, 2].astype(np.int32),
            vectors=np.frombuffer(data, dtype="<f2").reshape(len(found), self.dim),
            vector_position=np.searchsorted(table[:, 0], owners),
        )

    def texts(self, *, staged_only: bool) -> Iterator[IndexedText]:
        """Yield searchable chunks for the keyword index: those staged now, or all."""
        state = versions.c.state == "staged" if staged_only else _IN_INDEX
        query = (
            sa.select(versions.c.ordinal, versions.c.collection, versions.c.text, works.c.title, documents.c.part)
            .join(documents, documents.c.ordinal == versions.c.document)
            .join(works, works.c.ordinal == documents.c.work)
            .where(state)
            .order_by(versions.c.ordinal)
        )
        with self._database.read() as connection:
            for version in connection.execute(query.execution_options(yield_per=256)):
                yield from self._texts_of(connection, version)

    @staticmethod
    def _texts_of(connection: sa.Connection, version: Any) -> Iterator[IndexedText]:
        for row in connection.execute(_SEARCHABLE, {"of_version": version.ordinal}).all():
            heading = " ".join(msgspec.json.decode(row.heading_path))
            yield IndexedText(
                chunk=row.ordinal,
                version=version.ordinal,
                collection=version.collection,
                title=version.title,
                heading=f"{version.part} {heading}".strip(),
                text=version.text[row.start : row.end],
            )


class TextToEmbed(Struct, frozen=True):
    """A searchable chunk with what is embedded for it."""

    chunk: int
    title: str
    part: str
    heading_path: tuple[str, ...]
    text: str


def texts_to_embed(database: Database) -> list[TextToEmbed]:
    """Return all live searchable chunks, for an embedder that is new to this home."""
    query = (
        sa.select(
            chunks.c.ordinal,
            works.c.title,
            documents.c.part,
            chunks.c.heading_path,
            sa.func.substr(versions.c.text, chunks.c.start + 1, chunks.c.end - chunks.c.start).label("text"),
        )
        .join(versions, versions.c.ordinal == chunks.c.version)
        .join(documents, documents.c.ordinal == versions.c.document)
        .join(works, works.c.ordinal == documents.c.work)
        .where(chunks.c.is_searchable, versions.c.state == "live")
        .order_by(chunks.c.ordinal)
    )
    with database.read() as connection:
        return [
            TextToEmbed(row.ordinal, row.title, row.part, tuple(msgspec.json.decode(row.heading_path)), row.text)
            for row in connection.execute(query)
        ]
