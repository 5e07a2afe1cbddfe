"""DoctorGLM: rewrite what the patient says to one disease, look that disease up, take nothing that is not near enough.

    1. rewrite   the model replaces the description by the name of one disease
    2. look up   the title nearest to that name by cosine; under ``LEAST_COSINE`` there is no context
    3. answer    from the passages of that page that are nearest to the question

Where the authors' model then answers from memory, ours declines and says what is missing. A model that names no
disease (nothing, a sentence) is passed over: a title that the question itself holds is looked up, and without one the
passages of the question are judged and answered from. Without a model that is the whole of it.

Source: xionghonglin/DoctorGLM Doctor_GLM/seach_engine.py. Its threshold (a raw dot product of 250) belongs to its
encoder; prompt (after theirs: one name, at most six characters) and threshold are ours.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from anyio import to_thread
from msgspec.structs import replace

from ragsvc.prompting import neutralise
from ragsvc.protocols import Embedder
from ragsvc.records import Declined, Message, Passage, PassagesDropped, PassagesFound, SearchResult, Step
from ragsvc.strategies import extractive
from ragsvc.strategies.calls import Calls, prompts
from ragsvc.strategies.conversation import standing_question
from ragsvc.strategies.knowledge_table import entities_of, named_entity
from ragsvc.strategies.last_call import chat_call
from ragsvc.strategies.task import StrategyEvent, Task

LEAST_COSINE = 0.5
"""With the shipped encoder other names of a listed disease are at .55 to .92 (糖尿病, 甲亢, migraine with aura), those
of diseases that are not listed at .07 to .25; a synonym without a common word (hypertension) stays under it."""
CANDIDATES = 30
"""Passages whose titles are compared with the name."""
MOST_HAN, MOST_WORDS = 12, 6
"""Of a name: the prompt asks for six characters; longer names exist, sentences are none."""
_SIGN = re.compile(r"^\W*(?:疾病名称?|疾病|病名|disease)?\s*[:：]?\s*", re.IGNORECASE)
_ENDS = " \t。.!！“”\"'《》"
_IS_SENTENCE = re.compile(r"[，,；;？?：:]|。.")


async def stream(task: Task) -> AsyncGenerator[StrategyEvent, None]:
    """Answer from the page of one disease, or decline."""
    calls = Calls(task)
    texts = prompts("doctorglm")[task.language]
    question = standing_question(task.request)

    gave = await calls.ask((Message("system", texts["rewrite"]), Message("user", neutralise(question))), 200)
    yield Step("rewrite", question, gave)
    name = read_name(gave) or named_entity(question, task.result.passages)

    passages: tuple[Passage, ...] = task.result.passages
    if name:
        found = await task.search(task.request_for(name, CANDIDATES))
        title, cosine, page = await _nearest(task, name, found)
        yield Step("look_up", name, f"{title} {cosine:.3f}".strip())
        if page is None:
            yield calls.used
            yield Declined(found, "weak")
            return
        passages = await _of_page(task, question, page)
        yield PassagesFound(passages)
    elif cause := task.why_abstain(task.result):
        yield calls.used
        yield Declined(task.result, cause)
        return

    async with aclosing(_answer(task, calls, passages, texts["answer"])) as pieces:
        async for event in pieces:
            yield event


def read_name(text: str) -> str:
    """Return the disease that a model named, on its first line; empty when that is no name."""
    first = next(iter(text.strip().splitlines()), "")
    name = _SIGN.sub("", first).strip(_ENDS)
    is_short = len(name) <= MOST_HAN if not name.isascii() else len(name.split()) <= MOST_WORDS
    return name if is_short and len(name) > 1 and not _IS_SENTENCE.search(name) else ""


async def _nearest(task: Task, name: str, found: SearchResult) -> tuple[str, float, Passage | None]:
    """Return the nearest title, its cosine with ``name``, and a passage under it: None under the threshold."""
    titles = {title: p for p in reversed(found.passages) for title in entities_of(p)}
    if not titles:
        return "", 0.0, None
    arguments = (name, list(titles), task.embedder)
    title, cosine = await to_thread.run_sync(nearest_title, *arguments, limiter=task.limiter)
    return title, cosine, titles[title] if cosine >= LEAST_COSINE else None


def nearest_title(name: str, titles: Sequence[str], embedder: Embedder) -> tuple[str, float]:
    """Return the title of the highest cosine with ``name``, and that cosine; both are compared as passages."""
    vectors = embedder.embed_passages([name, *titles])
    cosines = vectors[1:] @ vectors[0]
    best = int(cosines.argmax())
    return titles[best], float(cosines[best])


async def _of_page(task: Task, question: str, page: Passage) -> tuple[Passage, ...]:
    """Return the passages of one document that are nearest to the question."""
    request = task.request_for(question)
    found = await task.search(replace(request, filters=replace(request.filters, documents=(page.document_id,))))
    return found.passages or (page,)


async def _answer(
    task: Task, calls: Calls, passages: tuple[Passage, ...], rule: str
) -> AsyncGenerator[StrategyEvent, None]:
    if task.model is None:
        shown = replace(task.result, passages=passages, addressed=0)
        async with aclosing(extractive.stream(replace(task, result=shown))) as quoted:
            async for quotation in quoted:
                yield quotation
        return
    call = chat_call(task, passages, rule)
    if call.n_passages < len(passages):
        yield PassagesDropped(len(passages) - call.n_passages)
    async with aclosing(calls.write(call.messages, passages[: call.n_passages])) as pieces:
        async for event in pieces:
            yield event
