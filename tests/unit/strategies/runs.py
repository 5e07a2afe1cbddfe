"""Runs a strategy with a model that follows one script a call, and keeps all that came of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from anyio import CapacityLimiter

from ragsvc.domains.pack import find_pack
from ragsvc.records import (
    AskRequest,
    Clarification,
    Declined,
    Message,
    Passage,
    PassagesDropped,
    PassagesFound,
    SearchRequest,
    SearchResult,
    Step,
    TextPiece,
)
from ragsvc.strategies import STRATEGIES
from ragsvc.strategies.task import Task
from tests.doubles import ScriptedModel, WordEmbedder

END = TextPiece(finish_reason="stop")
Script = str | Sequence[str | TextPiece | float | Exception]


class Calls(ScriptedModel):
    """Follows one script after the other; the last one again. A text is a script that ends well."""

    def __init__(self, *scripts: Script, template: str = "", prompt_tokens: int | None = None) -> None:
        super().__init__()
        self.scripts = [(script, END) if isinstance(script, str) else tuple(script) for script in scripts]
        self.template = template
        self.prompt_tokens = prompt_tokens

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        self.script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        async with aclosing(super().stream(messages)) as pieces:
            async for piece in pieces:
                yield piece


class Run:
    """What a run gave."""

    def __init__(self) -> None:
        self.text = ""
        self.pieces: list[TextPiece] = []
        self.passages: tuple[Passage, ...] | None = None
        """As announced by the strategy; None = those it was given."""
        self.n_dropped = 0
        self.searched: list[SearchRequest] = []
        self.steps: dict[str, Step] = {}
        self.clarify: Clarification | None = None
        self.declined: Declined | None = None


async def run_of(
    strategy: str,
    model: Any,
    passages: Sequence[Passage],
    *,
    question: str = "违约金能少付吗？",
    searches: Mapping[str, Sequence[Passage]] | None = None,
    why_abstain: Callable[[SearchResult], Any] = lambda _: None,
    addressed: int = 0,
    domain: str = "law",
    language: Any = "zh",
    **request: Any,
) -> Run:
    """Run a strategy. ``searches`` maps a part of what is searched for to what is found; else ``passages`` are."""
    run = Run()

    async def search(asked: SearchRequest) -> SearchResult:
        run.searched.append(asked)
        found = next((f for part, f in (searches or {}).items() if part in asked.question), passages)
        documents = asked.filters.documents
        kept = [passage for passage in found if not documents or passage.document_id in documents]
        return SearchResult(passages=tuple(kept[: asked.k]), top_cosine=0.8)

    task = Task(
        request=AskRequest(question=question, collections=("laws",), **request),
        result=SearchResult(passages=tuple(passages), addressed=addressed, top_cosine=0.8),
        language=language,
        pack=find_pack(domain),
        model=model,
        embedder=WordEmbedder(),
        search=search,
        limiter=CapacityLimiter(1),
        why_abstain=why_abstain,
    )
    async for event in STRATEGIES[strategy](task):
        assert run.clarify is None, "nothing follows a question back"
        assert run.declined is None, "nothing follows a refusal"
        match event:
            case PassagesFound(passages=found):
                assert not run.text, "marks would count in other passages"
                run.passages = found
            case PassagesDropped(n=n):
                run.n_dropped = n
            case Step():
                run.steps[event.name] = event
            case Clarification():
                run.clarify = event
            case Declined():
                run.declined = event
            case TextPiece():
                run.pieces.append(event)
                run.text += event.text
    return run
