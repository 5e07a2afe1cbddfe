"""LAW-GPT (LawGPT_zh, Xiezhi): draft first, then retrieve with question and draft, then answer from the best law.

    1. draft     the model answers from memory, "请给出法律依据"; its text is used for searching and nothing else
    2. retrieve  three articles for question + draft: a lay question and a statute share few words, a draft bridges them
    3. answer    "choose the most suitable law"; written from the articles, not from the draft

A ChatGLM-6B, which the authors tuned, is given their literal prompt; any other model gets chat messages. Without a
draft (nothing came) the articles of the question itself are used. Places that only the draft names are not looked up
as addresses: a draft invents article numbers.

Source: LiuHC0428/LAW-GPT src/demo_r.py.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from msgspec.structs import replace

from ragsvc.prompting import as_data, estimated_tokens, neutralise
from ragsvc.records import Message, Passage, PassagesDropped, PassagesFound, Step
from ragsvc.strategies.calls import Calls, prompts
from ragsvc.strategies.conversation import past_turns, standing_question
from ragsvc.strategies.last_call import LastCall, chat_call
from ragsvc.strategies.naming import source_line
from ragsvc.strategies.task import StrategyEvent, Task

ARTICLES = 3
MOST_DRAFT_CHARS = 600
"""Of the draft, in the search: the beginning says what it is about, and encoders read no more."""
TEMPLATE = "chatglm-6b"
_CUT_CHARS = 300
"""What the authors' form takes of an article when the three do not fit whole."""


async def stream(task: Task) -> AsyncGenerator[StrategyEvent, None]:
    """Answer from what question and draft find together."""
    assert task.model is not None, "strategies/__init__.py names this strategy only with a model"
    calls = Calls(task)
    question = standing_question(task.request)
    texts = prompts("lawgpt")[task.language]

    asked = Message("user", neutralise(task.request.question) + texts["draft"])
    draft = await calls.ask((*past_turns(task), asked), MOST_DRAFT_CHARS)
    yield Step("draft", asked.content, draft)

    articles = await _retrieve(task, question, draft)
    yield Step("retrieve", f"{question}\n{draft}", "\n".join(f"{p.title} {p.locator}" for p in articles))
    yield PassagesFound(articles)

    is_own = task.model.template == TEMPLATE
    call = _own_call(task, articles) if is_own else chat_call(task, articles, texts["answer"])
    if call.n_passages < len(articles):
        yield PassagesDropped(len(articles) - call.n_passages)
    async with aclosing(calls.write(call.messages, articles[: call.n_passages])) as pieces:
        async for event in pieces:
            yield event


async def _retrieve(task: Task, question: str, draft: str) -> tuple[Passage, ...]:
    """Return three articles: those the question names first."""
    named = task.result.passages[: task.result.addressed][:ARTICLES]
    if not draft:
        return task.result.passages[:ARTICLES]
    request = replace(task.request_for(f"{question}\n{draft}", ARTICLES + len(named)), arms=("lexical", "dense"))
    found = await task.search(request)
    known = {passage.chunk_id for passage in named}
    articles = (*named, *(p for p in found.passages if p.chunk_id not in known))[:ARTICLES]
    return articles or task.result.passages[:ARTICLES]


def _own_call(task: Task, articles: tuple[Passage, ...]) -> LastCall:
    """Return the authors' prompt: 1、law2、law…请根据以上法律，选择最合适的法律生成问题的合理答复，问题是：question."""
    lines = [as_data(source_line(article)) for article in articles]
    question = neutralise(task.request.question)
    if sum(map(estimated_tokens, lines)) + estimated_tokens(question) > task.prompt_tokens:
        lines = [line[:_CUT_CHARS] for line in lines]
    laws = "".join(f"{number}、{line}" for number, line in enumerate(lines, 1))
    asked = f"{laws}请根据以上法律，选择最合适的法律生成问题的合理答复，问题是：{question}"
    return LastCall((Message("user", asked),), len(articles))
