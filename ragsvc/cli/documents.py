"""``ragsvc documents``."""

from __future__ import annotations

from typing import Annotated

import typer
from msgspec import to_builtins

from ragsvc.cli.output import Context, Json, parse_day, print_json, print_table, say
from ragsvc.cli.reports import print_diff
from ragsvc.errors import InvalidInput

app = typer.Typer(no_args_is_help=True)
DocumentId = Annotated[str, typer.Argument(help="Id as 'documents list' shows it.")]


@app.command("list")
def list_(
    context: typer.Context,
    collection: Annotated[str, typer.Option("--collection", "-c", help="Collection.")],
    offset: Annotated[int, typer.Option(min=0, help="How many to skip.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 100,
    as_json: Json = False,
) -> None:
    """List the documents of a collection, by title."""
    obj: Context = context.obj
    found = obj.service().inventory.documents(collection, offset, limit)
    if as_json:
        print_json({"documents": found})
        return
    rows = [
        [
            d.document_id,
            f"{d.work} {d.part}".strip(),
            d.kind,
            d.effective_from,
            d.validity_source,
            d.n_versions,
            d.n_chunks,
        ]
        for d in found
    ]
    print_table(["document", "title", "kind", "from", "stated or inferred", "versions", "chunks"], rows)


@app.command()
def show(context: typer.Context, document_id: DocumentId) -> None:
    """Show a document and its versions as JSON."""
    obj: Context = context.obj
    inventory = obj.service().inventory
    print_json({"document": inventory.document(document_id), "versions": inventory.document_versions(document_id)})


@app.command()
def diff(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(help="Two ids of versions, or one of a document: its last two versions.")],
    as_of: Annotated[
        list[str] | None, typer.Option(metavar="YYYY-MM-DD", help="Given twice: the document on these two days.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what changed from one version to another: articles by number, other texts by paragraph."""
    obj: Context = context.obj
    days = [day for text in as_of or () if (day := parse_day(text, "--as-of"))]
    amendments = obj.service().amendments
    if len(ids) == 2 and not days:
        found = amendments.between(*ids)
    elif len(ids) == 1 and len(days) in (0, 2):
        found = amendments.of_document(ids[0], days=days)
    else:
        raise InvalidInput("give two ids of versions, or the id of one document, with --as-of twice or not at all")
    if as_json:
        print_json({"from": found.old, "to": found.new, **to_builtins(found.diff)})
    else:
        print_diff(found)


@app.command("set")
def set_(
    context: typer.Context,
    version_id: Annotated[str, typer.Argument(help="Id of a version, as 'documents show' gives it.")],
    effective_from: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="First day in force.")] = None,
    effective_to: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="First day out of force.")] = None,
) -> None:
    """Correct when a version is in force, at once and without a new index."""
    obj: Context = context.obj
    start, end = parse_day(effective_from, "--effective-from"), parse_day(effective_to, "--effective-to")
    obj.service().changes.set_validity(version_id, start, end)


@app.command()
def delete(context: typer.Context, document_id: DocumentId) -> None:
    """Remove a document with all its versions, for good and at once."""
    obj: Context = context.obj
    say(f"{obj.service().changes.remove_document(document_id)} versions removed")
