"""``ragsvc models``."""

from __future__ import annotations

from typing import Annotated

import typer

from ragsvc.cli.output import Json, print_json, print_table

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the chat models that can be named."""
    from ragsvc.model_catalogue import list_models

    found = list_models()
    if as_json:
        print_json({"models": found})
        return
    print_table(["name", "vendor", "kind", "note"], [[m.name, m.vendor, m.kind, m.note] for m in found])


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name, openai:MODEL, ollama:MODEL, folder, URL.")],
) -> None:
    """Show what is known about a model, as JSON."""
    from ragsvc.model_catalogue import find_model

    print_json(find_model(name))
