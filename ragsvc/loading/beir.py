"""BEIR corpora: one JSON object ``{_id, title, text}`` a line, each a document of its own.

Format: https://github.com/beir-cellar/beir/wiki/Load-your-custom-dataset
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ragsvc.errors import UnreadableFile
from ragsvc.loading.limits import MIB
from ragsvc.records import LoadedDocument

MAX_LINE_BYTES = 64 * MIB
MEDIA_TYPE = "application/x-ndjson"


class _Line(msgspec.Struct):
    id: str = msgspec.field(name="_id")
    text: str
    title: str = ""


def read_beir_corpus(path: Path) -> Iterator[LoadedDocument]:
    """Yield the documents of ``corpus.jsonl`` or ``corpus.jsonl.gz`` in file order, as they are read.

    ``name`` is the ``_id`` and ``source_sha256`` the hash of the line. The text is as it stands, empty where it is
    empty, so that every judged id exists.

    Raises:
        UnreadableFile: the file or a line of it cannot be read; the reason names the line.
    """
    decoder = msgspec.json.Decoder(_Line)
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            while line := file.readline(MAX_LINE_BYTES):
                number += 1
                if line.isspace():
                    continue
                found = decoder.decode(line)
                yield LoadedDocument(
                    name=found.id,
                    text=found.text,
                    title=found.title,
                    media_type=MEDIA_TYPE,
                    source_sha256=hashlib.sha256(line).hexdigest(),
                )
    except msgspec.MsgspecError as error:
        raise UnreadableFile(path.name, f"line {number:,} is not {{_id, title, text}}: {error}") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UnreadableFile(path.name, f"cannot be read after line {number:,}: {error}") from error
