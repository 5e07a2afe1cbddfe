"""The wire of what readers say about answers, and of what was asked in vain."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from ragsvc.api.schemas import Name, Question, Request
from ragsvc.security.input_limits import MAX_COMMENT_CHARS
from ragsvc.store.feedback import Rating, Reason


class FeedbackRequest(Request):
    """What a reader says about an answer, or with ``marker`` about one of its citations."""

    answer_id: Annotated[Name, Meta(description="As the answer says it; known for some hours to who asked.")]
    rating: Rating
    reason: Reason | None = None
    comment: Annotated[
        str,
        Meta(
            description="In the reader's words; phone numbers and the like are taken out.",
            extra_json_schema={"maxLength": MAX_COMMENT_CHARS, "pattern": r"^[^\u0000]*$"},
        ),
    ] = ""
    marker: Name | None = None
    question: Question | None = None
    """Send it only if the reader wants it to be kept."""


class FeedbackKept(Struct):
    """It was understood and kept. Another about the same answer or citation takes its place."""

    feedback_id: str


class KeptCitation(Struct):
    """A citation of the answer: ``text[start:end] == quote`` in that version."""

    marker: str
    version_id: str
    start: int
    end: int
    quote: str
    title: str
    locator: str


class Receipt(Struct):
    """The answer as it was given; ``question`` only where asker or operator chose to keep it."""

    answer_id: str
    asked_at: float
    question: str | None
    collections: list[str]
    as_of: date | None
    answer: str
    citations: list[KeptCitation]
    index_generation: str


class Feedback(Struct):
    """What was said and what about; empty ``marker`` = the whole answer. Times are seconds since 1970."""

    feedback_id: str
    given_at: float
    rating: Rating
    reason: str
    comment: str
    marker: str
    key_id: str
    model: str
    receipt: Receipt


class FeedbackPage(Struct):
    """A page of feedback, newest first."""

    feedback: list[Feedback]
    offset: int
    limit: int


class DeclinedQuestion(Struct):
    """A question that got no answer, redacted; ``reason`` is what its asker was told."""

    answer_id: str
    asked_at: float
    key_id: str
    question: str
    collections: list[str]
    as_of: date | None
    reason: str


class DeclinedPage(Struct):
    """A page of declined questions, newest first; none unless ``keep_questions`` is set."""

    declined: list[DeclinedQuestion]
    offset: int
    limit: int
