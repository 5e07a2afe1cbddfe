"""What a strategy is given and what it gives back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Literal

from anyio import CapacityLimiter
from msgspec import Struct

from ragsvc.domains.pack import DomainPack
from ragsvc.prompting import DEFAULT_BUDGET, Language
from ragsvc.protocols import ChatModel, Embedder
from ragsvc.records import (
    AskRequest,
    Clarification,
    Declined,
    PassagesDropped,
    PassagesFound,
    SearchRequest,
    SearchResult,
    Step,
    TextPiece,
)

Cause = Literal["missing", "nothing", "weak"]


def _never(result: SearchResult) -> Cause | None:
    return None


class Task(Struct, frozen=True, kw_only=True):
    """One question, after its retrieval was found good enough to answer from."""

    request: AskRequest
    result: SearchResult
    language: Language
    pack: DomainPack
    model: ChatModel | None
    """None when the answer needs no chat model."""
    embedder: Embedder
    search: Callable[[SearchRequest], Awaitable[SearchResult]]
    """For a strategy that rewrites the question or asks several."""
    limiter: CapacityLimiter
    """Bounds the threads for work that keeps a core busy."""
    why_abstain: Callable[[SearchResult], Cause | None] = _never
    """Why a result does not suffice to answer from, by the threshold fitted for the domain; None = it does."""

    @property
    def prompt_tokens(self) -> int:
        """Most tokens of a prompt to ``model``: its window less the answer; a cautious guess where that is unknown."""
        return (self.model.prompt_tokens if self.model else None) or DEFAULT_BUDGET

    def request_for(self, question: str, k: int | None = None) -> SearchRequest:
        """Return a search that goes where the question of the task may: its collections, day and filters."""
        asked = self.request
        return SearchRequest(
            question=question, collections=asked.collections, as_of=asked.as_of, k=k or asked.k, filters=asked.filters
        )


StrategyEvent = TextPiece | PassagesFound | PassagesDropped | Step | Clarification | Declined

Strategy = Callable[[Task], AsyncGenerator[StrategyEvent, None]]
"""Yields the answer as it is written; marks like [2] count in ``task.result.passages``.

A strategy that searches again yields ``PassagesFound`` before it writes: from there on marks count in those. One whose
prompt does not hold all passages yields ``PassagesDropped``. ``Step``s say what was done before the answer. A strategy
that asks back yields ``Clarification``, one that found too little ``Declined``, and ends. Closing the generator closes
the model's stream. The last piece may carry usage and finish reason. Raises UpstreamFailed.
"""
