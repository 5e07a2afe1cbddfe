"""A knowledge table read off the passages of a collection: which of them say what (attribute) of whom (entity).

A row is a place in a passage, so that what is looked up can be cited like anything else. Titles and headings state the
entity; the attribute is stated by a heading, else by the words of a sentence (``attributes`` in prompts/bentsao.toml).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from ragsvc.citing.sentences import split_sentences
from ragsvc.records import Passage

Attributes = Mapping[str, Sequence[str]]
"""Attribute -> the words by which texts and questions name it."""

LEAST_NAME_CHARS = 2
MOST_NAME_CHARS = 60


class Row(Struct, frozen=True, kw_only=True):
    """One entry of the table; ``passage`` is narrowed to the place that states it."""

    entity: str
    attribute: str
    passage: Passage


def entities_of(passage: Passage) -> list[str]:
    """Return what a passage is about, by its title and headings, as they are written."""
    names = (passage.work, passage.title, *passage.heading_path)
    return [name for name in dict.fromkeys(names) if LEAST_NAME_CHARS <= len(key_of(name)) <= MOST_NAME_CHARS]


def extract_rows(passages: Sequence[Passage], attributes: Attributes) -> list[Row]:
    """Return the table of these passages, in their order: a row per entity, attribute and place."""
    rows = []
    for passage in passages:
        entities = entities_of(passage)
        headed = attributes_in(" ".join((*passage.heading_path[-1:], passage.locator)), attributes)
        places = [(attribute, 0, len(passage.text)) for attribute in headed]
        if not places:
            places = [
                (attribute, start, end)
                for start, end in split_sentences(passage.text)
                for attribute in attributes_in(passage.text[start:end], attributes)
            ]
        rows += [
            Row(entity=entity, attribute=attribute, passage=_narrowed(passage, start, end))
            for attribute, start, end in places
            for entity in entities
        ]
    return rows


def look_up(rows: Sequence[Row], entity: str, attribute: str) -> list[Row]:
    """Return the rows of an entity, those called exactly so before those whose name only holds it; "" = any attribute.

    A place is returned once.
    """
    wanted = key_of(entity)
    if len(wanted) < LEAST_NAME_CHARS:
        return []
    exact = [row for row in rows if key_of(row.entity) == wanted]
    near = [row for row in rows if wanted in key_of(row.entity) and row not in exact]
    found: dict[tuple[str, int, int], Row] = {}
    for row in (*exact, *near):
        if attribute in ("", row.attribute):
            found.setdefault((row.passage.version_id, row.passage.start, row.passage.end), row)
    return list(found.values())


def named_entity(question: str, passages: Sequence[Passage]) -> str:
    """Return the longest name of an entity that the question holds; empty for none."""
    asked = key_of(question)
    names = [name for passage in passages for name in entities_of(passage) if key_of(name) in asked]
    return max(names, key=len, default="")


def attributes_in(text: str, attributes: Attributes) -> list[str]:
    """Return the attributes that a text names, in the order of the table of words."""
    folded = text.casefold()
    return [name for name, words in attributes.items() if any(_names(word, folded) for word in words)]


def key_of(name: str) -> str:
    """Return a name without case, width, white space and punctuation."""
    return "".join(char for char in unicodedata.normalize("NFKC", name).casefold() if char.isalnum())


def _names(word: str, folded: str) -> bool:
    if not word.isascii():
        return word in folded
    return re.search(rf"\b{re.escape(word.casefold())}", folded) is not None


def _narrowed(passage: Passage, start: int, end: int) -> Passage:
    if (start, end) == (0, len(passage.text)):
        return passage
    return replace(passage, text=passage.text[start:end], start=passage.start + start, end=passage.start + end)
