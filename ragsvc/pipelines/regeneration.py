"""Writes once more, where the domain asks for it, what says things that its sources do not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from msgspec import structs

from ragsvc.citing import AnswerChecker
from ragsvc.records import AnswerEvent
from ragsvc.strategies import Task

_AGAIN = {
    "zh": "\n（上一稿中的下列内容在资料里找不到或与资料不符，请只写资料中有的：{}）",
    "en": "\n(These parts of an earlier draft are not in the sources or differ from them; write only what is: {})",
}


async def write_twice(
    write: Callable[[Task], AsyncGenerator[AnswerEvent, None]],
    task: Task,
    checker: AnswerChecker,
    forget: Callable[[], None],
) -> AsyncGenerator[AnswerEvent, None]:
    """Yield the events of ``write``, or those of a second draft when the first has what was not found.

    Nothing is yielded before the first draft is whole, if the task's domain asks for that and a model writes.

    Args:
        write: writes and checks a draft.
        task: the question; the second time it tells the model what was not found.
        checker: of both drafts.
        forget: called between them.
    """
    if task.pack.grounding == "regenerate" and task.model is not None:
        n_released = checker.n_released
        async with aclosing(write(task)) as events:
            held = [event async for event in events]
        if not checker.unfound:
            for event in held:
                yield event
            return
        said = _AGAIN[task.language].format("; ".join(dict.fromkeys(checker.unfound)))
        checker.discard(n_released)
        forget()
        task = structs.replace(task, request=structs.replace(task.request, question=task.request.question + said))
    async with aclosing(write(task)) as events:
        async for event in events:
            yield event
