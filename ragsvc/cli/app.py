"""Puts the verbs together; ``--home`` is for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ragsvc.cli import (
    ask,
    assistants,
    audit,
    collections,
    conversations,
    corpora,
    documents,
    evaluate,
    feedback,
    index,
    ingest,
    jobs,
    keys,
    models,
    serve,
    train,
    verify,
)
from ragsvc.cli.output import Context

app = typer.Typer(
    name="ragsvc",
    help="Question answering over law, medicine and finance; every citation is checked against its source.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def common(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option(envvar="RAGSVC_HOME", help="Folder of the catalogue and indexes [./indexes].")
    ] = None,
) -> None:
    """Question answering over law, medicine and finance; every citation is checked against its source."""
    context.obj = Context(home)


app.command()(ingest.ingest)
app.command()(ask.ask)
app.command()(ask.search)
app.command()(ask.lookup)
app.command()(verify.verify)
app.command()(serve.serve)
app.command()(serve.demo)
app.add_typer(collections.app, name="collections", help="List, show, change or delete collections.")
app.add_typer(documents.app, name="documents", help="List, show, change or delete documents.")
app.add_typer(conversations.app, name="conversations", help="Look at conversations that were kept, or delete one.")
app.add_typer(assistants.app, name="assistants", help="Profiles that bundle what a question is answered with.")
app.add_typer(corpora.app, name="corpora", help="Public sources that one command fetches and ingests.")
app.add_typer(jobs.app, name="jobs", help="Look at background jobs or cancel one.")
app.add_typer(models.app, name="models", help="Which chat and embedding models can be chosen.")
app.add_typer(index.app, name="index", help="Verify, rebuild, roll back and prune the index generations.")
app.add_typer(feedback.app, name="feedback", help="What readers said about answers.")
app.add_typer(feedback.declined_app, name="declined", help="Questions that got no answer.")
app.add_typer(audit.app, name="audit", help="The record of which sources gave which answer.")
app.add_typer(keys.app, name="keys", help="API keys of the HTTP service.")
app.add_typer(evaluate.app, name="evaluate", help="Measure retrieval on a labelled set; fit abstention.")
app.add_typer(train.app, name="train", help="Train models on pairs of questions and passages.")
