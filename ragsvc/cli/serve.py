"""``ragsvc serve`` and ``ragsvc demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ragsvc.cli.output import Context, say
from ragsvc.errors import InvalidInput

Host = Annotated[str, typer.Option(help="Address to listen on; any but loopback needs an API key.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")]


def serve(
    context: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer.")] = 1,
) -> None:
    """Serve the page and the HTTP interface."""
    from ragsvc.api.server import run

    obj: Context = context.obj
    run(obj.settings(), host=host, port=port, workers=workers)


def demo(
    context: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    corpora: Annotated[Path | None, typer.Option(help="Folder of corpora, each with a corpus.toml [shipped].")] = None,
) -> None:
    """Ingest the sample corpora, then serve them."""
    from ragsvc.api.server import run
    from ragsvc.loading.corpus import read_corpora, shipped_corpora

    obj: Context = context.obj
    root = corpora or shipped_corpora()
    found = [corpus for corpus in read_corpora(root) if not corpus.files]
    if not found:
        raise InvalidInput(f"no corpus.toml with documents beside it under {root.resolve()}; --corpora names another")
    service = obj.service(may_be_new=True)
    for corpus in found:
        report = service.ingest([corpus.folder], corpus.collection, domain=corpus.domain, wait=True)
        say(f"{corpus.collection}: {report.documents} documents, {report.embedded} embedded")
    service.close()
    address = f"http://{host}:{port}"
    say(f"\npage:  {address}/\ndocs:  {address}/schema\n")
    say(f"curl -s {address}/v1/ask -H 'content-type: application/json' \\")
    say("""  -d '{"question": "押金不退怎么办？", "collection": "law"}'\n""")
    run(obj.settings(), host=host, port=port, workers=1)
