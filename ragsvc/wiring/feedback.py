"""What readers think of answers, and what they asked in vain.

An answer is remembered for some hours, on the service's side and without its question, so that a thumb is one small
request: a receipt that travelled with every answer would double it, and would leave in every browser what the
operator wants to see only where somebody complains. It is in one file of the home, so any worker takes the feedback.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec.structs import asdict, replace

from ragsvc.errors import InvalidInput, NotFound
from ragsvc.records import Answer, AskRequest
from ragsvc.security.redaction import redact
from ragsvc.settings import Settings
from ragsvc.store.database import Database
from ragsvc.store.feedback import Feedback, FeedbackFilter, GivenFeedback, Said
from ragsvc.store.passing import PassingFile
from ragsvc.store.receipts import Receipt, Receipts
from ragsvc.store.recent import Declined, DeclinedQuestion, RecentAnswer, RecentAnswers


class FeedbackWithReceipt(GivenFeedback, frozen=True, kw_only=True):
    """What was said and what about."""

    receipt: Receipt


class ReaderFeedback:
    """Remembers answers, takes what readers say about them, and shows it to who runs the service."""

    def __init__(self, database: Database, passing: PassingFile, settings: Settings) -> None:
        self._settings = settings
        self._recent = RecentAnswers(passing)
        self._declined = Declined(passing)
        self._receipts = Receipts(database)
        self._feedback = Feedback(database)

    def remember(self, answer: Answer, request: AskRequest, *, key_id: str, asker: str) -> None:
        """Keep an answer for as long as the settings say, and what was asked only if they say so."""
        question = redact(request.question) if self._settings.keep_questions else None
        if self._settings.feedback_hours:
            recent = RecentAnswer(
                answer=replace(answer, passages=(), steps=(), reasoning=""),
                key_id=key_id,
                collections=request.collections,
                as_of=request.as_of,
                question=question,
            )
            self._recent.keep(recent, asker, self._settings.feedback_hours)
        if question and answer.abstained:
            self._declined.keep(
                DeclinedQuestion(
                    answer_id=answer.answer_id,
                    asked_at=time.time(),
                    key_id=key_id,
                    question=question,
                    collections=request.collections,
                    as_of=request.as_of,
                    reason=answer.reason or "",
                )
            )

    def give(self, said: Said, *, asker: str, question: str | None = None) -> GivenFeedback:
        """Keep what a reader says, with the answer's receipt.

        Args:
            said: by the reader; its comment is redacted.
            asker: who asked: nobody else may speak about the answer.
            question: in the reader's words, if the reader wants it to be kept.

        Raises:
            NotFound: no such answer of this asker, or its hours are over.
            InvalidInput: the answer has no such citation.
        """
        recent = self._recent.find(said.answer_id, asker, self._settings.feedback_hours)
        markers = sorted({citation.marker for citation in recent.answer.citations})
        if said.marker and said.marker not in markers:
            raise InvalidInput(f"marker {said.marker!r} is not in this answer; it has {', '.join(markers) or 'none'}")
        self._receipts.keep(
            recent.answer,
            collections=recent.collections,
            as_of=recent.as_of,
            key_id=recent.key_id,
            question=redact(question) if question else recent.question,
        )
        return self._feedback.give(
            replace(said, comment=redact(said.comment)),
            key_id=recent.key_id,
            collections=recent.collections,
            model=recent.answer.model,
        )

    def list(self, wanted: FeedbackFilter, offset: int = 0, limit: int = 100) -> list[FeedbackWithReceipt]:
        """Return a page of feedback, newest first, each with its receipt."""
        shown = []
        for given in self._feedback.list(wanted, offset, limit):
            try:
                shown.append(FeedbackWithReceipt(**asdict(given), receipt=self._receipts.get(given.answer_id)))
            except NotFound:  # forgotten meanwhile, and the feedback with it
                continue
        return shown

    def declined(self, readable: Sequence[str] = (), offset: int = 0, limit: int = 100) -> Sequence[DeclinedQuestion]:
        """Return a page of declined questions, newest first."""
        return self._declined.list(readable, offset, limit)
