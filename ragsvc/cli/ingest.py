"""``ragsvc ingest``: files and folders into a collection, with progress and a summary."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragsvc.cli.output import Context, Json, parse_day, print_json, say
from ragsvc.security.urls import is_url

if TYPE_CHECKING:
    from ragsvc.pipelines.ingest import IngestReport, Progress

MAX_LINES = 20
"""Quarantined or inferred files that the summary names; --json has them all."""


def ingest(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(help="Files, folders, or addresses: of a page, a file, a sitemap.")],
    collection: Annotated[str, typer.Option("--collection", "-c", help="Where they go; made if it is new.")],
    domain: Annotated[
        str | None,
        typer.Option(help="law, medicine, finance, general or an installed one [the collection's, else general]."),
    ] = None,
    effective_from: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="First day in force, whatever the texts state.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait for another writer instead of failing.")] = False,
    strict: Annotated[bool, typer.Option(help="Exit with 1 if any file was left out.")] = False,
    as_json: Json = False,
) -> None:
    """Ingest files, folders and pages; the same bytes again cost nothing, a bad file is left out and named."""
    obj: Context = context.obj
    service = obj.service(may_be_new=True)
    with progress_bar() as progress:
        report = service.ingest(
            paths,
            collection,
            domain=domain,
            effective_from=parse_day(effective_from, "--effective-from"),
            wait=wait,
            progress=progress,
        )
    if as_json:
        print_json(report)
    else:
        summarise(report, collection)
    nothing_went_in = report.documents == 0
    if nothing_went_in and not report.quarantined and not report.cancelled:
        say(f"no file that can be read in {', '.join(map(_shown, paths))}")
    if nothing_went_in or report.cancelled or (strict and report.quarantined):
        raise typer.Exit(1)


def _shown(place: str) -> str:
    return place if is_url(place) else str(Path(place).resolve())


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show files done on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.fields[name]}", table_column=None),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", name="", rate="", total=None)

        def show(done: int, total: int, name: str) -> bool:
            speed = bar.tasks[0].speed
            rate = f"{speed:.0f} files/s" if speed else ""
            bar.update(task, completed=done, total=total, name=name[:40] or "indexing", rate=rate)
            return True

        yield show


def summarise(report: IngestReport, collection: str) -> None:
    """Say on stderr what went in, and what was left out and why."""
    rate = report.chunks / report.seconds if report.seconds else 0
    say(
        f"{collection}: {report.documents} documents ({report.unchanged} unchanged), {report.chunks} new chunks, "
        f"{report.embedded} embedded, {report.seconds:.1f} s ({rate:.0f} chunks/s)"
    )
    for item in report.inferred[:MAX_LINES]:
        say(f"  first day in force inferred: {item.title} {item.effective_from or 'always'} ({item.path})")
    if len(report.inferred) > MAX_LINES:
        say(f"  ... and {len(report.inferred) - MAX_LINES} more with an inferred first day in force")
    for bad in report.quarantined[:MAX_LINES]:
        say(f"  left out: {bad.path}: {bad.reason}")
    if len(report.quarantined) > MAX_LINES:
        say(f"  ... and {len(report.quarantined) - MAX_LINES} more left out; --json lists all")
