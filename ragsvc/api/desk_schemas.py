"""The wire of what a librarian and an operator look after: index generations, jobs, and what versions changed."""

from __future__ import annotations

from msgspec import Struct

from ragsvc.api.schemas import Job, Name, Request, Version


class Generation(Struct):
    """An index generation; ``created_at`` is in seconds since 1970."""

    generation_id: str
    embedder_id: str
    change_number: int
    n_chunks: int
    created_at: float
    is_current: bool


class Generations(Struct):
    """The generations that are kept, newest first."""

    generations: list[Generation]


class RollbackRequest(Request):
    """The generation to go back to; null = the one before the current."""

    generation: Name | None = None


class Damage(Struct):
    """What is damaged, each by its place in the home; nothing = all is well."""

    damage: list[str]


class ListedJob(Struct):
    """A job with where its files go; times are seconds since 1970."""

    job: Job
    collection: str
    created_at: float
    updated_at: float


class Jobs(Struct):
    """The latest jobs of the collections that the key may read, newest first."""

    jobs: list[ListedJob]


class Place(Struct):
    """A part of a version: its ``text`` stands at ``[start, end)``. ``address`` is empty where nothing is numbered."""

    address: str
    locator: str
    heading_path: list[str]
    start: int
    end: int
    text: str


class WordChange(Struct):
    """Words that stand for each other; one of the two may be empty."""

    old: str
    new: str


class Change(Struct):
    """A place and what became of it; ``words`` is empty when only the number changed."""

    old: Place
    new: Place
    words: list[WordChange]


class VersionDiff(Struct):
    """What two versions say differently: every place once; ``unchanged`` is how many are as they were."""

    old: Version
    new: Version
    added: list[Place]
    changed: list[Change]
    repealed: list[Place]
    renumbered: list[Change]
    unchanged: int
