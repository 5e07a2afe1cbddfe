"""What one run of the answer pipeline settles and gathers."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence

from msgspec import Struct

from ragsvc.citing.defusing import defuse
from ragsvc.domains.pack import find_pack
from ragsvc.prompting import Language
from ragsvc.protocols import ChatModel
from ragsvc.records import (
    Answer,
    Citation,
    Clarification,
    GroundedSentence,
    ModelFailure,
    Notice,
    Passage,
    SearchResult,
    Step,
    TextPiece,
    Usage,
)
from ragsvc.retrieval.abstention import AbstentionModel
from ragsvc.strategies.calls import add_usage
from ragsvc.strategies.rewriting import Rewritten


class Plan(Struct, frozen=True, kw_only=True):
    """Who answers how."""

    model: str
    strategy: str
    language: Language
    domains: dict[str, str]
    """Collection -> domain, of those that were asked."""
    chat_model: ChatModel | None
    abstention: Mapping[str, AbstentionModel] = {}
    """Collection -> its own thresholds, of those that have some for this language."""
    default_strategy: str = ""
    """Of the collections that were asked, where they agree."""
    next_models: tuple[str, ...] = ()
    """Models to ask, in this order, if this one fails before any of its text was released."""
    failures: tuple[ModelFailure, ...] = ()
    """The models that failed before this one."""

    def domain(self, sources: Sequence[Passage | Citation]) -> str:
        """The domain whose prompts and threshold apply: the best source's."""
        asked = next(iter(self.domains.values()), "general")
        return self.domains.get(sources[0].collection, asked) if sources else asked

    def disclaimer(self, citations: Sequence[Citation], passages: Sequence[Passage]) -> str:
        """The disclaimers of the domains that the answer rests on, or would have."""
        resting_on = [self.domain([citation]) for citation in citations] or [self.domain(passages)]
        return "\n".join(dict.fromkeys(find_pack(domain).disclaimer[self.language] for domain in resting_on))


class Draft:
    """What one run gathers for its ``Answer``."""

    def __init__(self) -> None:
        self.passages: tuple[Passage, ...] = ()
        self.n_dropped = 0
        self.steps: list[Step] = []
        self.clarify: Clarification | None = None
        self.grounding: tuple[GroundedSentence, ...] = ()
        self.notices: list[Notice] = []
        self.reason: str | None = None
        """Why the strategy declined to answer."""
        self._generation = ""
        self._rewritten: Rewritten | None = None
        self._usage: Usage | None = None
        self._finish_reason: str | None = None
        self._reasoning: list[str] = []
        self._timings_ms: dict[str, float] = {}
        self._started = time.perf_counter()

    def rewrote(self, rewritten: Rewritten) -> None:
        """Note what was done to the question before the search."""
        self._rewritten = rewritten

    def found(self, result: SearchResult) -> None:
        self.passages = result.passages
        self._generation = result.index_generation
        self._timings_ms = dict(result.timings_ms)
        self._mark("found")

    def note(self, notice: Notice) -> Notice:
        """Add a notice and return it."""
        self.notices.append(notice)
        return notice

    def begin(self, passages: tuple[Passage, ...]) -> None:
        """Forget what a model that failed, or a draft that is written again, has left."""
        self.passages = passages
        self.n_dropped = 0
        self.steps.clear()
        self._reasoning.clear()

    def wrote(self, piece: TextPiece) -> None:
        self._usage = piece.usage or self._usage
        self._finish_reason = piece.finish_reason or self._finish_reason
        self._reasoning.append(piece.reasoning)
        if piece.text and "first_text" not in self._timings_ms:
            self._mark("first_text")

    def answer(self, plan: Plan, text: str, citations: Sequence[Citation] = (), reason: str | None = None) -> Answer:
        """Return the answer; with a ``reason``, given here or by the strategy, it is an abstention."""
        self._mark("total")
        reason = reason if reason is not None else self.reason
        return Answer(
            answer_id=str(uuid.uuid4()),
            answer=text,
            citations=tuple(citations),
            passages=self.passages,
            abstained=reason is not None,
            reason=reason,
            disclaimer=plan.disclaimer(citations, self.passages),
            model=plan.model,
            strategy=plan.strategy,
            index_generation=self._generation,
            timings_ms=self._timings_ms,
            usage=add_usage(self._rewritten.usage if self._rewritten else None, self._usage) or Usage(),
            finish_reason=self._finish_reason,
            reasoning=defuse("".join(self._reasoning), plan.language),
            fallbacks=plan.failures,
            n_passages_dropped=self.n_dropped,
            steps=(*([self._rewritten.step] if self._rewritten else []), *self.steps),
            clarify=self.clarify,
            grounding=self.grounding,
            notices=tuple(self.notices),
        )

    def _mark(self, stage: str) -> None:
        """Note the milliseconds since the question came."""
        self._timings_ms[stage] = round((time.perf_counter() - self._started) * 1000, 3)
