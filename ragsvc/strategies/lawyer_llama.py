"""Lawyer LLaMA: the user's turns find three articles, and the model is told that some of them may not belong.

    1. search for all that the user said, joined by spaces
    2. the first three articles; none of them is near = the prompt without references
    3. the answer; a sentence that names an article gets its mark

The model it is named after is written to in its own form, references between question and answer, on the last turn
only; any other gets chat messages with the same sentence. Without a model the sentences found are quoted.

Source: AndrewZhe/lawyer-llama demo/demo_cmd.py, demo_web.py; arXiv 2305.15062. The authors' retriever is a classifier
over articles of the Civil Code that may return nothing; ours is the search of the collection, and when "nothing" is
returned is our own rule: an article that shares no word with the question and whose cosine is under ``LEAST_COSINE``.
Under the threshold that was fitted for the collection no model is asked at all.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from msgspec.structs import replace

from ragsvc.prompting import neutralise
from ragsvc.records import Message, Passage, PassagesDropped, PassagesFound
from ragsvc.strategies import extractive
from ragsvc.strategies.calls import Calls, prompts
from ragsvc.strategies.conversation import past_turns
from ragsvc.strategies.last_call import LastCall, chat_call, own_call
from ragsvc.strategies.task import StrategyEvent, Task

ARTICLES = 3
LEAST_COSINE = 0.2
TEMPLATE = "lawyer-llama"
_STOPS = ("### Human:", "### 参考法条:", "### Assistant:")


async def stream(task: Task) -> AsyncGenerator[StrategyEvent, None]:
    """Answer from three articles, or without any."""
    first = task.result.passages[:ARTICLES]
    articles = tuple(p for n, p in enumerate(first) if n < task.result.addressed or _is_near(p))
    if articles != task.result.passages:
        yield PassagesFound(articles)
    if task.model is None:
        found = replace(task.result, passages=articles, addressed=min(task.result.addressed, len(articles)))
        async with aclosing(extractive.stream(replace(task, result=found))) as quoted:
            async for quotation in quoted:
                yield quotation
        return

    call = last_call(task, articles)
    if call.n_passages < len(articles):
        yield PassagesDropped(len(articles) - call.n_passages)
    async with aclosing(Calls(task).write(call.messages, articles[: call.n_passages], _STOPS)) as pieces:
        async for event in pieces:
            yield event


def _is_near(article: Passage) -> bool:
    """Whether an article has to do with the question; one that no arm scored was not found by searching."""
    scores = article.scores
    return scores.lexical is not None or scores.dense is None or scores.dense >= LEAST_COSINE


def last_call(task: Task, articles: tuple[Passage, ...]) -> LastCall:
    """Return what the model is sent for these articles, or without any: what it is also trained on."""
    assert task.model is not None
    if task.model.template == TEMPLATE:
        return own_call(task, articles)
    if articles:
        return chat_call(task, articles, prompts("lawyer_llama")[task.language]["with_references"])
    rules = Message("system", prompts("lawyer_llama")[task.language]["without_references"])
    return LastCall((rules, *past_turns(task), Message("user", neutralise(task.request.question))), 0)
