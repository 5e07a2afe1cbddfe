"""``ragsvc index``: the index generations and their health."""

from __future__ import annotations

from typing import Annotated

import typer

from ragsvc.cli.output import Context, Json, print_json, print_table, say

app = typer.Typer(no_args_is_help=True)


@app.command()
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Check every file of every generation and the catalogue; exit code 1 if anything is damaged."""
    obj: Context = context.obj
    damage = obj.service().index_care.verify()
    if as_json:
        print_json({"damage": damage})
    else:
        for item in damage:
            print(f"damaged: {item}")
        say(f"{len(damage)} damaged" if damage else "all files are what their manifests say")
    if damage:
        raise typer.Exit(1)


@app.command()
def rebuild(
    context: typer.Context,
    embedder: Annotated[
        str | None, typer.Option(help="Embed with another encoder, side by side, then switch [embed nothing].")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait for another writer instead of failing.")] = False,
) -> None:
    """Write a new generation from the catalogue alone."""
    obj: Context = context.obj
    say(f"generation {obj.service(embedder=embedder).index_care.rebuild(wait=wait)} is current")


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the generations, newest first."""
    obj: Context = context.obj
    found = obj.service().inventory.generations()
    if as_json:
        print_json({"generations": found})
        return
    rows = [[g.generation_id, "current" if g.is_current else "", g.n_chunks, g.embedder_id] for g in found]
    print_table(["generation", "", "chunks", "embedder"], rows)


@app.command()
def rollback(
    context: typer.Context,
    generation: Annotated[str | None, typer.Argument(help="Generation [the one before the current].")] = None,
) -> None:
    """Go back to an earlier generation; what was removed stays removed."""
    obj: Context = context.obj
    say(f"generation {obj.service().index_care.rollback(generation)} is current")


@app.command()
def prune(context: typer.Context) -> None:
    """Delete generations beyond those kept, leftovers of killed writers and vectors that nothing uses."""
    obj: Context = context.obj
    say(f"{obj.service().index_care.prune()} generations stay")
