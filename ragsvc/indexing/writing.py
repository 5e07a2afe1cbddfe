"""Writing a generation: beside the others under a temporary name, synced, then renamed."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from ragsvc.errors import IndexDamaged, RagsvcError
from ragsvc.indexing.dense import blend_windows, write_vectors
from ragsvc.indexing.generation import COLUMNS, FAISS_FILE, IN_USE, LEXICAL
from ragsvc.indexing.lexical import LexicalSearcher, link_segments, write_segments
from ragsvc.indexing.manifest import REBUILD, FileEntry, Manifest, hash_file, read_manifest, sync, write_manifest
from ragsvc.indexing.tokens import TOKENIZER_VERSION
from ragsvc.store.index_contents import Columns, IndexedText

BUILDING = ".building-"


class GenerationContents(Struct, frozen=True, kw_only=True):
    """What a new generation holds. With a previous one, ``added`` and ``removed_versions`` are the difference."""

    columns: Columns
    added: Iterable[IndexedText]
    removed_versions: Collection[int] = ()
    embedder_id: str
    change_number: int
    faiss_index: str = "SQfp16"


def write_generation(directory: Path, *, previous: Path | None, contents: GenerationContents) -> Manifest:
    """Write a generation and sync it to the disk; ``directory`` appears complete or not at all.

    Args:
        directory: the new generation; its name is the generation's id.
        previous: an intact generation whose keyword segments are built upon; None = from nothing.
        contents: what it holds.

    Raises:
        SettingsError: the faiss factory string is not supported.
        IndexDamaged: the keyword index came out with other chunks than the columns name.
        RagsvcError: the disk is full or does not allow it.
    """
    building = directory.with_name(BUILDING + directory.name)
    shutil.rmtree(building, ignore_errors=True)
    try:
        return _write(building, directory, previous, contents)
    except (OSError, RuntimeError, ValueError) as error:  # the last two are how faiss and tantivy say it
        raise RagsvcError(
            f"index generation {directory} cannot be written ({error}); what was there is as it was: "
            "see that the disk has room and allows writing, then try again"
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _write(building: Path, directory: Path, previous: Path | None, contents: GenerationContents) -> Manifest:
    (building / LEXICAL).mkdir(parents=True)
    inherited = _inherit(previous, building) if previous else {}
    write_segments(building / LEXICAL, contents.added, contents.removed_versions)
    columns = contents.columns
    columns = replace(columns, vectors=blend_windows(columns.vectors, columns.vector_position))
    for name in COLUMNS:
        np.save(building / f"{name}.npy", getattr(columns, name), allow_pickle=False)
    write_vectors(building / FAISS_FILE, columns.vectors, contents.faiss_index)
    n_texts = LexicalSearcher(building / LEXICAL).n_documents
    if n_texts != len(columns.chunk):
        raise IndexDamaged(str(building / LEXICAL), f"holds {n_texts} texts for {len(columns.chunk)} chunks; {REBUILD}")
    manifest = Manifest(
        generation_id=directory.name,
        previous=previous.name if previous else None,
        change_number=contents.change_number,
        embedder_id=contents.embedder_id,
        dim=columns.vectors.shape[1],
        normalised=True,
        tokenizer_version=TOKENIZER_VERSION,
        faiss_index=contents.faiss_index,
        n_chunks=len(columns.chunk),
        n_vectors=len(columns.vectors),
        files=_seal(building, inherited),
    )
    manifest = write_manifest(building, manifest)
    (building / IN_USE).touch()
    sync(building)
    building.rename(directory)
    sync(directory.parent)
    return manifest


def _inherit(previous: Path, building: Path) -> dict[str, FileEntry]:
    """Link the previous generation's segments and return their entries: they need no hashing again."""
    files = read_manifest(previous).files
    names = [name.removeprefix(f"{LEXICAL}/") for name in files if name.startswith(f"{LEXICAL}/")]
    link_segments(previous / LEXICAL, building / LEXICAL, names)
    return {
        f"{LEXICAL}/{name}": files[f"{LEXICAL}/{name}"]
        for name in names
        if (building / LEXICAL / name).samefile(previous / LEXICAL / name)
    }


def _seal(building: Path, inherited: dict[str, FileEntry]) -> dict[str, FileEntry]:
    """Hash and sync every file that is not inherited."""
    files = {}
    for path in sorted(path for path in building.rglob("*") if path.is_file()):
        if path.parent.name == LEXICAL and path.name.endswith(".lock"):
            continue  # readers and writers of tantivy leave them behind
        name = path.relative_to(building).as_posix()
        if name in inherited:
            files[name] = inherited[name]
        else:
            sync(path)
            files[name] = hash_file(path)
    sync(building / LEXICAL)
    return files
