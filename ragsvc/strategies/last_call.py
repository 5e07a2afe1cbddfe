"""Messages of the call that writes the answer, in chat messages or in a published model's own form."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ragsvc.prompting import as_data, build_prompt, estimated_tokens, neutralise
from ragsvc.records import Message, Passage
from ragsvc.strategies.conversation import past_turns
from ragsvc.strategies.naming import source_line
from ragsvc.strategies.task import Task

_FRAMING_TOKENS = 200
"""What a model's own form takes of a prompt, generously."""


class LastCall(Struct, frozen=True):
    """Messages, and how many of the passages they hold: ``passages[:n_passages]``."""

    messages: tuple[Message, ...]
    n_passages: int


def chat_call(task: Task, passages: Sequence[Passage], rule: str = "", question: str = "") -> LastCall:
    """Return the domain's rules and ``rule``, the earlier turns, and the numbered passages with the question.

    Raises:
        InvalidInput: the question leaves no room for a passage.
    """
    system = "\n\n".join(filter(None, (task.pack.system_prompt[task.language], rule)))
    past = past_turns(task)
    room = task.prompt_tokens - sum(estimated_tokens(turn.content) for turn in past)
    prompt = build_prompt(question or task.request.question, passages, system, task.language, room)
    rules, last = prompt.messages
    return LastCall((rules, *past, last), prompt.n_passages)


def own_call(task: Task, passages: Sequence[Passage]) -> LastCall:
    """Return the bare turns and the passages as references, for a model whose literal template has a place for them.

    The template brings its own system line. What does not fit is left out from the tail; the first is cut.
    """
    past = past_turns(task)
    question = neutralise(task.request.question)
    left = task.prompt_tokens - _FRAMING_TOKENS - estimated_tokens(question)
    left -= sum(estimated_tokens(turn.content) for turn in past)
    lines: list[str] = []
    for passage in passages:
        line = as_data(source_line(passage))
        if estimated_tokens(line) > left:
            if not lines and left > 0:
                lines.append(line[:left])  # a token is a character at least
            break
        lines.append(line)
        left -= estimated_tokens(line)
    return LastCall((*past, Message("user", question, references=tuple(lines))), len(lines))
