"""How reports of ingests and comparisons of versions read in a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ragsvc.cli.output import say

if TYPE_CHECKING:
    from ragsvc.pipelines.amendments import Amendment, VersionDiff
    from ragsvc.pipelines.ingest import IngestReport
    from ragsvc.pipelines.preview import IngestPreview
    from ragsvc.pipelines.version_diff import Change
    from ragsvc.store.rows import Version

MAX_LINES = 20
"""Files of one sort that a summary names; --json has them all."""
MAX_CHARS = 60


def say_report(report: IngestReport, collection: str) -> None:
    """Say what an ingest did."""
    rate = report.chunks / report.seconds if report.seconds else 0
    say(
        f"{collection}: {report.documents} documents ({report.unchanged} unchanged), {report.chunks} new chunks, "
        f"{report.embedded} embedded, {report.seconds:.1f} s ({rate:.0f} chunks/s)"
    )
    _say_some(
        (
            f"first day in force inferred: {item.title} {item.effective_from or 'always'} ({item.path})"
            for item in report.inferred
        ),
        len(report.inferred),
        "with an inferred first day in force",
    )
    _say_some(
        (f"says what is here already: {same.path}, as {same.of}" for same in report.duplicates),
        len(report.duplicates),
        "that say what is here already",
    )
    for amendment in report.amendments[:MAX_LINES]:
        say_amendment(amendment)
    if len(report.amendments) > MAX_LINES:
        say(f"  ... and {len(report.amendments) - MAX_LINES} more amended; --json lists all")
    _say_some(
        (f"left out: {bad.path}: {bad.reason}" for bad in report.quarantined),
        len(report.quarantined),
        "left out; --json lists all",
    )


def _say_some(lines: Iterable[str], n: int, rest: str) -> None:
    for _, line in zip(range(MAX_LINES), lines, strict=False):
        say(f"  {line}")
    if n > MAX_LINES:
        say(f"  ... and {n - MAX_LINES} more {rest}")


def say_amendment(amendment: Amendment) -> None:
    """Say what a new version changed, and which kept answers rested on that."""
    since = f"from {amendment.superseded_from}" if amendment.superseded_from else "as if it had always held"
    counts = ", ".join(f"{n} {what}" for what, n in amendment.counts.items() if n)
    say(f"  amended: {amendment.title} ({amendment.path}) {since}: {counts}")
    renumbered = [f"{one.old}→{one.new}{'*' if one.is_changed else ''}" for one in amendment.renumbered]
    for what, places in (
        ("added", amendment.added),
        ("changed", amendment.changed),
        ("repealed", amendment.repealed),
        ("renumbered (* and changed)", renumbered),
    ):
        if places:
            more = f" … and {len(places) - MAX_LINES} more" if len(places) > MAX_LINES else ""
            say(f"    {what}: {'、'.join(places[:MAX_LINES])}{more}")
    for answer in amendment.answers[:MAX_LINES]:
        say(f"    answer {answer.answer_id} {answer.marker} rested on {answer.locator}, {answer.became}")
    if len(amendment.answers) > MAX_LINES:
        say(f"    ... and {len(amendment.answers) - MAX_LINES} more citations of kept answers; --json lists all")
    say(f"    ragsvc documents diff {amendment.superseded_version_id} {amendment.version_id}")


def say_preview(preview: IngestPreview, collection: str) -> None:
    """Say what an ingest would do."""
    say(f"{collection}: nothing was written; of {len(preview.documents)} files that can be read:")
    for one in preview.documents:
        since = f" from {one.effective_from} ({one.validity_source})" if one.effective_from else ""
        say(f"  {one.outcome}: {one.title} {one.number}{since}, {one.chunks} chunks ({one.path})")
        if one.duplicate_of:
            say(f"    as {one.duplicate_of}")
        if one.counts is not None:
            say(f"    supersedes {one.superseded_version_id}: {', '.join(f'{n} {w}' for w, n in one.counts.items())}")
    _say_some(
        (f"would be left out: {bad.path}: {bad.reason}" for bad in preview.quarantined),
        len(preview.quarantined),
        "would be left out; --json lists all",
    )


def print_diff(found: VersionDiff) -> None:
    """Print two versions side by side, place by place: what is gone in red, what came in green."""
    from rich.console import Console
    from rich.text import Text

    from ragsvc.pipelines.amendments import counts, name_of

    console = Console()
    console.print(Text(f"- {_version_line(found.old)}", "red"))
    console.print(Text(f"+ {_version_line(found.new)}", "green"))
    diff = found.diff
    console.print(Text(", ".join(f"{n} {what}" for what, n in counts(diff).items())))
    for title, changes in (("changed", diff.changed), ("renumbered", diff.renumbered)):
        if changes:
            console.print(Text(f"\n{title}", "bold"))
        for change in changes:
            console.print(_change_line(change))
    for title, places, style in (("repealed", diff.repealed, "red"), ("added", diff.added, "green")):
        if places:
            console.print(Text(f"\n{title}", "bold"))
        for place in places:
            text = " ".join(place.text.split())
            console.print(Text(text if place.address else f"{name_of(place)}", style))


def _version_line(version: Version) -> str:
    until = f" to {version.effective_to}" if version.effective_to else ""
    since = f"from {version.effective_from}" if version.effective_from else "always"
    return f"{version.title} ({version.name}) {since}{until}, {version.status}"


def _change_line(change: Change) -> object:
    from rich.text import Text

    from ragsvc.pipelines.amendments import name_of

    line = Text(name_of(change.old))
    if change.old.address != change.new.address:
        line.append(f" → {name_of(change.new)}")
    for words in change.words:
        line.append("  ")
        if words.old:
            line.append(f"[-{words.old}-]", "red")
        if words.new:
            line.append(f"{{+{words.new}+}}", "green")
    return line
