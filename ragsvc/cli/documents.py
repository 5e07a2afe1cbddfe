"""``ragsvc documents``."""

from __future__ import annotations

from typing import Annotated

import typer

from ragsvc.cli.output import Context, Json, parse_day, print_json, print_table, say

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
