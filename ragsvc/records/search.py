"""A search: what is asked of the index and what comes back."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from ragsvc.records.documents import ValiditySource, VersionStatus
from ragsvc.records.tables import Cell, TableFrame


class IndexFilter(Struct, frozen=True):
    """What a search may return, as catalogue ordinals; applied before the search, never after it."""

    collections: frozenset[int]
    excluded_versions: frozenset[int]


class ScoredChunk(Struct, frozen=True):
    """A chunk (catalogue ordinal) and how well it matched; higher is better, the scale is the arm's own."""

    chunk: int
    score: float


class Filters(Struct, frozen=True, kw_only=True):
    """Narrows a search. Empty means no restriction; values inside one field are alternatives."""

    works: tuple[str, ...] = ()
    """Names of works, resolved like an address."""
    kinds: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    """Document ids."""


class Scores(Struct, frozen=True, kw_only=True):
    """What each arm said of a passage; None when the arm did not return it.

    ``dense`` is a cosine in [-1, 1]; ``lexical`` is BM25, unbounded; ``fused`` is in [0, 1].
    """

    lexical: float | None = None
    dense: float | None = None
    fused: float | None = None


class Passage(Struct, frozen=True, kw_only=True):
    """A chunk as a reader sees it, with everything needed to find and check it: ``version.text[start:end] == text``."""

    collection: str
    work: str
    title: str
    locator: str
    heading_path: tuple[str, ...]
    document_id: str
    version_id: str
    chunk_id: str
    start: int
    end: int
    text: str
    effective_from: date | None
    effective_to: date | None
    validity_source: ValiditySource
    url: str | None
    score: float
    scores: Scores
    frame: TableFrame | None = None
    """Of a table, or of rows of one: what holds for its cells."""
    status: VersionStatus = "in force"
    """Of the version today, whatever day was asked for."""
    confidence: float | None = None
    """Of the text recognition that read this place, 0 to 1, where it was a picture."""


class Citation(Struct, frozen=True, kw_only=True):
    """A quotation that was checked: ``version.text[start:end] == quote``."""

    marker: str
    """As it stands in the answer: "[1]"."""
    collection: str
    work: str
    title: str
    locator: str
    document_id: str
    version_id: str
    quote: str
    start: int
    end: int
    effective_from: date | None
    effective_to: date | None
    validity_source: ValiditySource
    url: str | None
    score: float
    cells: tuple[Cell, ...] = ()
    """The figures of a table that the quote holds, with row, column, unit and period."""


Arm = Literal["address", "lexical", "dense"]
ARMS: tuple[Arm, ...] = ("address", "lexical", "dense")


class SearchRequest(Struct, frozen=True, kw_only=True):
    """One retrieval. ``as_of`` None means today in the collection's time zone."""

    question: str
    collections: tuple[str, ...]
    as_of: date | None = None
    k: int = 10
    arms: tuple[Arm, ...] = ARMS
    filters: Filters = Filters()


class MissingAddress(Struct, frozen=True, kw_only=True):
    """A place that the question names and that is not there. No near match is ever served as it."""

    mention: str
    """As the question writes it."""
    reason: Literal["no such work", "no such article", "no such section", "not in force"]
    work: str = ""
    """Official title, when the work itself is known."""
    nearest: tuple[str, ...] = ()
    """Names that do exist, to offer to the reader."""


class SearchResult(Struct, frozen=True, kw_only=True):
    """Passages, best first, and the signals that abstention looks at."""

    passages: tuple[Passage, ...]
    missing: tuple[MissingAddress, ...] = ()
    addressed: int = 0
    """How many of the first passages were resolved from an address in the question."""
    top_cosine: float | None = None
    n_searched: int = 0
    """Chunks that the search could have returned: the best cosine of many is higher than that of few."""
    index_generation: str = ""
    timings_ms: dict[str, float] = {}
