"""``ragsvc ask``, ``search`` and ``lookup``: the three ways to get at a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast

import typer

from ragsvc.cli.output import AsOf, Collections, Context, Json, parse_day, print_json, say
from ragsvc.errors import InvalidInput, NotFound, UpstreamFailed
from ragsvc.records import Answer, AskRequest, MissingAddress, Notice, Passage, SearchRequest, Turn

NEW = "new"
STRATEGY_HELP = (
    "How retrieval and generation are woven: extractive, direct, lawyer_llama, chatlaw, chatlaw_sop, lawgpt, bianque, "
    "bentsao, doctorglm, moss [by the model]."
)


def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="In Chinese or English.")],
    collection: Collections = None,
    as_of: AsOf = None,
    model: Annotated[str | None, typer.Option(help="Chat model; 'ragsvc models list' shows them.")] = None,
    strategy: Annotated[str | None, typer.Option(help=STRATEGY_HELP)] = None,
    history: Annotated[
        Path | None, typer.Option(help='Earlier turns: JSON [{"role": "user", "content": "…"}, …].')
    ] = None,
    conversation: Annotated[
        str | None,
        typer.Option(help="Conversation that is kept: its id, or 'new'; its earlier turns come with the question."),
    ] = None,
    assistant: Annotated[
        str | None, typer.Option(help="Assistant to ask; 'ragsvc assistants list' shows them.")
    ] = None,
    steps: Annotated[bool, typer.Option(help="Print what each role of the strategy was given and gave.")] = False,
    as_json: Json = False,
) -> None:
    """Answer a question from the collections, with checked citations; says so when it cannot."""
    import asyncio

    import msgspec

    obj: Context = context.obj
    service = obj.service()
    request = AskRequest(
        question=question,
        collections=tuple(collection or ()),
        history=read_history(history),
        as_of=parse_day(as_of, "--as-of"),
        k=service.settings.passages,
        model=model,
        strategy=strategy,
    )
    if assistant:
        request = service.assistants.apply(assistant, request)
    if conversation == NEW:
        conversation = service.conversations.create().conversation_id
        say(f"conversation {conversation}: go on with --conversation {conversation}")
    try:
        work = service.conversations.ask(request, conversation) if conversation else service.ask(request)
        answer = asyncio.run(work)
    except UpstreamFailed as error:
        # The model failed, the search did not: what was found is still of use.
        passages = cast("tuple[Passage, ...]", error.passages)
        notices = cast("tuple[Notice, ...]", error.notices)
        if as_json:
            print_json({"error": str(error), "passages": passages, "notices": notices})
        else:
            _print_notices(notices)
            _print_passages(passages)
        raise
    if as_json:
        print_json({**msgspec.structs.asdict(answer), "conversation_id": conversation} if conversation else answer)
    else:
        _print_answer(answer, with_steps=steps)


def read_history(path: Path | None) -> tuple[Turn, ...]:
    """Read the turns before a question.

    Raises:
        InvalidInput: the file is missing or of another form.
    """
    import msgspec

    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Turn, ...]) if path else ()
    except (OSError, msgspec.MsgspecError) as error:
        raise InvalidInput(
            f'--history {path}: expected [{{"role": "user" or "assistant", "content": "…"}}, …]; found: {error}'
        ) from error


def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="In Chinese or English.")],
    collection: Collections = None,
    as_of: AsOf = None,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 10,
    as_json: Json = False,
) -> None:
    """Find passages without answering."""
    obj: Context = context.obj
    request = SearchRequest(question=query, collections=tuple(collection or ()), as_of=parse_day(as_of, "--as-of"), k=k)
    result = obj.service().search(request)
    if as_json:
        print_json({"hits": result.passages, "missing": result.missing, "index_generation": result.index_generation})
        return
    _print_passages(result.passages)
    _say_missing(result.missing)


def lookup(
    context: typer.Context,
    citation: Annotated[str, typer.Argument(help="For example 民法典第五百七十七条.")],
    collection: Collections = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show the article that a citation names, or say that it does not exist (exit code 1)."""
    obj: Context = context.obj
    result = obj.service().lookup(citation, tuple(collection or ()), parse_day(as_of, "--as-of"))
    if as_json:
        print_json({"hits": result.passages, "missing": result.missing})
    else:
        for passage in result.passages:
            print(name_of(passage))
            print(_indented(passage.text))
    _say_missing(result.missing)
    if not result.passages:
        if not result.missing:
            examples = "民法典第五百七十七条, GDPR Art. 17 or Apple Inc. 10-K Item 7"
            raise NotFound(f"{citation!r} names no place in a work; write it like {examples}")
        raise typer.Exit(1)


def name_of(passage: Passage) -> str:
    """Return title, locator and validity on one line."""
    since = f"in force from {passage.effective_from}" if passage.effective_from else ""
    until = f"until {passage.effective_to}" if passage.effective_to else ""
    inferred = "inferred" if since and passage.validity_source == "inferred" else ""
    validity = ", ".join(part for part in (since, until, inferred) if part)
    return f"{passage.title} {passage.locator}".strip() + (f" ({validity})" if validity else "")


def _print_passages(passages: Sequence[Passage]) -> None:
    for number, passage in enumerate(passages, start=1):
        print(f"{number}. {name_of(passage)}  ({passage.score:.3f})")
        print(_indented(passage.text))


def _say_missing(missing: Sequence[MissingAddress]) -> None:
    for place in missing:
        nearest = f"; there is: {', '.join(place.nearest)}" if place.nearest else ""
        say(f"{place.mention}: {place.reason}{nearest}")


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.strip().splitlines())


def _print_notices(notices: Sequence[Notice]) -> None:
    for notice in notices:
        print(f"{'!!' if notice.severity == 'urgent' else '*'} {notice.text}")
        for citation in notice.citations:
            print(f"   {citation.marker} {citation.title} {citation.locator}".rstrip())
    if notices:
        print()


def _print_answer(answer: Answer, *, with_steps: bool) -> None:
    for step in answer.steps if with_steps else ():
        say(f"[{step.name}] was given:\n{_indented(step.given)}\n[{step.name}] gave:\n{_indented(step.gave)}")
    _print_notices(answer.notices)
    print(answer.answer)
    if answer.clarify:
        back = answer.clarify
        say(f"question back {back.number} of at most {back.most}: reply with --conversation or --history")
    if answer.citations:
        print()
    for citation in answer.citations:
        since = f", in force from {citation.effective_from}" if citation.effective_from else ""
        print(f"{citation.marker} {citation.title} {citation.locator}{since}  [{citation.start}:{citation.end}]")
    say(f"\n{answer.disclaimer}")
    say(f"model {answer.model}, strategy {answer.strategy}, index {answer.index_generation}")
