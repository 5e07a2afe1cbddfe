"""How retrieval and generation are woven: one file per design, found by name."""

from __future__ import annotations

from ragsvc.errors import InvalidInput
from ragsvc.strategies import direct, extractive, moss
from ragsvc.strategies.task import Strategy, Task

__all__ = ["EXTRACTIVE", "STRATEGIES", "Strategy", "Task", "choose_strategy"]

EXTRACTIVE = "extractive"
"""Name of the strategy that needs no chat model, and of the model that stands for it."""

STRATEGIES: dict[str, Strategy] = {
    EXTRACTIVE: extractive.stream,
    "direct": direct.stream,
    "moss": moss.stream,
}


def choose_strategy(name: str, model: str) -> str:
    """Return the name of the strategy; an empty one means extractive for the model of that name, else direct.

    Raises:
        InvalidInput: there is no such strategy, or it needs a chat model and none was named.
    """
    name = name or (EXTRACTIVE if model == EXTRACTIVE else "direct")
    if name not in STRATEGIES:
        raise InvalidInput(f"strategy {name!r} was asked for; there are {', '.join(STRATEGIES)}")
    if name != EXTRACTIVE and model == EXTRACTIVE:
        raise InvalidInput(f"strategy {name!r} needs a chat model, but the model is {model!r}: name one")
    return name
