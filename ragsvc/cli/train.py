"""``ragsvc train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ragsvc.cli.output import Json, print_json, say

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Train models on pairs of questions and passages."""


@app.command()
def retriever(
    config: Annotated[Path, typer.Argument(help="TOML file; ragsvc/training/configs has complete ones.")],
    output: Annotated[Path, typer.Option(help="New folder for weights, card and plot.")],
    data: Annotated[Path | None, typer.Option(help="Folder that the config's paths count from.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what was broken off in the folder.")] = False,
    as_json: Json = False,
) -> None:
    """Train an encoder; `evaluate retrieval --embedder FOLDER` measures it, `index rebuild` puts it to use."""
    import msgspec

    from ragsvc.embedding.training_record import FILE_NAME
    from ragsvc.training.retriever import train_retriever

    folder = train_retriever(config, output, data=data, resume=resume)
    record = msgspec.json.decode((folder / FILE_NAME).read_bytes())
    if as_json:
        print_json({"path": str(folder.absolute()), **record})
        return
    say(
        f"{folder}: {record['steps']} steps on {len(record['data'])} data sets in {record['seconds']} s, "
        f"loss {record['final_loss']:.3f}"
    )
