"""``ragsvc jobs``."""

from __future__ import annotations

from typing import Annotated

import typer

from ragsvc.cli.output import Context, Json, print_json, print_table
from ragsvc.cli.reports import say_report

app = typer.Typer(no_args_is_help=True)
JobId = Annotated[str, typer.Argument(help="Id as 'jobs list' shows it.")]


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the newest jobs."""
    obj: Context = context.obj
    found = obj.service().jobs.recent()
    if as_json:
        print_json({"jobs": found})
        return
    rows = [[j.job_id, j.kind, j.status, f"{j.done}/{j.total}", j.error] for j in found]
    print_table(["job", "kind", "status", "done", "error"], rows)


@app.command()
def show(context: typer.Context, job_id: JobId) -> None:
    """Show one job as JSON, and for people what its ingest did and which versions it amended."""
    obj: Context = context.obj
    job = obj.service().jobs.get(job_id)
    print_json(job)
    if job.kind == "ingest" and job.result:
        from msgspec import convert

        from ragsvc.pipelines.ingest import IngestReport

        say_report(convert(job.result, IngestReport), job.payload["collection"])


@app.command()
def cancel(context: typer.Context, job_id: JobId) -> None:
    """Stop a job; nothing of it goes in."""
    obj: Context = context.obj
    print_json(obj.service().cancel_job(job_id))
