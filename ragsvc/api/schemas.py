"""The wire: every request and response body.

Fields mirror ``records.py`` and are kept apart from it on purpose, so that a change inside cannot change what other
programs rely on. A request's limits stand here as JSON schema; the checks themselves, whose messages name what was
found, are in ``security/input_limits.py``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ragsvc.api.citation_schemas import Cell as Cell
from ragsvc.api.citation_schemas import Citation as Citation
from ragsvc.api.citation_schemas import Notice as Notice
from ragsvc.api.conversation_schemas import Clarification, History, Step
from ragsvc.generation.images import MAX_IMAGES
from ragsvc.records import ARMS, Arm, GroundedSentence, ValiditySource, VersionStatus
from ragsvc.security.input_limits import (
    MAX_COLLECTIONS,
    MAX_FILTER_VALUES,
    MAX_K,
    MAX_NAME_CHARS,
    NAME_PATTERN,
    QUESTION_PATTERN,
)
from ragsvc.store.rows import JobStatus, ReadingNotes
from ragsvc.strategies import STRATEGIES

T = TypeVar("T")

Name = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": MAX_NAME_CHARS, "pattern": NAME_PATTERN})]
Names = Annotated[list[Name], Meta(extra_json_schema={"maxItems": MAX_FILTER_VALUES})]
CollectionNames = Annotated[list[Name], Meta(extra_json_schema={"maxItems": MAX_COLLECTIONS})]
Question = Annotated[
    str,
    Meta(
        description="In the words of the person who asks; at least one letter or digit.",
        extra_json_schema={"minLength": 1, "maxLength": 4000, "pattern": QUESTION_PATTERN},
    ),
]
StrategyName = Annotated[
    str,
    Meta(description="How retrieval and generation are woven.", extra_json_schema={"enum": list(STRATEGIES)}),
]
Images = Annotated[
    list[str],
    Meta(
        description="Pictures that the question is about (JPEG, PNG, WEBP, GIF), as base64 or data URLs, for a model "
        "that takes images. An https address is fetched only from hosts that the operator listed. EXIF is removed.",
        extra_json_schema={"maxItems": MAX_IMAGES},
    ),
]
K = Annotated[int, Meta(description="How many passages.", extra_json_schema={"minimum": 1, "maximum": MAX_K})]
AsOf = Annotated[date | None, Meta(description="The day whose law is asked for; none = today.")]


class Request(Struct, forbid_unknown_fields=True, kw_only=True):
    """A request body; a field that does not exist is an error, not silence."""


class Filters(Request):
    """Narrows a search. Empty means no restriction; values inside one field are alternatives."""

    works: Names = []
    """Names of works, e.g. 民法典."""
    kinds: Names = []
    documents: Names = []
    """Document ids."""


class AskRequest(Request):
    """One question. ``collection`` is shorthand for one of ``collections``; none = all that the key may read."""

    question: Question
    collections: CollectionNames = []
    collection: Name | None = None
    history: History = []
    conversation_id: Annotated[
        Name | None, Meta(description="Of a conversation that is kept; its turns are the history, so send none.")
    ] = None
    assistant: Annotated[
        Name | None, Meta(description="Brings collections, model and strategy of its own, so send none.")
    ] = None
    as_of: AsOf = None
    filters: Filters = msgspec.field(default_factory=Filters)
    model: Name | None = None
    strategy: StrategyName | None = None
    top_k: K | None = None
    images: Images = []
    language: Annotated[Literal["zh", "en"] | None, Meta(description="Of the answer; none = the question's.")] = None
    stream: bool = False


class SearchRequest(Request):
    """One retrieval, no model. ``arms`` chooses among the ways of searching."""

    question: Question
    collections: CollectionNames = []
    collection: Name | None = None
    as_of: AsOf = None
    filters: Filters = msgspec.field(default_factory=Filters)
    top_k: K = 10
    arms: Annotated[tuple[Arm, ...], Meta(extra_json_schema={"minItems": 1})] = ARMS


class Scores(Struct):
    """``dense`` is a cosine in [-1, 1], ``lexical`` is BM25, ``fused`` is in [0, 1]; null = not found by that arm."""

    lexical: float | None
    dense: float | None
    fused: float | None


class TableFrame(Struct):
    """What holds for the cells of a table; currency as in ISO 4217, a scale of null is not stated."""

    columns: list[str]
    unit: str
    scale: int | None
    currency: str
    period: str
    own_units: dict[str, str]


class Passage(Struct):
    """A piece of a source: ``text`` stands in the version's text at ``[start, end)``, in Unicode code points."""

    collection: str
    work: str
    title: str
    locator: str
    heading_path: list[str]
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
    status: VersionStatus
    """Of the version today, whatever day was asked for."""
    confidence: float | None
    """Of the text recognition that read this place, 0 to 1; null = it was no picture."""
    frame: TableFrame | None = None


class Usage(Struct):
    """Tokens as the model's server counts them; null where it does not say."""

    prompt_tokens: int | None
    completion_tokens: int | None


class ModelFailure(Struct):
    """A model that was asked first and did not answer."""

    model: str
    reason: str


class Answer(Struct):
    """What a question gets. When ``abstained``, ``reason`` says what is missing and no model was asked to answer."""

    answer_id: str
    answer: str
    citations: list[Citation]
    passages: list[Passage]
    abstained: bool
    reason: str | None
    disclaimer: str
    model: str
    strategy: str
    index_generation: str
    timings_ms: dict[str, float]
    usage: Usage
    finish_reason: str | None
    """Why the model stopped: stop, length (the answer may be incomplete), content_filter; null = nobody said."""
    reasoning: str
    """What the model thought before it answered: unchecked, and no part of the answer."""
    fallbacks: list[ModelFailure]
    """The models that failed before ``model`` answered."""
    n_passages_dropped: int
    """Passages, from the tail, that did not fit the model's window and were not shown to it."""
    steps: list[Step]
    """What the roles of the strategy did before the answer was written."""
    clarify: Clarification | None
    """Set when the service asks back: ``answer`` is then that question, and nothing was answered yet."""
    grounding: list[GroundedSentence]
    """What each sentence of the model rests on."""
    notices: list[Notice]
    """What the service itself says beside the answer, urgent ones first."""


class MissingAddress(Struct):
    """A place that the question names and that is not there; ``nearest`` are names that do exist."""

    mention: str
    reason: Literal["no such work", "no such article", "no such section", "not in force"]
    work: str
    nearest: list[str]


class SearchResult(Struct):
    """Passages, best first; ``addressed`` of them were resolved from an address in the question."""

    hits: list[Passage]
    missing: list[MissingAddress]
    addressed: int
    index_generation: str
    timings_ms: dict[str, float]


class Token(Struct):
    """Data of a ``token`` event; all of them joined are the answer."""

    text: str


class PassagesFound(Struct):
    """Data of the ``passages`` event."""

    passages: list[Passage]


class AnswerEvent(Struct):
    """One server-sent event of an answer; ``data`` is JSON: PassagesFound, Notice, Token, Citation, Answer, Problem."""

    event: Literal["passages", "notice", "token", "citation", "done", "clarify", "error"]
    data: str


class VersionText(Struct):
    """Part of a stored text, for anyone to check a citation; ``length`` is that of the whole text."""

    version_id: str
    document_id: str
    collection: str
    work: str
    title: str
    text: str
    start: int
    end: int
    length: int
    effective_from: date | None
    effective_to: date | None
    validity_source: ValiditySource


class Collection(Struct):
    """A named set of works of one domain; ``model`` or ``strategy`` empty means the service's default."""

    name: str
    domain: str
    time_zone: str
    model: str
    strategy: str
    n_documents: int
    n_chunks: int


class Collections(Struct):
    """All collections that the key may read."""

    collections: list[Collection]


class Document(Struct):
    """One source file of a work, as its version of today (or its latest) shows it."""

    document_id: str
    collection: str
    work: str
    part: str
    kind: str
    issuer: str
    number: str
    name: str
    version_id: str
    n_versions: int
    n_chunks: int
    effective_from: date | None
    effective_to: date | None
    validity_source: ValiditySource


class Documents(Struct):
    """A page of a collection's documents, by title."""

    documents: list[Document]
    offset: int
    limit: int


class Version(Struct):
    """One text of a document, in force from ``effective_from`` until the day before ``effective_to``; null = open."""

    version_id: str
    document_id: str
    collection: str
    work: str
    title: str
    name: str
    promulgated: date | None
    effective_from: date | None
    effective_to: date | None
    validity_source: ValiditySource
    length: int
    status: VersionStatus
    notes: ReadingNotes
    """How the file was read: its recognised pages, and what was lost or repaired."""
    n_facts: int
    """Figures that the file itself tags."""


class Versions(Struct):
    """The versions of a document, oldest first."""

    versions: list[Version]


class Job(Struct):
    """A background operation: ``done`` of ``total`` files."""

    id: str
    kind: str
    status: JobStatus
    done: int
    total: int
    error: str | None
    result: dict[str, Any] | None


class JobEvent(Struct):
    """One server-sent event of a job; ``data`` is JSON: a Job, or a Problem with ``error``."""

    event: Literal["progress", "done", "error"]
    data: str


class Health(Struct):
    """A service that is not well answers with a problem instead."""

    status: Literal["ok"]


class FieldProblem(Struct):
    """What is wrong with one field or parameter."""

    field: str
    message: str


class OpenAIError(Struct):
    """What OpenAI's clients look for in the body of an error."""

    message: str
    type: str
    code: str | None = None
    param: str | None = None


class Problem(Struct):
    """An error, as RFC 9457 has it. ``passages`` is what was retrieved before a model failed.

    ``error`` says the same once more in OpenAI's words, at the addresses that OpenAI's clients call.
    """

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | UnsetType = UNSET
    passages: list[Passage] | UnsetType = UNSET
    notices: list[Notice] | UnsetType = UNSET
    error: OpenAIError | UnsetType = UNSET


def out(record: object, wire_type: type[T]) -> T:
    """Return a record as its wire type: fields of the same names are taken, the rest stays inside."""
    return msgspec.convert(record, wire_type, from_attributes=True)
