"""What is written down about an answer before its reader has it whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread
from litestar.datastructures import State

from ragsvc import records
from ragsvc.api import limits, schemas
from ragsvc.api.access import Caller
from ragsvc.observability import metrics
from ragsvc.observability.audit import AuditLog

if TYPE_CHECKING:
    from ragsvc.wiring import Service


class Recorder:
    """Counts what became of one question, audits its answer, and remembers it for feedback.

    Args:
        state: of the application.
        caller: who asked.
        question: as it was asked.
    """

    def __init__(self, state: State, caller: Caller, question: records.AskRequest) -> None:
        self._service: Service = state.service
        self._audit: AuditLog | None = state.audit
        self._caller = caller
        self._question = question

    async def answered(self, answer: records.Answer) -> schemas.Answer:
        """Record an answer and return it as it is sent.

        Raises:
            OSError: it cannot be audited, so it is not to be given.
        """
        metrics.record_answer(answer)
        used = (answer.usage.prompt_tokens or 0) + (answer.usage.completion_tokens or 0)
        await limits.count_tokens(self._service, self._caller, used)
        await to_thread.run_sync(self._write, answer)
        return schemas.out(answer, schemas.Answer)

    def _write(self, answer: records.Answer) -> None:
        if self._audit:
            self._audit.append(answer, self._caller.key_id)
        self._service.feedback.remember(answer, self._question, key_id=self._caller.key_id, asker=self._caller.asker)

    def failed(self) -> None:
        """Record that the model failed."""
        metrics.record_failure(self._question.model or "")
