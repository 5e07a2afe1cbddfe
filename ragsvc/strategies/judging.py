"""The model judges each passage before it answers: ChatLaw's self-suggestion and its senior lawyer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from ragsvc.prompting import build_prompt, neutralise
from ragsvc.records import Passage, Step
from ragsvc.strategies.calls import Calls
from ragsvc.strategies.task import Task

_LINE = re.compile(
    r"^[^\w\n]*(?:段落|资料|法条|passage|reference)?\s*[\[［【(（]?(?P<n>\d{1,2})[\]］】)）]?(?!\d)[^\n]{0,40}?"
    r"(?:(?P<no>不采用|不予采用|不相关|无关|不适用|\birrelevant|\bnot (?:\w+ )?(?:relevant|used))"
    r"|(?P<yes>采用|相关|有关|适用|\brelevant|\bused?\b))",
    re.IGNORECASE | re.MULTILINE,
)


class Judged(Struct, frozen=True):
    """The passages that are to be used, and what was said of all of them."""

    kept: tuple[Passage, ...]
    step: Step
    n_unseen: int
    """Passages, from the tail, that the judge had no room to read."""


async def judge(task: Task, calls: Calls, name: str, rules: str, question: str, passages: Sequence[Passage]) -> Judged:
    """Let the model say of each passage whether it is used; one of which it says nothing clear is.

    Args:
        task: the question's.
        calls: of this run.
        name: of the step.
        rules: the system message: one line a passage, "1：采用，因为…" or "1: irrelevant, because …".
        question: what the passages are to answer.
        passages: numbered from 1 in the order given.
    """
    prompt = build_prompt(question, passages, rules, task.language, task.prompt_tokens)
    seen = passages[: prompt.n_passages]
    said = await calls.ask(prompt.messages)
    verdicts = read_verdicts(said)
    kept = tuple(p for n, p in enumerate(seen, 1) if verdicts.get(n, True))
    given = "\n".join(f"[{n}] {p.title} {p.locator}" for n, p in enumerate(seen, 1))
    return Judged(kept, Step(name, f"{neutralise(question)}\n{given}", said), len(passages) - len(seen))


def read_verdicts(text: str) -> dict[int, bool]:
    """Return number -> used, of the lines that say so clearly; of two lines about one passage the first counts."""
    found: dict[int, bool] = {}
    for match in _LINE.finditer(text):
        found.setdefault(int(match["n"]), not match["no"])
    return found
