"""An answer: what is asked for, what a strategy and the service say, what the whole holds."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from ragsvc.records.chat import Image, ModelFailure, Turn, Usage
from ragsvc.records.search import Citation, Filters, Passage, SearchResult


class AskRequest(Struct, frozen=True, kw_only=True):
    """One question. ``model`` and ``strategy`` None mean the collection's default, then the service's."""

    question: str
    collections: tuple[str, ...]
    history: tuple[Turn, ...] = ()
    """The conversation before the question, oldest first."""
    as_of: date | None = None
    k: int = 6
    filters: Filters = Filters()
    model: str | None = None
    strategy: str | None = None
    language: str | None = None
    images: tuple[Image, ...] = ()
    """What the question is asked about, for a model that sees."""
    persona: str = ""
    """Of an assistant: stands before the rules in the system prompt."""
    standing: str = ""
    """The question as a model wrote it to stand by itself; empty = nobody did."""


class Step(Struct, frozen=True):
    """What one role of a strategy was given and what it gave: unchecked, and no part of the answer."""

    name: str
    given: str
    gave: str


class Clarification(Struct, frozen=True, kw_only=True):
    """A question back, instead of an answer: put what the reader says to it, with this, into ``history``."""

    question: str
    number: int
    """How many questions were asked back in this conversation, this one included."""
    most: int
    """How many the strategy asks at most."""
    choices: tuple[str, ...] = ()
    """Answers that the question itself names, to choose from; any other may be given as well."""


class GroundedSentence(Struct, frozen=True, kw_only=True):
    """A sentence of an answer, ``answer[start:end]``, and what it rests on."""

    start: int
    end: int
    support: Literal["cited", "retrieved", "none"]
    """A place that it cites; a passage that was found though it does not cite it; nothing that was found."""


NoticeKind = Literal[
    "red_flag", "missing_fact", "hierarchy", "jurisdiction", "calculation", "advice", "source", "scope"
]
"""red_flag: seek help now. missing_fact: what the sources depend on and the question does not say. hierarchy: which of
two norms prevails. jurisdiction: a norm of one place. calculation: worked out by code from figures of the sources.
advice: was asked for and is not given. source: a source tries to give orders or contradicts another. scope: what the
collections cover."""


class Notice(Struct, frozen=True, kw_only=True):
    """What the service itself says beside the answer, whatever the model writes, from its rules for the domain."""

    kind: NoticeKind
    severity: Literal["urgent", "warning", "info"]
    """urgent: show it first and so that it cannot be missed."""
    topic: str
    """Name of the rule, for programs: "stroke", "age"."""
    language: str
    text: str
    citations: tuple[Citation, ...] = ()
    """The places that it is about, proven like those of the answer; their markers count in ``passages``."""


class Answer(Struct, frozen=True, kw_only=True):
    """What a question gets. When ``abstained``, ``reason`` says what is missing and no model was asked to answer."""

    answer_id: str
    answer: str
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    abstained: bool
    reason: str | None
    disclaimer: str
    model: str
    strategy: str
    index_generation: str
    timings_ms: dict[str, float]
    usage: Usage
    finish_reason: str | None = None
    """Why the model stopped (see ``TextPiece``); None when no model was called or it did not say."""
    reasoning: str = ""
    """What the model thought before it answered: unchecked, and no part of the answer."""
    fallbacks: tuple[ModelFailure, ...] = ()
    """The models that failed before ``model`` answered, in the order they were asked."""
    n_passages_dropped: int = 0
    """Passages, from the tail, that did not fit the model's window and were not shown to it."""
    steps: tuple[Step, ...] = ()
    """What the roles of the strategy did before the answer was written, in order."""
    clarify: Clarification | None = None
    """Set when the strategy asks back: ``answer`` is then that question."""
    grounding: tuple[GroundedSentence, ...] = ()
    """The model's sentences that were released, in order."""
    notices: tuple[Notice, ...] = ()
    """What the service says beside the answer, the most urgent first."""


class PassagesFound(Struct, frozen=True):
    """First event of an answer: what the answer will rest on."""

    passages: tuple[Passage, ...]


class NoticeGiven(Struct, frozen=True):
    """A notice. Those known from the question and the passages come before any text."""

    notice: Notice


class PassagesDropped(Struct, frozen=True):
    """What a strategy says when ``n`` passages, from the tail, did not fit the model's window."""

    n: int


class Declined(Struct, frozen=True):
    """What a strategy says when its own search does not suffice to answer; nothing follows it."""

    result: SearchResult
    cause: Literal["missing", "nothing", "weak"]


class TextReleased(Struct, frozen=True):
    """Text that passed its checks. All of these joined equal ``Answer.answer``."""

    text: str


class CitationChecked(Struct, frozen=True):
    """A citation that was proven; comes before the text that carries its marker."""

    citation: Citation


class AnswerDone(Struct, frozen=True):
    """Last event of an answer that worked."""

    answer: Answer


class ClarifyAsked(Struct, frozen=True):
    """Last event of an answer that is a question back."""

    answer: Answer


class AnswerFailed(Struct, frozen=True):
    """Last event of an answer whose model failed; the passages came before it."""

    error: str
    """Class name in ``errors.py``: UpstreamFailed or UpstreamTimeout."""
    message: str


AnswerEvent = PassagesFound | NoticeGiven | TextReleased | CitationChecked | AnswerDone | ClarifyAsked | AnswerFailed
