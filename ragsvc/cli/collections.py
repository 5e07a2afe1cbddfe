"""``ragsvc collections``."""

from __future__ import annotations

from typing import Annotated

import typer

from ragsvc.cli.output import Context, Json, print_json, print_table, read_text, say
from ragsvc.errors import NotFound

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name of the collection.")]


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the collections with what is in them."""
    obj: Context = context.obj
    found = obj.service().inventory.collections()
    if as_json:
        print_json({"collections": found})
        return
    usual = "(default)"
    rows = [
        [c.name, c.domain, c.n_documents, c.n_chunks, c.time_zone, c.model or usual, c.strategy or usual] for c in found
    ]
    print_table(["name", "domain", "documents", "chunks", "time zone", "model", "strategy"], rows)


@app.command()
def show(context: typer.Context, name: Name) -> None:
    """Show one collection as JSON."""
    obj: Context = context.obj
    for collection in obj.service().inventory.collections():
        if collection.name == name:
            print_json(collection)
            return
    raise NotFound(f"no collection {name!r}; 'ragsvc collections list' shows them")


@app.command("set")
def set_(
    context: typer.Context,
    name: Name,
    time_zone: Annotated[str | None, typer.Option(help="Decides what 'today' is, e.g. Asia/Shanghai.")] = None,
    model: Annotated[str | None, typer.Option(help="Chat model of this collection; '' = the service's.")] = None,
    strategy: Annotated[
        str | None, typer.Option(help="How its questions are answered unless they say other; '' = the service's.")
    ] = None,
    abstention: Annotated[
        str | None, typer.Option(help="File that 'evaluate abstention --write' made; '' = the domain's thresholds.")
    ] = None,
) -> None:
    """Change the time zone, the model, the strategy or the thresholds of a collection."""
    obj: Context = context.obj
    thresholds = read_text(abstention) if abstention else abstention
    obj.service().set_collection(name, time_zone=time_zone, model=model, strategy=strategy, abstention=thresholds)


@app.command()
def delete(
    context: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a collection with everything in it, for good and at once."""
    obj: Context = context.obj
    service = obj.service()
    if not yes:
        typer.confirm(f"Remove everything in {name!r} for good?", abort=True)
    say(f"{service.changes.remove_collection(name)} versions removed")
