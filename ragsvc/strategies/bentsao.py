"""BenTsao (HuaTuo), knowledge-tuning: which entity, which attribute; look them up in a table; answer from what it says.

    1. fill      the model names entity (中心词) and attribute of the question
    2. look up   the rows of the table for both; without any, those of the entity alone
    3. answer    from the rows; nothing found = from the passages of the question itself

What the model fills in another form, or names that the sources do not hold, is replaced by the longest title or
heading that stands in the question and the attribute whose words do: that is also how it works without a model.

Source: SCIR-HI/Huatuo-Llama-Med-Chinese; arXiv 2309.04175. The authors' table is a medical knowledge graph and their
prompts were never released. Ours is read off the collection at question time, from the passages found for entity and
attribute (``knowledge_table.py``), and prompts and attributes are ours.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from msgspec.structs import replace

from ragsvc.prompting import neutralise
from ragsvc.records import Message, Passage, PassagesDropped, PassagesFound, Step
from ragsvc.strategies import direct, extractive
from ragsvc.strategies.calls import Calls, prompts
from ragsvc.strategies.conversation import standing_question
from ragsvc.strategies.knowledge_table import (
    Attributes,
    Row,
    attributes_in,
    extract_rows,
    look_up,
    named_entity,
)
from ragsvc.strategies.last_call import chat_call
from ragsvc.strategies.task import Strategy, StrategyEvent, Task

PASSAGES = 50
"""That the table is read off."""
MOST_CHARS = 40
"""Of an entity."""
_FIELD = re.compile(r"^\W*(中心词|实体|属性|entity|attribute)\s*[:：]\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_IS_ENTITY = ("中心词", "实体", "entity")


async def stream(task: Task) -> AsyncGenerator[StrategyEvent, None]:
    """Answer from the rows of the table, or from the passages of the question."""
    calls = Calls(task)
    texts = prompts("bentsao")[task.language]
    attributes: Attributes = texts["attributes"]
    question = standing_question(task.request)

    gave = ""
    if task.model is not None:
        rules = texts["fill"].format(attributes="、".join(attributes))
        gave = await calls.ask((Message("system", rules), Message("user", neutralise(question))))
    entity, attribute = read_fields(gave, attributes)
    yield Step("fill", question, gave)

    rows = await _find(task, entity, attribute, attributes) if entity else []
    if not rows:
        attribute = next(iter(attributes_in(question, attributes)), "")
        entity = named_entity(question, task.result.passages)
        rows = await _find(task, entity, attribute, attributes) if entity else []
    said = "\n".join(f"{row.entity} | {row.attribute} | {row.passage.text}" for row in rows)
    yield Step("look_up", f"{entity} | {attribute}", said or texts["nothing"])

    async with aclosing(_answer(task, calls, rows)) as pieces:
        async for event in pieces:
            yield event


def read_fields(text: str, attributes: Attributes) -> tuple[str, str]:
    """Return entity and attribute as a model filled them; empty where it did not, or not with a known attribute."""
    entity = attribute = ""
    for name, value in _FIELD.findall(text):
        value = value.strip(' \t。."“”')
        if name.lower() in _IS_ENTITY:
            entity = entity or (value if len(value) <= MOST_CHARS else "")
        else:
            attribute = attribute or (value if value in attributes else "")
            attribute = attribute or next(iter(attributes_in(value, attributes)), "")
    return entity, attribute


async def _find(task: Task, entity: str, attribute: str, attributes: Attributes) -> list[Row]:
    """Read the table off the passages about the entity and look it up."""
    found = await task.search(task.request_for(f"{entity} {attribute}".strip(), PASSAGES))
    rows = extract_rows(found.passages, attributes)
    return (look_up(rows, entity, attribute) or look_up(rows, entity, ""))[: task.request.k]


async def _answer(task: Task, calls: Calls, rows: list[Row]) -> AsyncGenerator[StrategyEvent, None]:
    passages: tuple[Passage, ...] = tuple(row.passage for row in rows)
    if passages:
        yield PassagesFound(passages)
    if task.model is None or not passages:
        shown = replace(task.result, passages=passages, addressed=len(passages)) if passages else task.result
        plainly: Strategy = extractive.stream if task.model is None else direct.stream
        async with aclosing(plainly(replace(task, result=shown))) as pieces:
            async for event in pieces:
                yield event
        return
    call = chat_call(task, passages, prompts("bentsao")[task.language]["answer"])
    if call.n_passages < len(passages):
        yield PassagesDropped(len(passages) - call.n_passages)
    async with aclosing(calls.write(call.messages, passages[: call.n_passages])) as written:
        async for event in written:
            yield event
