"""``ragsvc conversations``: those that are kept in this home, whoever's they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from ragsvc.cli.output import Context, Json, print_json, print_table, say

app = typer.Typer(no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="ID", help="As 'conversations list' shows it.")]


@app.command("list")
def list_(
    context: typer.Context,
    offset: Annotated[int, typer.Option(min=0, help="How many to pass over.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many to show.")] = 100,
    as_json: Json = False,
) -> None:
    """List the conversations, the latest first."""
    obj: Context = context.obj
    found = obj.service().conversations.list(None, offset, limit)
    if as_json:
        print_json({"conversations": found})
        return
    rows = [[c.conversation_id, _day(c.updated_at), c.key_id or "-", c.n_turns, c.first_question[:60]] for c in found]
    print_table(["conversation", "last question", "key", "turns", "first question"], rows)


@app.command()
def show(context: typer.Context, conversation_id: Id, as_json: Json = False) -> None:
    """Show the turns of a conversation with their answers and citations."""
    obj: Context = context.obj
    conversation, turns = obj.service().conversations.show(conversation_id, None)
    if as_json:
        print_json({"conversation": conversation, "turns": turns})
        return
    for turn in turns:
        print(f"{turn.number}. {turn.question}")
        print("   " + (turn.answer.answer.strip().replace("\n", "\n   ") if turn.answer else "(unanswered)"))
        for citation in turn.answer.citations if turn.answer else ():
            print(f"   {citation.marker} {citation.title} {citation.locator}  [{citation.start}:{citation.end}]")


@app.command()
def delete(context: typer.Context, conversation_id: Id) -> None:
    """Delete a conversation for good: its pages in the database are overwritten."""
    obj: Context = context.obj
    obj.service().conversations.delete(conversation_id, None)
    say(f"conversation {conversation_id} is deleted")


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
