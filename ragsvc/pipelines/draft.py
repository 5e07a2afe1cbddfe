"""What one run of the answer pipeline settles and gathers."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

from msgspec import Struct

from ragsvc.domains.pack import find_pack
from ragsvc.prompting import Language
from ragsvc.protocols import ChatModel
from ragsvc.records import Answer, Citation, Passage, SearchResult, TextPiece, Usage


class Plan(Struct, frozen=True, kw_only=True):
    """Who answers how."""

    model: str
    strategy: str
    language: Language
    domains: tuple[str, ...]
    """Of the collections asked; the first one's prompts and threshold are used, the disclaimers of all are shown."""
    chat_model: ChatModel | None


class Draft:
    """What one run gathers for its ``Answer``."""

    def __init__(self) -> None:
        self.passages: tuple[Passage, ...] = ()
        self._generation = ""
        self._usage = Usage()
        self._timings_ms: dict[str, float] = {}
        self._started = time.perf_counter()

    def found(self, result: SearchResult) -> None:
        self.passages = result.passages
        self._generation = result.index_generation
        self._timings_ms = dict(result.timings_ms)
        self._mark("found")

    def wrote(self, piece: TextPiece) -> None:
        self._usage = piece.usage or self._usage
        if piece.text and "first_text" not in self._timings_ms:
            self._mark("first_text")

    def answer(self, plan: Plan, text: str, citations: Sequence[Citation] = (), reason: str | None = None) -> Answer:
        """Return the answer; with a ``reason`` it is an abstention."""
        self._mark("total")
        disclaimers = dict.fromkeys(find_pack(domain).disclaimer[plan.language] for domain in plan.domains)
        return Answer(
            answer_id=str(uuid.uuid4()),
            answer=text,
            citations=tuple(citations),
            passages=self.passages,
            abstained=reason is not None,
            reason=reason,
            disclaimer="\n".join(disclaimers),
            model=plan.model,
            strategy=plan.strategy,
            index_generation=self._generation,
            timings_ms=self._timings_ms,
            usage=self._usage,
        )

    def _mark(self, stage: str) -> None:
        """Note the milliseconds since the question came."""
        self._timings_ms[stage] = round((time.perf_counter() - self._started) * 1000, 3)
