"""How things get their ids: hashes of what they are, so that the same thing has the same id everywhere.

No authorisation rests on an id being secret.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata


def _hash(*parts: str | int) -> str:
    # Length-prefixed, so that ("ab", "c") and ("a", "bc") differ.
    digest = hashlib.sha256()
    for part in parts:
        data = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:32]


def work_id(collection: str, key: str) -> str:
    """``key`` is the normal form of the official title (or number)."""
    return _hash("work", collection, key)


def document_id(collection: str, work_key: str, part: str) -> str:
    """One source file of a work."""
    return _hash("document", collection, work_key, part)


def version_id(document: str, text: str) -> str:
    """One text of a document. Validity is an attribute and never part of it."""
    return _hash("version", document, hashlib.sha256(text.encode("utf-8")).hexdigest())


def chunk_id(version: str, start: int, end: int) -> str:
    """A range of a version."""
    return _hash("chunk", version, start, end)


def embedding_key(embedder_id: str, text: str) -> bytes:
    """16 bytes that name the vector of exactly this text by exactly this embedder."""
    return hashlib.blake2b(f"{embedder_id}\0{text}".encode(), digest_size=16).digest()


_SAYS_SOMETHING = re.compile(r"[^\W_]|(?<=\d)[.,/:](?=\d)|[-<>](?=\s*\d)|[%‰≤≥≦≧=±×÷+$€£¥°℃]")


def letters(text: str) -> str:
    """Return what a text says whatever its format: letters, digits and the marks of numbers, in one width and case."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("\u2212", "-")
    return "".join(_SAYS_SOMETHING.findall(text))
