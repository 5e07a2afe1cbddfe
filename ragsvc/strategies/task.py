"""What a strategy is given and what it gives back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable

from anyio import CapacityLimiter
from msgspec import Struct

from ragsvc.domains.pack import DomainPack
from ragsvc.prompting import DEFAULT_BUDGET, Language
from ragsvc.protocols import ChatModel, Embedder
from ragsvc.records import AskRequest, PassagesDropped, PassagesFound, SearchRequest, SearchResult, TextPiece


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

    @property
    def prompt_tokens(self) -> int:
        """Most tokens of a prompt to ``model``: its window less the answer; a cautious guess where that is unknown."""
        return (self.model.prompt_tokens if self.model else None) or DEFAULT_BUDGET


Strategy = Callable[[Task], AsyncGenerator[TextPiece | PassagesFound | PassagesDropped, None]]
"""Yields the answer as it is written; marks like [2] count in ``task.result.passages``.

A strategy that searches again yields ``PassagesFound`` before it writes: from there on marks count in those. One whose
prompt does not hold all passages yields ``PassagesDropped``. Closing the generator closes the model's stream. The last
piece may carry usage and finish reason. Raises UpstreamFailed.
"""
