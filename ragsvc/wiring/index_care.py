"""What an operator does with the index generations of a home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ragsvc.errors import NotFound
from ragsvc.indexing import GenerationFolder
from ragsvc.pipelines.ingest import IngestPipeline
from ragsvc.store.changes import Changes
from ragsvc.store.database import Database
from ragsvc.store.inventory import Inventory
from ragsvc.store.writer_lock import writer_lock


class IndexCare:
    """Verify, rebuild, roll back, prune.

    Args:
        home: its folder.
        database: its catalogue.
        generations: its index generations.
        open_pipeline: gives what writes a generation; the embedder is loaded by it.
    """

    def __init__(
        self, home: Path, database: Database, generations: GenerationFolder, open_pipeline: Callable[[], IngestPipeline]
    ) -> None:
        self._home = home
        self._database = database
        self._inventory = Inventory(database)
        self._changes = Changes(database)
        self._generations = generations
        self._open_pipeline = open_pipeline

    def verify(self) -> list[str]:
        """Return what is damaged, each named by its path; empty when all is well."""
        known = [generation.generation_id for generation in self._inventory.generations()]
        return [*self._database.check(), *map(str, self._generations.verify(known))]

    def rebuild(self, *, wait: bool = False) -> str:
        """Write a new generation from the catalogue; with another embedder than before, embed for it first."""
        return self._open_pipeline().rebuild(wait=wait)

    def rollback(self, generation_id: str | None = None) -> str:
        """Go back to a generation, by default the one before the current.

        Raises:
            NotFound: there is no such generation, or none before.
            IndexDamaged: it is damaged, so the current one stays.
        """
        found = self._inventory.generations()
        if generation_id is None:
            current = next((at for at, generation in enumerate(found) if generation.is_current), len(found))
            if current + 1 >= len(found):
                raise NotFound("there is no generation before the current one; 'ragsvc index list' shows them")
            generation_id = found[current + 1].generation_id
        with writer_lock(self._home, "index rollback"):
            is_known = any(generation.generation_id == generation_id for generation in found)
            if is_known and (damage := self._generations.verify([generation_id])):
                raise damage[0]
            self._changes.switch(generation_id)
        return generation_id

    def prune(self) -> int:
        """Delete what is no longer needed; return how many generations stay."""
        return self._open_pipeline().prune()
