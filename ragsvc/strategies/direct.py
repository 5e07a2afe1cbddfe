"""Prompt, then a chat model: retrieve once, answer once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from ragsvc.generation.images import with_images
from ragsvc.prompting import build_prompt, estimated_tokens
from ragsvc.records import PassagesDropped, PassagesFound, TextPiece
from ragsvc.strategies.conversation import past_turns
from ragsvc.strategies.task import Task

STOPPED = {
    ("length", "zh"): "\n\n（模型达到长度上限，回答到此中断，可能不完整。）",
    ("length", "en"): "\n\n(The model reached its length limit: the answer stops here and may be incomplete.)",
    ("content_filter", "zh"): "\n\n（模型服务方的内容审查中断了回答，可能不完整。）",
    (
        "content_filter",
        "en",
    ): "\n\n(The content filter of the model's service stopped the answer: it may be incomplete.)",
}
_CUT = {
    "zh": "\n\n（资料超出模型可读的长度，排在后面的部分没有交给模型。）",
    "en": "\n\n(The sources exceed what the model can read: the last of them were not given to it.)",
}


async def stream(task: Task) -> AsyncGenerator[TextPiece | PassagesFound | PassagesDropped, None]:
    """Ask the model with the passages found."""
    assert task.model is not None, "strategies/__init__.py names this strategy only with a model"
    system = task.pack.system_prompt[task.language]
    passages = task.result.passages
    past = past_turns(task)
    room = task.prompt_tokens - sum(estimated_tokens(turn.content) for turn in past)
    prompt = build_prompt(task.request.question, passages, system, task.language, room)
    if prompt.n_passages < len(passages):
        yield PassagesDropped(len(passages) - prompt.n_passages)
    rules, question = prompt.messages
    messages = with_images((rules, *past, question), task.request.images)
    async with aclosing(task.model.stream(messages)) as pieces:
        async for piece in pieces:
            yield piece
            if said := STOPPED.get((piece.finish_reason or "", task.language)):
                yield TextPiece(text=said)
    if prompt.is_cut:
        yield TextPiece(text=_CUT[task.language])
