"""``corpus.toml``: what a folder of documents is, beside the documents themselves."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ragsvc.errors import InvalidInput

FILE_NAME = "corpus.toml"


class Corpus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A folder of documents for one collection."""

    collection: str
    domain: str
    title: str
    licence: str
    origin: str
    folder: Path = Path()


def read_corpora(root: Path) -> list[Corpus]:
    """Return the corpora in the folders directly under ``root``, by name.

    Raises:
        InvalidInput: a corpus.toml does not say what it must.
    """
    found = []
    for path in sorted(root.glob(f"*/{FILE_NAME}")):
        try:
            corpus = msgspec.toml.decode(path.read_bytes(), type=Corpus)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{path}: {error}") from error
        found.append(msgspec.structs.replace(corpus, folder=path.parent))
    return found
