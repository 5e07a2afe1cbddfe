"""BianQue: ask like a doctor, one question at a time and never one twice; then advise from sources.

    1. while the last turn was a reply to a question back (or is the first), the model may ask one more question
    2. it is asked if it is a question, is new, and fewer than ``MOST_QUESTIONS`` were asked
    3. otherwise: search for all that was said, and advise from what was found

A model that does not ask, asks again what it asked, or writes advice at once is taken to know enough.

Source: scutcyr/BianQue bianque_v1_v2_app.py. Its two models (one that asks, one that advises) are here one model with
two prompts, which are ours; its greeting is a profile's opening line. The authors' models advise from memory, ours
from passages: where these do not suffice the question is declined, with what is missing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from ragsvc.prompting import neutralise
from ragsvc.records import Clarification, Declined, Message, PassagesDropped, Step
from ragsvc.strategies.asking import choices_of, is_new, last_was_question, questions_asked, read_question
from ragsvc.strategies.calls import Calls, prompts
from ragsvc.strategies.conversation import past_turns, user_turns
from ragsvc.strategies.last_call import chat_call
from ragsvc.strategies.task import StrategyEvent, Task

MOST_QUESTIONS = 8
TEMPLATES = ("bianque-1", "bianque-2")
"""Of its own models: they are shown the dialogue alone, as they were trained on it."""


async def stream(task: Task) -> AsyncGenerator[StrategyEvent, None]:
    """Ask back or advise."""
    assert task.model is not None, "strategies/__init__.py names this strategy only with a model"
    calls = Calls(task)
    asked = questions_asked(task.request)
    is_open = not task.request.history or last_was_question(task.request)
    if is_open and len(asked) < MOST_QUESTIONS:
        said = await calls.ask(_dialogue(task, asked))
        question = read_question(said)
        yield Step("ask", "\n".join(user_turns(task.request)), said)
        if question and is_new(question, asked):
            yield calls.used
            yield Clarification(
                question=question, number=len(asked) + 1, most=MOST_QUESTIONS, choices=choices_of(question)
            )
            return

    if cause := task.why_abstain(task.result):
        yield calls.used
        yield Declined(task.result, cause)
        return
    passages = task.result.passages
    call = chat_call(task, passages, prompts("bianque")[task.language]["advise"])
    if call.n_passages < len(passages):
        yield PassagesDropped(len(passages) - call.n_passages)
    async with aclosing(calls.write(call.messages, passages[: call.n_passages], ("\n病人：", "\n医生："))) as pieces:
        async for event in pieces:
            yield event


def _dialogue(task: Task, asked: list[str]) -> tuple[Message, ...]:
    assert task.model is not None
    dialogue = (*past_turns(task), Message("user", neutralise(task.request.question)))
    if task.model.template in TEMPLATES:
        return dialogue
    texts = prompts("bianque")[task.language]
    already = "\n".join(f"- {neutralise(question)}" for question in asked)
    rules = texts["ask"] + (f"\n\n{texts['asked']}\n{already}" if already else "")
    return (Message("system", rules), *dialogue)
