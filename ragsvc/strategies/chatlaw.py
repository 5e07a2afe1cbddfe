"""ChatLaw: keywords and question find references together, the model judges each reference, then it responds.

    1. keywords      the model names the legal terms and laws that the question stands for, whatever words it uses
    2. references    question and keywords are searched; what both found is ordered by the combined vector
    3. suggestion    the model says of each reference whether it belongs (ChatLaw's Self-Suggestion); the rest goes
    4. response      written from the references that are left

ChatLaw's own model is written to in its form, ``References: / Consult: / Response:``; any other gets chat messages.
A step that comes back empty or in another form is passed over: no keywords = the question alone, no clear verdict =
the reference stays. When every reference is judged not to belong, the question is declined.

Source: PKU-YuanGroup/ChatLaw demo/web.py and images/ChatLaw_framework.png; arXiv 2306.16092. The keyword model, the
law database, the weighting of the vectors and the form of the self-suggestion were never released: prompts, "one part
question, one part mean of the keywords" and the verdict lines are ours.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import numpy as np
from anyio import to_thread

from ragsvc.prompting import neutralise
from ragsvc.protocols import Embedder, FloatArray
from ragsvc.records import Declined, Message, Passage, PassagesDropped, PassagesFound, Step
from ragsvc.strategies.calls import Calls, prompts
from ragsvc.strategies.conversation import standing_question
from ragsvc.strategies.judging import judge
from ragsvc.strategies.last_call import chat_call, own_call
from ragsvc.strategies.task import StrategyEvent, Task

MOST_KEYWORDS = 8
MOST_KEYWORD_CHARS = 30
CANDIDATES = 12
"""Passages of each of the two searches, at least."""
TEMPLATE = "chatlaw"
_STOPS = ("\nConsult:", "\nReferences:", "\nResponse:")
_BETWEEN = re.compile(r"[,，、;；\n|｜/]+")
_SIGN = re.compile(r"^\s*(?:[-*•·]|\d{1,2}[.、)）]|(?:关键词|keywords?)\s*[:：])\s*", re.IGNORECASE)
_UNFIT = re.compile(r"[《》“”\"'`<>\[\]{}【】]")


async def stream(task: Task) -> AsyncGenerator[StrategyEvent, None]:
    """Answer from references that two searches found and the model itself picked."""
    assert task.model is not None, "strategies/__init__.py names this strategy only with a model"
    texts = prompts("chatlaw")[task.language]
    question = standing_question(task.request)
    calls = Calls(task)

    said = await calls.ask((Message("system", texts["keywords"]), Message("user", neutralise(question))))
    keywords = read_keywords(said)
    yield Step("keywords", question, said)

    references = await find_references(task, question, keywords)
    yield Step("references", "、".join(keywords), "\n".join(f"{p.title} {p.locator}" for p in references))

    judged = await judge(task, calls, "self_suggestion", texts["suggestion"], question, references)
    yield judged.step
    if not judged.kept:
        yield calls.used
        yield Declined(task.result, "weak")
        return
    yield PassagesFound(judged.kept)

    call = (
        own_call(task, judged.kept)
        if task.model.template == TEMPLATE
        else chat_call(task, judged.kept, texts["response"])
    )
    if left_out := judged.n_unseen + len(judged.kept) - call.n_passages:
        yield PassagesDropped(left_out)
    async with aclosing(calls.write(call.messages, judged.kept[: call.n_passages], _STOPS)) as pieces:
        async for event in pieces:
            yield event


def read_keywords(text: str) -> tuple[str, ...]:
    """Return the keywords that a model listed, in order, each once; a sentence is none."""
    found: dict[str, None] = {}
    for part in _BETWEEN.split(text):
        word = " ".join(_UNFIT.sub(" ", _SIGN.sub("", part)).strip(" 。.：:").split())
        if 1 < len(word) <= MOST_KEYWORD_CHARS and any(map(str.isalnum, word)) and "。" not in word:
            found.setdefault(word)
    return tuple(found)[:MOST_KEYWORDS]


async def find_references(task: Task, question: str, keywords: Sequence[str]) -> tuple[Passage, ...]:
    """Return the references: what the question names first, then the nearest to question and keywords together."""
    if not keywords:
        return task.result.passages
    k = max(CANDIDATES, task.request.k)
    by_question = await task.search(task.request_for(question, k))
    by_keywords = await task.search(task.request_for(" ".join(keywords), k))
    named = by_question.passages[: by_question.addressed]
    both = {p.chunk_id: p for p in (*by_keywords.passages, *by_question.passages)}
    others = [p for chunk, p in both.items() if chunk not in {n.chunk_id for n in named}]
    order = await to_thread.run_sync(_rank, question, keywords, others, task.embedder, limiter=task.limiter)
    return (*named, *(others[at] for at in order))[: task.request.k]


def combined_vector(question: str, keywords: Sequence[str], embedder: Embedder) -> FloatArray:
    """Return the query of shape (dim,): the question's vector plus the mean of the keywords', of unit length."""
    vectors = embedder.embed_queries([question, *keywords])
    combined = vectors[0] + vectors[1:].mean(axis=0)
    return np.asarray(combined / max(float(np.linalg.norm(combined)), 1e-9), np.float32)


def _rank(question: str, keywords: Sequence[str], passages: Sequence[Passage], embedder: Embedder) -> list[int]:
    """Return the places of ``passages`` by cosine with the combined vector plus the fused score that found them."""
    query = combined_vector(question, keywords, embedder)
    windows = [(at, window) for at, p in enumerate(passages) for window in embedder.windows(p.text, p.title)]
    cosines = np.full(len(passages), -1.0)
    if windows:
        np.maximum.at(cosines, [at for at, _ in windows], embedder.embed_passages([w for _, w in windows]) @ query)
    scores = cosines + np.array([p.score for p in passages])
    return [int(at) for at in np.argsort(-scores, kind="stable")]
