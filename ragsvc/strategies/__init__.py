"""How retrieval and generation are woven: one file per design, found by name."""

from __future__ import annotations

from collections.abc import Sequence

from ragsvc.errors import InvalidInput
from ragsvc.records import AskRequest
from ragsvc.store.rows import Collection
from ragsvc.strategies import (
    bentsao,
    bianque,
    chatlaw,
    chatlaw_sop,
    direct,
    doctorglm,
    extractive,
    lawgpt,
    lawyer_llama,
    moss,
)
from ragsvc.strategies.conversation import all_user_turns, standing_question, user_turns
from ragsvc.strategies.task import Strategy, Task

__all__ = [
    "EXTRACTIVE",
    "JUDGES_ITSELF",
    "NEEDS_NO_MODEL",
    "SEARCHES_ALL_TURNS",
    "STRATEGIES",
    "Strategy",
    "Task",
    "agreed_strategy",
    "choose_strategy",
    "searched_question",
    "user_turns",
]

EXTRACTIVE = "extractive"
"""Name of the strategy that needs no chat model, and of the model that stands for it."""

STRATEGIES: dict[str, Strategy] = {
    EXTRACTIVE: extractive.stream,
    "direct": direct.stream,
    "lawyer_llama": lawyer_llama.stream,
    "chatlaw": chatlaw.stream,
    "chatlaw_sop": chatlaw_sop.stream,
    "lawgpt": lawgpt.stream,
    "bianque": bianque.stream,
    "bentsao": bentsao.stream,
    "doctorglm": doctorglm.stream,
    "moss": moss.stream,
}
NEEDS_NO_MODEL = frozenset({EXTRACTIVE, "lawyer_llama", "chatlaw_sop", "bentsao", "doctorglm"})
"""Without a chat model they keep their way of finding, and the sentences found are quoted."""
JUDGES_ITSELF = frozenset({"bianque", "chatlaw_sop", "doctorglm"})
"""They turn the question into another one first, and judge by ``Task.why_abstain`` what that found."""
SEARCHES_ALL_TURNS = frozenset({"lawyer_llama", "bianque", "chatlaw_sop"})
"""They search for all that the user said, as published."""


def searched_question(strategy: str, request: AskRequest) -> str:
    """Return what is searched for before the strategy begins: the question, with earlier turns where they belong."""
    return all_user_turns(request) if strategy in SEARCHES_ALL_TURNS else standing_question(request)


def agreed_strategy(collections: Sequence[Collection]) -> str:
    """Return the default strategy of these collections where all of them have the same one; else empty."""
    names = {collection.strategy for collection in collections}
    return names.pop() if len(names) == 1 else ""


def choose_strategy(name: str, model: str) -> str:
    """Return the name of the strategy; an empty one means extractive for the model of that name, else direct.

    Raises:
        InvalidInput: there is no such strategy, or it needs a chat model and none was named.
    """
    name = name or (EXTRACTIVE if model == EXTRACTIVE else "direct")
    if name not in STRATEGIES:
        raise InvalidInput(f"strategy {name!r} was asked for; there are {', '.join(STRATEGIES)}")
    if name not in NEEDS_NO_MODEL and model == EXTRACTIVE:
        raise InvalidInput(f"strategy {name!r} needs a chat model, but the model is {model!r}: name one")
    return name
