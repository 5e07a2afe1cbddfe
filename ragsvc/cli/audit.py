"""``ragsvc audit``: the record of which sources gave which answer."""

from __future__ import annotations

from typing import Annotated

import typer

from ragsvc.cli.output import Context, Json, print_json, say

app = typer.Typer(no_args_is_help=True)


@app.command()
def verify(
    context: typer.Context,
    last_hash: Annotated[
        str, typer.Option("--hash", help="A last hash that was noted down: it has to be in the chain.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Follow the chain of hashes through audit.jsonl; exit 1 and the first line that breaks it, if one does."""
    from ragsvc.errors import NotFound
    from ragsvc.observability.audit import AuditLog

    obj: Context = context.obj
    path = obj.settings().home / "audit.jsonl"
    if not path.exists():
        raise NotFound(f"no {path.resolve()}: it begins with the first answer that 'ragsvc serve' gives")
    report = AuditLog(path).verify(last_hash)
    if as_json:
        print_json(report)
    elif report.broken_line is None:
        say(f"{report.lines} lines, unbroken; the last has the hash")
        print(report.last_hash)
    else:
        say(f"{path}, line {report.broken_line}: {report.reason}")
    if report.broken_line is not None:
        raise typer.Exit(1)
