"""Prompt, then a chat model: retrieve once, answer once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from ragsvc.prompting import build_prompt
from ragsvc.records import PassagesFound, TextPiece
from ragsvc.strategies.task import Task

_STOPPED = {
    "zh": "\n\n（模型达到长度上限，回答到此中断，可能不完整。）",
    "en": "\n\n(The model reached its length limit: the answer stops here and may be incomplete.)",
}
_CUT = {
    "zh": "\n\n（资料超出模型可读的长度，排在后面的部分没有交给模型。）",
    "en": "\n\n(The sources exceed what the model can read: the last of them were not given to it.)",
}


async def stream(task: Task) -> AsyncGenerator[TextPiece | PassagesFound, None]:
    """Ask the model with the passages found."""
    assert task.model is not None, "strategies/__init__.py names this strategy only with a model"
    system = task.pack.system_prompt[task.language]
    prompt = build_prompt(task.request.question, task.result.passages, system, task.language)
    async with aclosing(task.model.stream(prompt.messages)) as pieces:
        async for piece in pieces:
            yield piece
            if piece.finish_reason == "length":
                yield TextPiece(text=_STOPPED[task.language])
    if prompt.is_cut:
        yield TextPiece(text=_CUT[task.language])
