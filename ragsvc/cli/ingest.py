"""``ragsvc ingest``: files and folders into a collection, with progress and a summary."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragsvc.cli.output import Context, Json, parse_day, print_json, say
from ragsvc.cli.reports import say_preview, say_report
from ragsvc.cli.watching import watch
from ragsvc.errors import InvalidInput, RagsvcError, UnreadableFile
from ragsvc.security.urls import is_url

if TYPE_CHECKING:
    from ragsvc.pipelines.ingest import IngestReport, Progress


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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")] = False,
    watching: Annotated[
        bool, typer.Option("--watch", help="Go on taking files that are new or changed, until Ctrl-C.")
    ] = False,
    strict: Annotated[bool, typer.Option(help="Exit with 1 if any file was left out.")] = False,
    as_json: Json = False,
) -> None:
    """Ingest files, folders and pages; the same bytes again cost nothing, a bad file is left out and named."""
    obj: Context = context.obj
    day = parse_day(effective_from, "--effective-from")
    if dry_run and watching:
        raise InvalidInput("--dry-run and --watch were both asked for: choose one")
    if dry_run:
        _preview(obj, paths, collection, domain, day, as_json)
        return
    service = obj.service(may_be_new=True)

    def take(places: Sequence[str | Path], wait: bool) -> IngestReport:
        with progress_bar() as progress:
            return service.ingest(places, collection, domain=domain, effective_from=day, wait=wait, progress=progress)

    if watching:
        _watch(paths, lambda settled: say_report(take(settled, True), collection))
        return
    report = take(paths, wait)
    if as_json:
        print_json(report)
    else:
        say_report(report, collection)
    nothing_went_in = report.documents == 0
    if nothing_went_in and not report.quarantined and not report.cancelled:
        say(f"no file that can be read in {', '.join(map(_shown, paths))}")
    if nothing_went_in or report.cancelled or (strict and report.quarantined):
        raise typer.Exit(1)


def _preview(
    obj: Context, paths: list[str], collection: str, domain: str | None, day: date | None, as_json: bool
) -> None:
    from ragsvc.pipelines.jobs import IngestPayload

    places = list(map(_shown, paths))
    payload = IngestPayload(paths=places, collection=collection, domain=domain, effective_from=day)
    with obj.unwritten_service() as service, progress_bar() as progress:
        preview = service.ingesting.preview(payload, progress)
    if as_json:
        print_json(preview)
    else:
        say_preview(preview, collection)


def _watch(paths: list[str], ingest: Callable[[list[Path]], None]) -> None:
    for path in paths:
        if is_url(path):
            raise InvalidInput(f"--watch was asked for with the address {path!r}: only files and folders are watched")
        if not Path(path).exists():
            raise UnreadableFile(path, "does not exist")

    def take(settled: list[Path]) -> None:
        try:
            ingest(settled)
        except RagsvcError as error:  # a full disk today is no reason to miss tomorrow's files
            say(f"not taken: {error}")

    say(f"watching {', '.join(map(_shown, paths))}; Ctrl-C ends it")
    try:
        watch([Path(path) for path in paths], take)
    except KeyboardInterrupt:
        say("watching ended")


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
