"""The vector arm: exact inner products over the stored vectors, by faiss or, for few rows, by numpy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ragsvc.errors import SettingsError
from ragsvc.protocols import FloatArray

if TYPE_CHECKING:
    import faiss

FACTORIES = ("Flat", "SQfp16", "SQ8")
"""faiss factory strings that can be chosen. Flat: float32. SQfp16: half of it and as exact, for so the vectors are
kept; half the time, too (58,636 x 256: 2.3 against 4.5 ms). SQ8: a quarter, its hits scored again; 3.6 ms."""
# Below this many allowed rows it is faster to multiply just them than to scan all with a filter.
GATHER_ROWS = 2000
RESCORE_FACTOR = 2
# faiss and numpy sum in different orders: rounded, both give one text one score. Ties are broken by row.
SCORE_DECIMALS = 6
TIE_MARGIN = 16
# nDCG@10 of the vector arm without and with: health pages .76 -> .81, papers .51 -> .53, lay questions on statutes
# .39 -> .40; privacy policies .24 -> .23, filings .15 -> .14.
WHOLE_WEIGHT = 0.5


def blend_windows(vectors: NDArray[np.float16], position: NDArray[np.int64]) -> NDArray[np.float16]:
    """Return for each window of a chunk the mean of its own vector and, at ``WHOLE_WEIGHT``, the whole chunk's.

    A chunk scores as its best window; by this, as its best window in the light of all of it. The whole's vector is
    the mean of the windows'. A chunk of one window keeps its vector; the others get a length under 1.

    Args:
        vectors: shape (n_vectors, dim), unit length.
        position: shape (n_vectors,), ascending: which chunk each vector belongs to.
    """
    _, owners, counts = np.unique(position, return_inverse=True, return_counts=True)
    several = np.flatnonzero(counts[owners] > 1)
    if not len(several):
        return vectors
    windows = vectors[several].astype(np.float32)
    starts = np.flatnonzero(np.diff(owners[several], prepend=-1))
    wholes = np.add.reduceat(windows, starts, axis=0)
    wholes /= np.maximum(np.linalg.norm(wholes, axis=1, keepdims=True), 1e-9)
    windows += WHOLE_WEIGHT * np.repeat(wholes, np.diff(starts, append=len(several)), axis=0)
    blended = vectors.copy()
    blended[several] = (windows / (1 + WHOLE_WEIGHT)).astype(np.float16)
    return blended


def write_vectors(path: Path, vectors: NDArray[np.float16], factory: str) -> None:
    """Write a faiss index whose row i is ``vectors[i]``; the same vectors give the same file.

    Raises:
        SettingsError: ``factory`` is not one of ``FACTORIES``.
    """
    import faiss

    if factory not in FACTORIES:
        raise SettingsError(f"faiss_index {factory!r} is not supported; choose one of {', '.join(FACTORIES)}")
    index = faiss.index_factory(vectors.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
    if len(vectors):
        faiss.omp_set_num_threads(1)
        exact = np.ascontiguousarray(vectors, dtype=np.float32)
        index.train(exact)
        index.add(exact)
    faiss.write_index(index, str(path))


class RowFilter:
    """Which rows a search may return.

    Args:
        allowed: bool, shape (n_rows,).
    """

    def __init__(self, allowed: NDArray[np.bool_]) -> None:
        self.n_allowed = int(np.count_nonzero(allowed))
        self.is_all = self.n_allowed == len(allowed)
        self.is_few = self.n_allowed < GATHER_ROWS
        self.rows: NDArray[np.int64] = np.flatnonzero(allowed) if self.is_few else np.empty(0, np.int64)
        self.bits: NDArray[np.uint8] = np.packbits(allowed, bitorder="little")


class DenseSearcher:
    """A faiss index, open for reading, with the stored vectors beside it.

    Args:
        path: the faiss file; mapped, not read.
        vectors: float16, shape (n_rows, dim).
    """

    def __init__(self, path: Path, vectors: NDArray[np.float16]) -> None:
        import faiss

        self._faiss: faiss.Index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        self._vectors = vectors
        self._is_exact = not isinstance(self._faiss, faiss.IndexScalarQuantizer) or (
            self._faiss.sq.qtype == faiss.ScalarQuantizer.QT_fp16
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(n_rows, dim) of the faiss index."""
        return self._faiss.ntotal, self._faiss.d

    def search(self, query: FloatArray, k: int, where: RowFilter) -> tuple[NDArray[np.int64], FloatArray]:
        """Return the k best rows and their inner products with ``query`` of shape (dim,), best first."""
        wanted = min(k + TIE_MARGIN, where.n_allowed)
        if wanted < 1 or k < 1:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if where.is_few:
            rows, scores = where.rows, self.score(where.rows, query)
        elif self._is_exact:
            rows, scores = self._scan(query, wanted, where)
        else:
            rows, _ = self._scan(query, min(wanted * RESCORE_FACTOR, where.n_allowed), where)
            scores = self.score(rows, query)
        order = np.lexsort((rows, -scores))[:k]
        return rows[order], scores[order]

    def score(self, rows: NDArray[np.int64], query: FloatArray) -> FloatArray:
        """Return the inner products of these rows with ``query``, in their order."""
        return np.round(self._vectors[rows].astype(np.float32) @ query, SCORE_DECIMALS)

    def _scan(self, query: FloatArray, wanted: int, where: RowFilter) -> tuple[NDArray[np.int64], FloatArray]:
        import faiss

        faiss.omp_set_num_threads(1)  # holds for the calling thread only, so it is set where the search runs
        parameters: Any = None
        if not where.is_all:
            # faiss's type stubs lack what its Python layer accepts.
            selector = faiss.IDSelectorBitmap(where.bits)  # type: ignore[call-arg, arg-type]
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        scores, rows = self._faiss.search(query.reshape(1, -1), wanted, params=parameters)
        found = rows[0] >= 0
        return rows[0][found], np.round(scores[0][found], SCORE_DECIMALS)
