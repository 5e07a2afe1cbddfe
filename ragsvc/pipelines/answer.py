"""A question in, an answer out: search -> suffices? -> write -> check -> release.

``stream`` gives the events as they come, ``answer`` the whole; both are the same run.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Protocol, TypeVar, cast

from anyio import CapacityLimiter, to_thread
from msgspec import Struct, structs

from ragsvc.citing import AnswerChecker, ReadText, SentenceCutter
from ragsvc.citing.defusing import defuse
from ragsvc.domains.pack import find_pack
from ragsvc.errors import InvalidInput, SettingsError, UpstreamFailed
from ragsvc.observability.metrics import record_withheld
from ragsvc.pipelines import notices
from ragsvc.pipelines.crowding import MORE, uncrowded
from ragsvc.pipelines.draft import Draft, Plan
from ragsvc.pipelines.regeneration import write_twice
from ragsvc.pipelines.thresholds import own_thresholds
from ragsvc.prompting import Language, language_of
from ragsvc.protocols import ChatModel, Embedder
from ragsvc.records import (
    Answer,
    AnswerDone,
    AnswerEvent,
    AnswerFailed,
    AskRequest,
    Clarification,
    ClarifyAsked,
    Declined,
    ModelFailure,
    NoticeGiven,
    PassagesDropped,
    PassagesFound,
    SearchRequest,
    SearchResult,
    Step,
    TextReleased,
)
from ragsvc.retrieval.abstention import AbstentionModel, Cause, say_missing, say_why, why_abstain
from ragsvc.store.inventory import Inventory
from ragsvc.store.rows import Collection
from ragsvc.strategies import (
    EXTRACTIVE,
    JUDGES_ITSELF,
    NEEDS_NO_MODEL,
    SEARCHES_ALL_TURNS,
    STRATEGIES,
    Task,
    agreed_strategy,
    choose_strategy,
    searched_question,
    user_turns,
)
from ragsvc.strategies.persona import with_persona
from ragsvc.strategies.rewriting import rewrite

T = TypeVar("T")


class Searches(Protocol):
    """What this pipeline needs of ``retrieval.searcher.Searcher``."""

    def search(self, request: SearchRequest) -> SearchResult: ...


class AnswerParts(Struct, frozen=True, kw_only=True):
    """The live objects that an answer passes through. Callables may block: they are called in threads."""

    searcher: Searches
    embedder: Embedder
    find_collections: Callable[[Sequence[str]], Sequence[Collection]]
    """Names (none = all) -> collections; raises NotFound."""
    open_chat_model: Callable[[str], ChatModel]
    """Name -> model, kept open by the callee; raises NotFound, InvalidInput, SettingsError."""
    read_text: ReadText
    abstention: Mapping[tuple[str, Language], AbstentionModel]
    """Per domain and language; one that was fitted for another embedder is not used."""
    default_model: str = EXTRACTIVE
    default_strategy: str = ""
    fallback_models: tuple[str, ...] = ()
    """Asked, in this order, when the model chosen fails before any of its text was released."""
    max_threads: int = 4
    """Questions that keep a core busy at once."""
    inventory: Inventory | None = None
    """Tells what collections cover and what kind of norm a work is; None = titles alone tell the kind."""


class _SeesNothing(InvalidInput):
    """A question comes with pictures, and the model takes none."""


class AnswerPipeline:
    """Answers questions; one object serves a process."""

    def __init__(self, parts: AnswerParts) -> None:
        self._parts = parts
        self._limiter = CapacityLimiter(parts.max_threads)

    async def answer(self, request: AskRequest) -> Answer:
        """Return the whole answer.

        Raises:
            InvalidInput, NotFound: the request cannot be used.
            UpstreamFailed: the chat model failed; ``passages`` on the error are what was found.
        """
        async with aclosing(self._run(request)) as events:
            async for event in events:
                if isinstance(event, AnswerDone | ClarifyAsked):
                    return event.answer
        raise AssertionError("a run ends with AnswerDone, ClarifyAsked or an exception")

    async def stream(self, request: AskRequest) -> AsyncGenerator[AnswerEvent, None]:
        """Yield ``PassagesFound``, notices, text, citations; last ``AnswerDone``, ``ClarifyAsked`` or ``AnswerFailed``.

        Closing the generator cancels the model. What is wrong with the request is raised before the first event.
        """
        has_begun = False
        try:
            async with aclosing(self._run(request)) as events:
                async for event in events:
                    has_begun = True
                    yield event
        except UpstreamFailed as error:
            if not has_begun:
                raise
            yield AnswerFailed(type(error).__name__, str(error))

    async def _run(self, request: AskRequest) -> AsyncGenerator[AnswerEvent, None]:
        plan = await self._plan(request)
        draft = Draft()
        draft.notices = await self._in_thread(notices.of_question, plan, request.question)
        try:
            async with aclosing(self._answered(request, plan, draft)) as events:
                async for event in events:
                    yield event
        except UpstreamFailed as error:
            error.notices = tuple(draft.notices)  # who should seek help is told so whatever fails
            raise

    async def _answered(self, request: AskRequest, plan: Plan, draft: Draft) -> AsyncGenerator[AnswerEvent, None]:
        request = await _rewritten(request, plan, draft)
        result = await self._search(
            SearchRequest(
                question=searched_question(plan.strategy, request),
                collections=request.collections,
                as_of=request.as_of,
                k=request.k,
                filters=request.filters,
            )
        )
        draft.found(result)
        yield PassagesFound(result.passages)
        for notice in draft.notices:
            yield NoticeGiven(notice)

        cause = self._why_abstain(plan, result)
        if cause and not (plan.strategy in JUDGES_ITSELF and cause != "missing"):
            if notices.scope_helps(result):
                yield NoticeGiven(draft.note(await self._in_thread(notices.of_scope, plan, self._parts.inventory)))
            said_why = say_why(cause, result, request.collections, request.as_of, plan.language)
            text, reason = (defuse(words, plan.language) for words in said_why)
            yield TextReleased(text)
            yield AnswerDone(draft.answer(plan, text, reason=reason))
            return

        said = user_turns(request)
        parts = (result.passages, self._parts.read_text, self._parts.inventory)
        for notice in await self._in_thread(notices.of_passages, plan, said, *parts):
            yield NoticeGiven(draft.note(notice))
        rules = notices.release_rules(plan, result.passages)
        checker = AnswerChecker(result.passages, "\n".join(said), plan.language, self._parts.read_text, rules)
        if missing := say_missing(result.missing, plan.language):
            yield checker.release(missing + "\n\n")
        has_text = False

        def forget() -> None:
            checker.use(result.passages)
            draft.begin(result.passages)

        while True:
            try:
                write = partial(self._write, plan=plan, checker=checker, draft=draft)
                async with aclosing(write_twice(write, self._task(request, result, plan), checker, forget)) as events:
                    async for event in events:
                        has_text = has_text or isinstance(event, TextReleased)
                        yield event
                break
            except UpstreamFailed as error:
                if has_text or not plan.next_models:
                    error.passages = draft.passages
                    raise
                failure = ModelFailure(model=plan.model, reason=str(error))
                plan = await self._open(request, plan, plan.next_models, (*plan.failures, failure))
                forget()
        record_withheld(checker.withheld)
        draft.grounding = tuple(checker.grounding)
        answer = draft.answer(plan, checker.text, checker.citations)
        yield ClarifyAsked(answer) if answer.clarify else AnswerDone(answer)

    async def _write(
        self, task: Task, plan: Plan, checker: AnswerChecker, draft: Draft
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Let the strategy write and yield what passed its checks."""
        cutter = SentenceCutter()
        async with aclosing(STRATEGIES[plan.strategy](task)) as pieces:
            async for piece in pieces:
                if isinstance(piece, PassagesFound):
                    checker.use(piece.passages)
                    draft.passages = piece.passages
                    yield piece
                elif isinstance(piece, PassagesDropped):
                    draft.n_dropped = piece.n
                elif isinstance(piece, Step):
                    draft.steps.append(piece)
                elif isinstance(piece, Declined):
                    request = task.request
                    text, draft.reason = say_why(
                        piece.cause, piece.result, request.collections, request.as_of, plan.language
                    )
                    yield checker.release(text)
                    return
                elif isinstance(piece, Clarification):
                    sentences = [*cutter.feed(piece.question), *cutter.finish()]
                    events = await self._in_thread(checker.check, sentences)
                    question = "".join(event.text for event in events if isinstance(event, TextReleased))
                    draft.clarify = structs.replace(piece, question=question.strip())
                    return
                else:
                    draft.wrote(piece)
                    if sentences := cutter.feed(piece.text):
                        for event in await self._in_thread(checker.check, sentences):
                            yield event
        for event in await self._in_thread(checker.finish, cutter.finish()):
            yield event

    async def _plan(self, request: AskRequest) -> Plan:
        """Settle who answers how, before anything is sent."""
        if any(turn.role not in ("user", "assistant") for turn in request.history):
            raise InvalidInput("history has a turn of another role than user or assistant: only those two speak in it")
        if request.language not in (None, "zh", "en"):
            raise InvalidInput(f"language {request.language!r} was asked for; there are zh, en")
        language = cast(Language, request.language) if request.language else language_of(request.question)
        collections = await self._in_thread(self._parts.find_collections, request.collections)
        domains = {collection.name: collection.domain for collection in collections}
        model = request.model or (collections[0].model if collections else "") or self._parts.default_model
        settled = Plan(
            model=model,
            strategy="",
            default_strategy=agreed_strategy(collections),
            language=language,
            domains=domains,
            chat_model=None,
            abstention=own_thresholds(collections, language),
        )
        chain = tuple(dict.fromkeys((model, *self._parts.fallback_models)))
        return await self._open(request, settled, chain, ())

    async def _open(
        self, request: AskRequest, settled: Plan, models: tuple[str, ...], failures: tuple[ModelFailure, ...]
    ) -> Plan:
        """Return the plan of the first model that can be used.

        Raises:
            InvalidInput, NotFound, SettingsError: of the last model, or of a request that no model could serve.
        """
        model, *rest = models
        usual = settled.default_strategy
        if model == EXTRACTIVE and usual not in NEEDS_NO_MODEL:
            usual = ""  # a question that names the model that is none still gets its answer
        asked = request.strategy or usual or self._parts.default_strategy
        is_fallback = bool(failures)
        try:
            strategy = choose_strategy("" if is_fallback and model == EXTRACTIVE else asked, model)
            chat_model = None
            if not (strategy == EXTRACTIVE or (model == EXTRACTIVE and strategy in NEEDS_NO_MODEL)):
                chat_model = await self._in_thread(self._parts.open_chat_model, model)
            if request.images and not (chat_model and chat_model.takes_images):
                raise _SeesNothing(
                    f"{model} takes no pictures: ask it without, or name a model whose entry in the catalogue says "
                    "that it takes images"
                )
        except (SettingsError, _SeesNothing) as error:
            if not rest:
                raise
            return await self._open(
                request, settled, tuple(rest), (*failures, ModelFailure(model=model, reason=str(error)))
            )
        return structs.replace(
            settled,
            model=EXTRACTIVE if strategy == EXTRACTIVE else model,
            strategy=strategy,
            chat_model=chat_model,
            next_models=tuple(rest),
            failures=failures,
        )

    def _task(self, request: AskRequest, result: SearchResult, plan: Plan) -> Task:
        return Task(
            request=request,
            result=result,
            language=plan.language,
            pack=with_persona(find_pack(plan.domain(result.passages)), request.persona),
            model=plan.chat_model,
            embedder=self._parts.embedder,
            search=self._search,
            limiter=self._limiter,
            why_abstain=lambda found: self._why_abstain(plan, found),
        )

    def _why_abstain(self, plan: Plan, result: SearchResult) -> Cause | None:
        best = result.passages[0].collection if result.passages else ""
        of_domain = self._parts.abstention.get((plan.domain(result.passages), plan.language))
        model = plan.abstention.get(best) or of_domain
        fits = model is not None and model.embedder_id == self._parts.embedder.embedder_id
        return why_abstain(result, model if fits else None)

    async def _search(self, request: SearchRequest) -> SearchResult:
        """Search; where near-identical passages of several works take places, what comes after them moves up."""
        result = await self._in_thread(self._parts.searcher.search, request)
        kept = await self._in_thread(uncrowded, result.passages)
        if len(kept) == len(result.passages) or result.addressed:
            return result
        wider = await self._in_thread(self._parts.searcher.search, structs.replace(request, k=MORE * request.k))
        return structs.replace(wider, passages=tuple((await self._in_thread(uncrowded, wider.passages))[: request.k]))

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        return await to_thread.run_sync(function, *arguments, limiter=self._limiter)


async def _rewritten(request: AskRequest, plan: Plan, draft: Draft) -> AskRequest:
    """Let the model say a follow-up question so that it stands alone, where the strategy does not search all turns."""
    if plan.strategy not in SEARCHES_ALL_TURNS and (again := await rewrite(plan.chat_model, request, plan.language)):
        draft.rewrote(again)
        return structs.replace(request, standing=again.question)
    return request
