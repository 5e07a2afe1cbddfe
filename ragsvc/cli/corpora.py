"""``ragsvc corpora``: public sources that can be fetched and ingested with one command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from ragsvc.cli.ingest import progress_bar
from ragsvc.cli.output import Context, Json, print_json, print_table, say
from ragsvc.cli.reports import say_report

if TYPE_CHECKING:
    from ragsvc.loading.corpus import Corpus

app = typer.Typer(no_args_is_help=True)
Root = Annotated[Path | None, typer.Option("--corpora", help="Folder of corpora, each with a corpus.toml [shipped].")]


@app.command("list")
def list_(root: Root = None, as_json: Json = False) -> None:
    """List the corpora that can be pulled; --json has their licences, terms and addresses."""
    from ragsvc.loading.corpus import read_corpora, shipped_corpora

    found = read_corpora(root or shipped_corpora())
    if as_json:
        print_json({"corpora": [_described(corpus) for corpus in found]})
        return
    rows = [[c.name, c.domain, c.title, ", ".join(_hosts(c))] for c in found]
    print_table(["corpus", "domain", "title", "from"], rows)


@app.command()
def pull(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name as 'corpora list' shows it.")],
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", help="Where it goes [the corpus's own].")
    ] = None,
    edition: Annotated[
        str | None, typer.Option(help="Another edition than the recipe's; no checksum is known.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait for another writer instead of failing.")] = False,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Download a corpus, going on where an earlier pull stopped, and ingest it."""
    from ragsvc.loading.corpus import find_corpus, shipped_corpora, with_edition
    from ragsvc.pipelines.jobs import IngestPayload
    from ragsvc.wiring import corpora

    corpus = find_corpus(root or shipped_corpora(), name)
    if edition:
        corpus = with_edition(corpus, edition)
    obj: Context = context.obj
    unpacked_mb = max(obj.settings().max_unpacked_mb, corpus.unpacked_mb)
    service = obj.service(may_be_new=True, max_unpacked_mb=unpacked_mb)
    say(f"{corpus.title}: {corpus.licence}; from {corpus.origin}")
    if corpus.terms:
        say(f"terms: {corpus.terms}")
    into = IngestPayload(paths=[], collection=collection or corpus.collection, domain=corpus.domain, wait=wait)
    with progress_bar() as progress:
        report = corpora.pull(
            corpus,
            into,
            service.settings.home / "downloads",
            service.network.documents,
            lambda payload: service.run_ingest(payload, progress),
        )
    if as_json:
        print_json(report)
    else:
        say_report(report, into.collection)
    if report.documents == 0 or report.cancelled:
        raise typer.Exit(1)


def _described(corpus: Corpus) -> dict[str, object]:
    return {
        "name": corpus.name,
        "collection": corpus.collection,
        "domain": corpus.domain,
        "title": corpus.title,
        "format": corpus.format,
        "edition": corpus.edition,
        "licence": corpus.licence,
        "terms": corpus.terms,
        "origin": corpus.origin,
        "files": [{"url": file.url, "sha256": file.sha256} for file in corpus.downloads()],
    }


def _hosts(corpus: Corpus) -> list[str]:
    """The hosts that are asked; of a corpus in its folder, that it is here."""
    hosts = dict.fromkeys(urlsplit(download.url).hostname or "" for download in corpus.downloads())
    return list(hosts) or ["here"]
