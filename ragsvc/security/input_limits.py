"""What a question or a name may be, and how much of anything one request may ask for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ragsvc.errors import InvalidInput

MAX_NAME_CHARS = 200
"""Of collections, works, models, strategies, kinds and ids."""
NAME_PATTERN = r"^[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
"""A name starts with no white space and has no control character (a regular expression of JSON schema, too)."""
QUESTION_PATTERN = r"^[^\u0000]*[\p{L}\p{N}][^\u0000]*$"
"""What ``check_question`` asks for, as JSON schema says it."""
MAX_COLLECTIONS = 32
MAX_FILTER_VALUES = 100
MAX_K = 100
MAX_HISTORY = 40
"""Turns of a conversation that may come with a question."""
MAX_TURN_CHARS = 20_000
"""Of one of them: an answer may be a report with its quotations."""
MAX_COMMENT_CHARS = 2_000
"""Of what a reader says about an answer."""
MAX_JSON_BYTES = 1_000_000
MAX_JSON_BYTES_WITH_IMAGES = 12_000_000
"""Of a question's body: pictures of eight megabytes in all, which base64 makes a third larger."""


def check_question(text: str, max_chars: int, what: str = "question") -> str:
    """Return ``text`` without surrounding white space if it can be answered.

    Raises:
        InvalidInput: it is too long, has nothing but white space and punctuation, or is no valid text.
    """
    _check_characters(text, what)
    if len(text) > max_chars:
        raise InvalidInput(
            f"{what} has {len(text):,} characters; the limit is {max_chars:,}: ask one thing, "
            "and ingest a long text as a document"
        )
    if not any(map(str.isalnum, text)):
        found = "is empty" if not text.strip() else f"is only punctuation or symbols ({text.strip()[:20]!r})"
        raise InvalidInput(f"{what} {found}: write at least one word")
    return text.strip()


def check_name(name: str, what: str) -> str:
    """Return ``name`` if it can name a collection, document, work or model.

    Raises:
        InvalidInput: it is empty, longer than ``MAX_NAME_CHARS``, or not of ``NAME_PATTERN``.
    """
    _check_characters(name, what)
    if not 1 <= len(name) <= MAX_NAME_CHARS:
        raise InvalidInput(f"{what} must have 1 to {MAX_NAME_CHARS} characters; found {len(name):,}")
    if not re.match(NAME_PATTERN, name):
        raise InvalidInput(f"{what} must not start with white space or have control characters; found {name!r}")
    return name


def check_names(names: Sequence[str], what: str, limit: int) -> tuple[str, ...]:
    """Return the names in order, each once.

    Raises:
        InvalidInput: there are more than ``limit``, or one of them is not a name.
    """
    if len(names) > limit:
        raise InvalidInput(f"{what} has {len(names):,} entries; the limit is {limit}")
    return tuple(dict.fromkeys(check_name(name, f"an entry of {what}") for name in names))


def check_turn(text: str, what: str) -> str:
    """Return what was said in an earlier turn.

    Raises:
        InvalidInput: it is empty, too long, or no valid text.
    """
    _check_characters(text, what)
    if not 1 <= len(text) <= MAX_TURN_CHARS:
        raise InvalidInput(f"{what} must have 1 to {MAX_TURN_CHARS:,} characters; found {len(text):,}")
    return text


def check_comment(text: str) -> str:
    """Return what a reader says about an answer; it may be nothing.

    Raises:
        InvalidInput: it is too long, or no valid text.
    """
    _check_characters(text, "comment")
    if len(text) > MAX_COMMENT_CHARS:
        raise InvalidInput(f"comment has {len(text):,} characters; the limit is {MAX_COMMENT_CHARS:,}")
    return text.strip()


def check_k(k: int, what: str) -> int:
    """Return ``k`` if it is from 1 to ``MAX_K``.

    Raises:
        InvalidInput: it is not.
    """
    if not 1 <= k <= MAX_K:
        raise InvalidInput(f"{what} must be from 1 to {MAX_K}; found {k}")
    return k


def _check_characters(text: str, what: str) -> None:
    for position, character in enumerate(text):
        # A lone surrogate cannot be written as UTF-8; a NUL ends a string in C code and in some databases.
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise InvalidInput(
                f"{what} has U+{ord(character):04X} at character {position}, which is not text: take it out"
            )
