"""``ragsvc feedback`` and ``ragsvc declined``: what readers said, and what they asked in vain."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from ragsvc.cli.output import Context, Json, print_json, print_table

app = typer.Typer(no_args_is_help=True)
declined_app = typer.Typer(no_args_is_help=True)

Limit = Annotated[int, typer.Option(min=1, help="The newest so many.")]


class Rating(StrEnum):
    """Thumbs."""

    up = "up"
    down = "down"


@app.command("list")
def list_feedback(
    context: typer.Context,
    rating: Annotated[Rating | None, typer.Option(help="Only these.")] = None,
    collection: Annotated[str | None, typer.Option("--collection", "-c", help="Only on answers from it.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show what readers said about answers, newest first; --json gives the receipts, too."""
    from ragsvc.store.feedback import FeedbackFilter

    obj: Context = context.obj
    wanted = FeedbackFilter(rating=rating.value if rating else None, collection=collection)
    found = obj.service().feedback.list(wanted, limit=limit)
    if as_json:
        print_json({"feedback": found})
        return
    rows = [
        [_minute(f.given_at), f.answer_id, f.rating, f.reason, f.marker, f.comment, f.receipt.question] for f in found
    ]
    print_table(["given", "answer", "rating", "reason", "citation", "comment", "question"], rows)


@declined_app.command("list")
def list_declined(context: typer.Context, limit: Limit = 50, as_json: Json = False) -> None:
    """Show the questions that got no answer, newest first; they are kept only where keep_questions is set."""
    obj: Context = context.obj
    found = obj.service().feedback.declined(limit=limit)
    if as_json:
        print_json({"declined": found})
        return
    rows = [[_minute(d.asked_at), " ".join(d.collections) or "all", d.question, d.reason] for d in found]
    print_table(["asked", "collections", "question", "reason"], rows)


def _minute(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"
