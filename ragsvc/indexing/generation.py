"""One index generation: an immutable directory with both arms, derived from the catalogue.

- ``manifest.json``: what every file must be
- ``lexical/``: tantivy segments; unchanged ones are hard links into the previous generation
- ``vectors.npy``: float16 (n_vectors, dim), as the catalogue stores them; windows of a chunk blended with its whole
- ``vectors.faiss``: row i is ``vectors.npy[i]``
- ``vector_position.npy``: ``vectors.npy[i]`` belongs to chunk number ``vector_position[i]``
- ``chunk.npy version.npy collection.npy``: catalogue ordinals of chunk number j
- ``in-use``: readers hold a shared lock on it
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import portalocker
from msgspec import Struct
from numpy.typing import NDArray

from ragsvc.errors import IndexDamaged, NotFound
from ragsvc.indexing.dense import DenseSearcher, RowFilter
from ragsvc.indexing.lexical import LexicalFilter, LexicalSearcher
from ragsvc.indexing.manifest import MANIFEST, REBUILD, Manifest, check_files, read_manifest
from ragsvc.indexing.tokens import TOKENIZER_VERSION
from ragsvc.protocols import FloatArray
from ragsvc.records import IndexFilter, ScoredChunk

LEXICAL = "lexical"
FAISS_FILE = "vectors.faiss"
IN_USE = "in-use"
COLUMNS = ("chunk", "version", "collection", "vectors", "vector_position")
MAX_CACHED_FILTERS = 64
# From this share of allowed chunks on, keywords are searched without a filter and the hits sieved.
SIEVE_SHARE = 0.6


def verify_generation(directory: Path) -> list[IndexDamaged]:
    """Check every file by full hash, and that the parts belong together; return what is wrong, each naming its file."""
    try:
        manifest = read_manifest(directory)
    except IndexDamaged as error:
        return [error]
    reason = ""
    if manifest.generation_id != directory.name:
        reason = f"is the manifest of generation {manifest.generation_id}"
    elif manifest.tokenizer_version != TOKENIZER_VERSION:
        reason = f"made by tokenizer {manifest.tokenizer_version}, this program has {TOKENIZER_VERSION}"
    if reason:
        return [IndexDamaged(str(directory / MANIFEST), f"{reason}; {REBUILD}")]
    return check_files(directory, manifest)


def open_generation(directory: Path) -> Generation:
    """Open a generation for reading, after a full check.

    Raises:
        NotFound: there is no such generation (any more).
        IndexDamaged: a file is not what the manifest says; ``path`` names it.
    """
    lock = _hold(directory)
    try:
        damage = verify_generation(directory)
        if damage:
            raise damage[0]
        return Generation(directory, read_manifest(directory), lock)
    except BaseException:
        lock.close()
        raise


def _hold(directory: Path) -> IO[Any]:
    """Take the shared lock that keeps a sweep away."""
    gone = f"no index generation {directory.name!r} in {directory.parent}; see 'ragsvc index list'"
    if not directory.is_dir():
        raise NotFound(gone)
    lock = (directory / IN_USE).open("a")
    portalocker.lock(lock, portalocker.LockFlags.SHARED)
    # A sweep may have renamed the directory between the two lines above.
    if not directory.is_dir():
        lock.close()
        raise NotFound(gone)
    return lock


class _Allowed(Struct, frozen=True):
    """An IndexFilter in the terms of both arms."""

    rows: RowFilter
    lexical: LexicalFilter
    n_chunks: int


class Generation:
    """An open generation: the Index of ``protocols.py``. Made by ``open_generation``; safe to share between threads."""

    def __init__(self, directory: Path, manifest: Manifest, lock: IO[Any]) -> None:
        self.manifest = manifest
        weakref.finalize(self, lock.close)  # held for as long as anyone can search
        self._directory = directory
        self._chunk = self._column("chunk")
        self._version = self._column("version")
        self._collection = self._column("collection")
        self._position = self._column("vector_position")
        vectors = self._column("vectors")
        self._dense = DenseSearcher(directory / FAISS_FILE, vectors)
        self._lexical = LexicalSearcher(directory / LEXICAL)
        self._check_shapes(vectors.shape)
        self._filters: dict[IndexFilter, _Allowed] = {}
        self._filters_lock = threading.Lock()

    @property
    def generation_id(self) -> str:
        """Name of the directory."""
        return self.manifest.generation_id

    def search_lexical(self, query: str, k: int, where: IndexFilter) -> list[ScoredChunk]:
        """Return the k best chunks by BM25, best first."""
        allowed = self._allowed(where)
        return self._lexical.search(query, k, allowed.lexical) if allowed.n_chunks else []

    def count(self, where: IndexFilter) -> int:
        """Return how many chunks a search may return."""
        return self._allowed(where).n_chunks

    def search_dense(self, query: FloatArray, k: int, where: IndexFilter) -> list[ScoredChunk]:
        """Return the k best chunks by cosine with ``query`` of shape (dim,), best first; a zero query finds nothing."""
        if not query.any():
            return []
        query = np.ascontiguousarray(query, dtype=np.float32)
        allowed = self._allowed(where)
        # Chunks of several windows come several times; a second scan would cost as much as the first.
        wanted = 2 * k
        while True:
            rows, scores = self._dense.search(query, wanted, allowed.rows)
            positions, first = np.unique(self._position[rows], return_index=True)
            # Rows come best first: the first of a chunk's windows is its best.
            if len(positions) >= min(k, allowed.n_chunks) or len(rows) < wanted:
                break
            wanted *= 4
        best = first[np.lexsort((self._chunk[positions], -scores[first]))][:k]
        return [
            ScoredChunk(int(chunk), float(score))
            for chunk, score in zip(self._chunk[self._position[rows[best]]], scores[best], strict=True)
        ]

    def score_dense(self, query: FloatArray, chunks: Sequence[int]) -> list[float]:
        """Return the cosine of each of these chunks, which the generation holds, with ``query`` of shape (dim,)."""
        positions = np.searchsorted(self._chunk, np.array(chunks, np.int64))
        first = np.searchsorted(self._position, positions, side="left")
        count = np.searchsorted(self._position, positions, side="right") - first
        starts = np.cumsum(count) - count
        rows = np.repeat(first - starts, count) + np.arange(count.sum())
        scores = self._dense.score(rows, query)
        best: list[float] = np.maximum.reduceat(scores, starts).tolist() if len(scores) else []
        return best

    def _column(self, name: str) -> NDArray[Any]:
        path = self._directory / f"{name}.npy"
        # The columns are small and used at every search; the vectors are mapped.
        column: NDArray[Any] = np.load(path, mmap_mode="r" if name == "vectors" else None, allow_pickle=False)
        return column

    def _check_shapes(self, vectors: tuple[int, ...]) -> None:
        manifest, n_chunks, n_vectors = self.manifest, self.manifest.n_chunks, self.manifest.n_vectors
        found: dict[str, tuple[object, object]] = {
            "chunk.npy": (self._chunk.shape, (n_chunks,)),
            "version.npy": (self._version.shape, (n_chunks,)),
            "collection.npy": (self._collection.shape, (n_chunks,)),
            "vector_position.npy": (self._position.shape, (n_vectors,)),
            "vectors.npy": (vectors, (n_vectors, manifest.dim)),
            FAISS_FILE: (self._dense.shape, (n_vectors, manifest.dim)),
            LEXICAL: (self._lexical.n_documents, n_chunks),
        }
        for name, (is_, should_be) in found.items():
            if is_ != should_be:
                reason = f"holds {is_}, the manifest says {should_be}; {REBUILD}"
                raise IndexDamaged(str(self._directory / name), reason)

    # --- filters ---

    def _allowed(self, where: IndexFilter) -> _Allowed:
        with self._filters_lock:
            found = self._filters.get(where)
        if found is None:
            found = self._translate(where)
            with self._filters_lock:
                if len(self._filters) >= MAX_CACHED_FILTERS:
                    self._filters.clear()
                self._filters[where] = found
        return found

    def _translate(self, where: IndexFilter) -> _Allowed:
        in_collections = np.isin(self._collection, np.array(sorted(where.collections), self._collection.dtype))
        excluded = np.isin(self._version, np.array(sorted(where.excluded_versions), self._version.dtype))
        mask = in_collections & ~excluded
        kept = np.unique(self._version[mask])
        dropped = np.unique(self._version[in_collections & excluded])

        def sieve(chunks: Sequence[int]) -> NDArray[np.bool_]:
            passed: NDArray[np.bool_] = mask[np.searchsorted(self._chunk, np.array(chunks, np.int64))]
            return passed

        n_chunks = int(np.count_nonzero(mask))
        is_most = n_chunks >= SIEVE_SHARE * len(mask)
        by_collection = len(kept) >= len(dropped)  # the smaller set of versions makes the cheaper query
        lexical = LexicalFilter(
            collections=tuple(sorted(where.collections)) if by_collection and not in_collections.all() else None,
            without_versions=tuple(dropped.tolist()) if by_collection and len(dropped) else None,
            only_versions=None if by_collection else tuple(kept.tolist()),
            sieve=sieve if is_most and n_chunks < len(mask) else None,
        )
        return _Allowed(RowFilter(mask[self._position]), lexical, n_chunks)
