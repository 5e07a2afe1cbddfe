"""``ragsvc assistants``: profiles that bundle persona, collections, model and strategy behind one id."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragsvc.cli.output import Context, Json, print_json, print_table, say
from ragsvc.errors import InvalidInput

if TYPE_CHECKING:
    from ragsvc.store.assistants import Assistant

app = typer.Typer(no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="ID", help="As 'assistants list' shows it.")]


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the assistants."""
    obj: Context = context.obj
    found = obj.service().assistants.list()
    if as_json:
        print_json({"assistants": found})
        return
    rows = [[a.id, a.name, " ".join(a.collections), a.model, a.strategy, a.language] for a in found]
    print_table(["assistant", "name", "collections", "model", "strategy", "language"], rows)


@app.command()
def show(context: typer.Context, assistant_id: Id) -> None:
    """Show one assistant as JSON."""
    obj: Context = context.obj
    print_json(obj.service().assistants.find(assistant_id))


@app.command("set")
def set_(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help="TOML with id, collections and any of name, persona, model, strategy, language, opening_line, "
            "suggested_questions.",
        ),
    ],
) -> None:
    """Make an assistant from a file, or put it in the place of the one with its id."""
    obj: Context = context.obj
    assistant = _read(file)
    is_new = obj.service().assistants.put(assistant)
    say(f"assistant {assistant.id} is {'new' if is_new else 'changed'}")


@app.command()
def delete(context: typer.Context, assistant_id: Id) -> None:
    """Remove an assistant; its collections and conversations stay."""
    obj: Context = context.obj
    obj.service().assistants.delete(assistant_id)


def _read(file: Path) -> Assistant:
    import msgspec

    from ragsvc.store.assistants import Assistant

    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Assistant)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InvalidInput(f"{file}: no assistant: {error}") from None
