"""What a generation is made of: the SHA-256 of every file, and what it was built by and from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ragsvc.errors import IndexDamaged

FORMAT_VERSION = 2
"""Of the directory layout and the manifest; raise it when an older program could not read a newer generation."""
MANIFEST = "manifest.json"
REBUILD = "rebuild the index with 'ragsvc index rebuild'"


class FileEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A file as it was written."""

    size: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Describes one generation completely; immutable like the generation itself."""

    format_version: int = FORMAT_VERSION
    generation_id: str
    previous: str | None
    """Generation whose keyword segments this one started from."""
    change_number: int
    """Of the catalogue, when this generation became current."""
    embedder_id: str
    dim: int
    normalised: bool
    tokenizer_version: int
    faiss_index: str
    """Factory string: Flat or SQ8."""
    n_chunks: int
    n_vectors: int
    files: dict[str, FileEntry]
    """Path inside the generation, with forward slashes -> the file."""
    checksum: str = ""
    """SHA-256 of this manifest with an empty checksum."""


def _encode(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2)


def write_manifest(directory: Path, manifest: Manifest) -> Manifest:
    """Seal ``manifest`` with its checksum, write it and return it."""
    sealed = replace(manifest, checksum=hashlib.sha256(_encode(replace(manifest, checksum=""))).hexdigest())
    path = directory / MANIFEST
    path.write_bytes(_encode(sealed))
    sync(path)
    return sealed


def read_manifest(directory: Path) -> Manifest:
    """Read the manifest of a generation and check that it is intact and belongs to this directory.

    Raises:
        IndexDamaged: it is missing, was changed, or is of another format version.
    """
    path = directory / MANIFEST
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IndexDamaged(str(path), f"cannot be read ({error.strerror}); {REBUILD}") from None
    try:
        found = msgspec.json.decode(data, type=dict[str, object]).get("format_version")
        if found != FORMAT_VERSION:
            raise IndexDamaged(str(path), f"format version {found}, this program reads {FORMAT_VERSION}; {REBUILD}")
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise IndexDamaged(str(path), f"not a manifest ({error}); {REBUILD}") from None
    expected = hashlib.sha256(_encode(replace(manifest, checksum=""))).hexdigest()
    if manifest.checksum != expected or data != _encode(manifest):
        raise IndexDamaged(str(path), f"was changed after it was written; {REBUILD}")
    return manifest


def hash_file(path: Path) -> FileEntry:
    """Return size and SHA-256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileEntry(os.fstat(file.fileno()).st_size, digest)


def check_files(directory: Path, manifest: Manifest, names: Iterable[str] | None = None) -> list[IndexDamaged]:
    """Compare files with their entries by full hash; return one error for each that differs, by name."""
    damage = []
    for name in sorted(manifest.files if names is None else names):
        entry = manifest.files[name]
        path = directory / name
        try:
            size = path.stat().st_size
            reason = (
                f"has {size} bytes, the manifest says {entry.size}"
                if size != entry.size
                else ("its SHA-256 is not the one in the manifest" if hash_file(path) != entry else "")
            )
        except OSError as error:
            reason = f"cannot be read ({error.strerror})"
        if reason:
            damage.append(IndexDamaged(str(path), f"{reason}; {REBUILD}"))
    return damage


def sync(path: Path) -> None:
    """Return when a file or directory is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
