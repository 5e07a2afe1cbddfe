"""ChatLaw2: four roles work through a consultation as a law firm does, and the report has four parts.

    1. assistant   reads the conversation, fills the facts of the case; asks back for what is missing
    2. researcher  turns the facts into searches; what they find is put together, each passage once
    3. lawyer      marks each passage relevant or irrelevant; none relevant = declined
    4. editor      writes the report: questions, opinions, cases, laws and regulations

What each role was given and what it gave are kept as steps. Only the opinions are written by the model; the facts are
kept only where the user said them, and cases and laws are quoted from the passages word for word, so that a model that
keeps to no form still gives a whole report. Without a model: the user's words are the facts, the passages near the
best are relevant, and the opinions are extracts.

Source: PKU-YuanGroup/ChatLaw assert/main.jpg, fig3.jpg (roles, their order, the parts of the report); arXiv 2306.16092
v2. Prompts, the facts' form and the "firewall" were never released and are ours: a request to help break the law
is answered by naming that and no more.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from anyio import to_thread
from msgspec import Struct
from msgspec.structs import replace

from ragsvc.citing.claims import content
from ragsvc.prompting import neutralise
from ragsvc.records import (
    Clarification,
    Declined,
    Message,
    Passage,
    PassagesDropped,
    PassagesFound,
    SearchResult,
    Step,
    TextPiece,
)
from ragsvc.strategies import extractive
from ragsvc.strategies.asking import choices_of, is_new, questions_asked, read_question
from ragsvc.strategies.calls import Calls, prompts
from ragsvc.strategies.chatlaw import read_keywords
from ragsvc.strategies.conversation import all_user_turns, user_turns
from ragsvc.strategies.judging import Judged, judge
from ragsvc.strategies.last_call import chat_call
from ragsvc.strategies.task import StrategyEvent, Task

MOST_QUESTIONS = 3
MOST_FACTS = 12
MOST_SEARCHES = 4
_FIELD = re.compile(
    r"^[\s\-*•]*(?P<name>案由|事实|追问|拒绝|matter|fact|question|refuse)\s*[:：]\s*(?P<value>\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_FIELD_NAMES = {"案由": "matter", "事实": "fact", "追问": "question", "拒绝": "refuse"}
_NOTHING = re.compile(r"^(?:无|没有|不需要|none|nothing|no)\W*$", re.IGNORECASE)
_CASE = re.compile(r"判决书|裁定书|调解书|案例|诉.{1,30}案$| v\.? ")
_HAS_DIGITS = re.compile(r"\d+")


class Case(Struct, frozen=True, kw_only=True):
    """What the assistant made of the conversation."""

    matter: str = ""
    facts: tuple[str, ...] = ()
    """"name: value" of what the user said."""
    question: str = ""
    """What to ask back; empty = enough is known."""
    refused: bool = False


async def stream(task: Task) -> AsyncGenerator[StrategyEvent, None]:
    """Ask back, or give the report."""
    calls = Calls(task)
    texts = prompts("chatlaw_sop")[task.language]

    case, step = await _assist(task, calls, texts)
    yield step
    asked = questions_asked(task.request)
    if case.refused:
        yield replace(calls.used, text=texts["refusal"])
        return
    if case.question and len(asked) < MOST_QUESTIONS and is_new(case.question, asked):
        yield calls.used
        yield Clarification(
            question=case.question, number=len(asked) + 1, most=MOST_QUESTIONS, choices=choices_of(case.question)
        )
        return

    if cause := task.why_abstain(task.result):  # of the user's own words: terms that a model adds always find something
        yield calls.used
        yield Declined(task.result, cause)
        return
    found, step = await _research(task, calls, texts, case)
    yield step

    judged = await _study(task, calls, texts, case, found)
    yield judged.step
    if not judged.kept:
        yield calls.used
        yield Declined(found, "weak")
        return
    yield PassagesFound(judged.kept)

    yield Step("editor", judged.step.gave, texts["report"])
    async with aclosing(_edit(task, calls, texts, case, judged)) as pieces:
        async for event in pieces:
            yield event


async def _assist(task: Task, calls: Calls, texts: dict[str, str]) -> tuple[Case, Step]:
    """The legal assistant: the facts of the case, and what to ask."""
    said = [f"{texts['user']}{neutralise(turn)}" for turn in user_turns(task.request)]
    asked = "\n".join(f"{texts['asked']}{question}" for question in questions_asked(task.request))
    given = "\n".join([*said, asked]).strip()
    gave = await calls.ask((Message("system", texts["assistant"]), Message("user", given)))
    return read_case(gave, all_user_turns(task.request)), Step("assistant", given, gave)


def read_case(text: str, user_said: str) -> Case:
    """Return the fields that a model filled; a fact that the user did not state is no fact."""
    fields: dict[str, list[str]] = {"matter": [], "fact": [], "question": [], "refuse": []}
    for match in _FIELD.finditer(neutralise(text)):
        name = match["name"].lower()
        if not _NOTHING.match(match["value"]):
            fields[_FIELD_NAMES.get(name, name)].append(" ".join(match["value"].split()))
    facts = [fact for fact in dict.fromkeys(fields["fact"]) if _was_said(fact, user_said)]
    question = next(filter(None, map(read_question, fields["question"])), "")
    matter = (fields["matter"] or [""])[0][:40]
    return Case(matter=matter, facts=tuple(facts[:MOST_FACTS]), question=question, refused=bool(fields["refuse"]))


def _was_said(fact: str, user_said: str) -> bool:
    """Whether at least half of the words and all figures of a fact's value are the user's."""
    value = re.split(r"[:：=｜|]", fact, maxsplit=1)[-1].strip()
    words = content(value)
    figures = set(_HAS_DIGITS.findall(value))
    is_known = value in user_said or (words and 2 * len(words & content(user_said)) >= len(words))
    return bool(is_known) and figures <= set(_HAS_DIGITS.findall(user_said))


async def _research(task: Task, calls: Calls, texts: dict[str, str], case: Case) -> tuple[SearchResult, Step]:
    """The legal researcher: searches for the question and for what the facts stand for, and puts the finds together."""
    question = all_user_turns(task.request)
    given = "\n".join(filter(None, (case.matter, *case.facts, question)))
    gave = await calls.ask((Message("system", texts["researcher"]), Message("user", neutralise(given))))
    searches = read_keywords(gave)[:MOST_SEARCHES]
    results = [task.result]
    for search in searches:
        results.append(await task.search(task.request_for(" ".join(filter(None, (case.matter, search))))))
    passages = _in_turn([result.passages for result in results], task.result.addressed)
    found = replace(task.result, passages=passages[: max(task.request.k, task.result.addressed)])
    listed = "\n".join(f"{p.title} {p.locator}" for p in found.passages)
    return found, Step("researcher", given, f"{gave}\n{listed}".strip())


def _in_turn(lists: Sequence[Sequence[Passage]], n_named: int) -> tuple[Passage, ...]:
    """Return the passages of several searches, the first of each, the second of each…, each once; named ones first."""
    found = {p.chunk_id + p.locator: p for p in lists[0][:n_named]}
    for rank in range(max(map(len, lists))):
        for passages in lists:
            if rank < len(passages):
                found.setdefault(passages[rank].chunk_id + passages[rank].locator, passages[rank])
    return tuple(found.values())


async def _study(task: Task, calls: Calls, texts: dict[str, str], case: Case, found: SearchResult) -> Judged:
    """The senior lawyer: which passages are relevant; without a model those that score near the best."""
    if task.model is None:
        enough = extractive.LEAST_SCORE * max((p.score for p in found.passages), default=0.0)
        kept = [p for n, p in enumerate(found.passages) if n < found.addressed or p.score >= enough]
        kept = kept[: max(extractive.MOST_PASSAGES, found.addressed)]
        names = ["\n".join(f"{p.title} {p.locator}" for p in passages) for passages in (found.passages, kept)]
        return Judged(tuple(kept), Step("lawyer", *names), 0)
    question = "\n".join([*case.facts, all_user_turns(task.request)])
    return await judge(task, calls, "lawyer", texts["lawyer"], question, found.passages)


async def _edit(
    task: Task, calls: Calls, texts: dict[str, str], case: Case, judged: Judged
) -> AsyncGenerator[StrategyEvent, None]:
    """The legal editor: fills the report; the opinions are the model's, the rest is put together from what is known."""
    kept = judged.kept
    said = case.facts or tuple(neutralise(turn) for turn in user_turns(task.request))
    yield TextPiece(text=f"{texts['questions']}\n" + "".join(f"- {line}\n" for line in said))
    yield TextPiece(text=f"\n{texts['opinions']}\n")
    if task.model is None:
        result = replace(task.result, passages=kept, addressed=min(task.result.addressed, len(kept)))
        arguments = (all_user_turns(task.request), result, task.language, task.embedder)
        yield TextPiece(text=await to_thread.run_sync(extractive.compose, *arguments, limiter=task.limiter))
    else:
        question = "\n".join([*(f"- {fact}" for fact in case.facts), task.request.question])
        call = chat_call(task, kept, texts["editor"], question)
        if left_out := judged.n_unseen + len(kept) - call.n_passages:
            yield PassagesDropped(left_out)
        async with aclosing(calls.write(call.messages, kept[: call.n_passages])) as pieces:
            async for event in pieces:
                yield event
    is_case = [bool(_CASE.search(f"{p.work} {p.title}")) for p in kept]
    for heading, wanted in (("cases", True), ("laws", False)):
        lines = [
            quotation
            for number, (passage, found) in enumerate(zip(kept, is_case, strict=True), 1)
            if found is wanted and (quotation := extractive.quote_beginning(passage, number, task.language))
        ]
        yield TextPiece(text=f"\n\n{texts[heading]}\n" + ("\n".join(f"- {line}" for line in lines) or texts["none"]))
    yield replace(calls.used, finish_reason="stop") if task.model is None else TextPiece()
