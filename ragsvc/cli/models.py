"""``ragsvc models``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ragsvc.cli.output import Context, Json, print_json, print_table

if TYPE_CHECKING:
    from ragsvc.model_catalogue import ChatCard
    from ragsvc.records import Message, Passage

app = typer.Typer(no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(help="Name, openai:MODEL, ollama:MODEL, hf:ORG/NAME, modelscope:ORG/NAME, folder, URL.")
]

_COMMERCE = {"no": "NON-COMMERCIAL ONLY", "conditions": "commercial use under conditions", "yes": "", "unknown": ""}
_QUESTIONS = {
    "general": "这份文件规定了什么？",
    "law": "租赁期满，押金什么时候退还？",
    "medicine": "布洛芬一天最多吃几次？",
    "finance": "公司去年的营业收入是多少？",
}
_SAMPLE = "（样例）出租人应当在租赁期满后十日内退还押金。"


@app.command("list")
def list_(
    context: typer.Context,
    kind: Annotated[
        Literal["api", "local", "closed"] | None, typer.Option(help="Only those with an API, local, or closed [all].")
    ] = None,
    domain: Annotated[
        Literal["general", "law", "medicine", "finance"] | None, typer.Option(help="Only those made for it [all].")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the chat models that can be named, and those of the survey that cannot be called."""
    from ragsvc.generation import ChatModels

    root: Context = context.obj
    found = [
        card
        for card in ChatModels(root.settings()).list()
        if kind in (None, card.kind) and domain in (None, card.domain)
    ]
    if as_json:
        print_json({"models": found})
        return
    columns = ["name", "vendor", "kind", "for", "takes", "context", "licence", "how to get it"]
    print_table(columns, [_row(card) for card in found])


@app.command()
def show(
    context: typer.Context,
    name: Name,
    question: Annotated[
        str, typer.Option("--question", "-q", help="Question of the sample prompt [one of its domain].")
    ] = "",
    as_json: Json = False,
) -> None:
    """Show what is known about a model, and the exact prompt that it would be sent for a sample question."""
    from msgspec import to_builtins
    from msgspec.structs import fields

    from ragsvc.generation import ChatModels

    root: Context = context.obj
    card = ChatModels(root.settings()).find(name)
    prompt = _sample_prompt(card, question or _QUESTIONS[card.domain])
    if as_json:
        print_json({**to_builtins(card), "prompt": prompt})
        return
    facts = {
        field.name: getattr(card, field.name)
        for field in fields(card)
        if field.name == "modalities" or getattr(card, field.name) not in (field.default, "")
    }
    if loud := _COMMERCE[card.commercial_use]:
        facts["licence"] = f"{card.licence} ({loud})"
    print_table(
        ["", ""], [[key, ", ".join(value) if isinstance(value, tuple) else value] for key, value in facts.items()]
    )
    print(f"\n{prompt['how']}\n")
    if isinstance(prompt["text"], str):
        print(prompt["text"])
    for message in prompt["messages"]:
        print(f"--- {message['role']} ---\n{message['content']}")


@app.command()
def check(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Put at most seven small questions to a live model, with your key, and say how far it behaves as answers need."""
    import asyncio

    from ragsvc.generation import ChatModels
    from ragsvc.generation.checks import CheckResult, check_model

    root: Context = context.obj
    models = ChatModels(root.settings())

    async def run() -> list[CheckResult]:
        return [result async for result in check_model(models.find(name), models.options(name))]

    found = asyncio.run(run())
    if as_json:
        print_json({"model": name, "checks": found})
    else:
        print_table(["check", "outcome", "detail"], [[one.name, one.outcome, one.detail] for one in found])
    if any(one.outcome == "failed" for one in found):
        raise typer.Exit(1)


def _row(card: ChatCard) -> list[Any]:
    licence = " — ".join(filter(None, (_COMMERCE[card.commercial_use], card.licence)))
    takes = "+".join(card.modalities)
    cannot = "cannot be called: " if card.family == "none" else ""
    return [
        card.name, card.vendor, card.kind, card.domain, takes, card.context_tokens, licence,
        f"{cannot}{card.note}" if cannot else card.get,
    ]  # fmt: skip


def _sample_prompt(card: ChatCard, question: str) -> dict[str, Any]:
    """Return the prompt for a question with one passage: a text for a literal template, else messages."""
    from ragsvc.domains.pack import find_pack
    from ragsvc.generation.literal_template import find_template
    from ragsvc.prompting import build_prompt, language_of

    if card.family == "extractive":
        return {"how": "It reads the passages itself and is sent no prompt.", "text": None, "messages": []}
    language = language_of(question)
    system = find_pack(card.domain).system_prompt[language]
    messages: tuple[Message, ...] = build_prompt(question, [_sample_passage()], system, language).messages
    if card.template:
        how = f"Written with the literal template {card.template!r}, byte for byte:"
        return {"how": how, "text": find_template(card.template).render(messages), "messages": []}
    if card.kind == "local" and card.family != "ollama":
        how = "These messages are written by the chat template of the model's own tokenizer:"
    else:
        how = f"These messages are sent to {card.base_url or 'the configured address'}, model {card.model!r}:"
    return {"how": how, "text": None, "messages": [{"role": m.role, "content": m.content} for m in messages]}


def _sample_passage() -> Passage:
    from ragsvc.records import Passage, Scores

    return Passage(
        collection="sample", work="样例", title="样例", locator="第一条", heading_path=(), document_id="",
        version_id="", chunk_id="", start=0, end=len(_SAMPLE), text=_SAMPLE, effective_from=None, effective_to=None,
        validity_source="unknown", url=None, score=0.0, scores=Scores(),
    )  # fmt: skip
