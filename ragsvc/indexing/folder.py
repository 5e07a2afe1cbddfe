"""The folder of one home's generations: writing the next one, opening the current one, sweeping old ones."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import portalocker

from ragsvc.errors import IndexDamaged, IndexMismatch
from ragsvc.indexing.generation import IN_USE, LEXICAL, Generation, open_generation, verify_generation
from ragsvc.indexing.lexical import share_of_deleted
from ragsvc.indexing.manifest import check_files, read_manifest, sync
from ragsvc.indexing.tokens import TOKENIZER_VERSION
from ragsvc.indexing.writing import GenerationContents, write_generation
from ragsvc.store.index_contents import IndexContents

KEEP = 3
REMOVING = ".removing-"
# Deleted texts still count in BM25's statistics: beyond this share the keyword index is written anew.
MAX_SHARE_OF_DELETED = 0.2


class GenerationFolder:
    """All generations of one home. Safe to share between threads.

    Args:
        root: the folder; made with the first generation.
        faiss_index: factory string for new generations, one of ``dense.FACTORIES``.
        keep: how many generations are to stay for a rollback.
    """

    def __init__(self, root: Path, faiss_index: str = "SQfp16", keep: int = KEEP) -> None:
        self._root = root
        self._faiss_index = faiss_index
        self.keep = keep
        self._open: Generation | None = None
        self._lock = threading.Lock()

    # --- writing: callers hold the writer lock ---

    def write(self, generation_id: str, previous: str | None, contents: IndexContents, change_number: int) -> int:
        """Write a generation from the catalogue, synced to the disk; return its number of chunks.

        Args:
            generation_id: name of the new generation.
            previous: generation to build upon; it is left aside if it is damaged, was tokenised otherwise or holds
                many deleted texts. None = from nothing.
            contents: what is live or staged in the catalogue.
            change_number: of the catalogue, once this generation is current.

        Raises:
            IndexMismatch: chunks lack vectors of this embedder.
        """
        if not self._root.is_dir():
            self._root.mkdir(parents=True)
            sync(self._root.parent)
        base = self._root / previous if previous and self._is_usable(previous) else None
        columns = contents.columns()
        removed: set[int] = set()
        if base:
            removed = set(_versions(base)) - set(columns.version.tolist())
        new = GenerationContents(
            columns=columns,
            added=contents.texts(staged_only=base is not None),
            removed_versions=sorted(removed),
            embedder_id=contents.embedder_id,
            change_number=change_number,
            faiss_index=self._faiss_index,
        )
        return write_generation(self._root / generation_id, previous=base, contents=new).n_chunks

    def sweep(self, known: Sequence[str]) -> None:
        """Delete what a killed writer left and every generation that is not ``known``.

        A generation that a reader of any process holds stays, until the next sweep.
        """
        if not self._root.is_dir():
            return
        for path in sorted(self._root.iterdir()):
            if path.name.startswith("."):
                shutil.rmtree(path, ignore_errors=True)
            elif path.is_dir() and path.name not in known:
                self._remove_unless_held(path)

    def _remove_unless_held(self, path: Path) -> None:
        with (path / IN_USE).open("a") as lock:
            try:
                portalocker.lock(lock, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
            except portalocker.AlreadyLocked:
                return
            # Renamed first: killed half-way, no reader finds half a generation.
            removing = path.with_name(REMOVING + path.name)
            path.rename(removing)
            shutil.rmtree(removing, ignore_errors=True)

    def _is_usable(self, generation_id: str) -> bool:
        """Whether new segments may go on top of this generation's."""
        directory = self._root / generation_id
        try:
            manifest = read_manifest(directory)
        except IndexDamaged:
            return False
        segments = [name for name in manifest.files if name.startswith(f"{LEXICAL}/")]
        return (
            manifest.tokenizer_version == TOKENIZER_VERSION
            and not check_files(directory, manifest, [*segments, "version.npy"])
            and share_of_deleted(directory / LEXICAL) <= MAX_SHARE_OF_DELETED
        )

    # --- reading ---

    def open(self, generation_id: str, embedder_id: str) -> Generation:
        """Return this generation, open; the last one is kept open, so asking again costs nothing.

        Args:
            generation_id: as the catalogue's snapshot says.
            embedder_id: of the embedder whose queries will be searched.

        Raises:
            NotFound: there is no such generation (any more).
            IndexDamaged: a file is not what the manifest says; ``path`` names it.
            IndexMismatch: it was built by another embedder.
        """
        with self._lock:
            if self._open is None or self._open.generation_id != generation_id:
                self._open = open_generation(self._root / generation_id)
            generation = self._open
        if generation.manifest.embedder_id != embedder_id:
            raise IndexMismatch(
                f"index generation {generation_id} was built by embedder {generation.manifest.embedder_id!r}, "
                f"configured is {embedder_id!r}: configure that one, or run 'ragsvc index rebuild --embedder NAME'"
            )
        return generation

    def list_generations(self) -> list[str]:
        """Return the names of all complete generations on the disk, oldest first."""
        if not self._root.is_dir():
            return []
        return sorted(path.name for path in self._root.iterdir() if path.is_dir() and not path.name.startswith("."))

    def verify(self, known: Sequence[str]) -> list[IndexDamaged]:
        """Check every file of these generations by full hash; return what is wrong, each naming its file."""
        return [damage for name in known for damage in verify_generation(self._root / name)]


def _versions(directory: Path) -> list[int]:
    """Ordinals of the versions in a generation."""
    import numpy as np

    found: list[int] = np.unique(np.load(directory / "version.npy", allow_pickle=False)).tolist()
    return found
