"""Corpora that others publish: downloaded as their recipe says, then ingested like any other files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
from msgspec.structs import replace

from ragsvc.errors import InvalidInput, RagsvcError, SettingsError
from ragsvc.loading.corpus import Corpus
from ragsvc.loading.download import download
from ragsvc.loading.fetch import Fetcher, FetchLimits
from ragsvc.pipelines.ingest import IngestReport, Quarantined
from ragsvc.pipelines.jobs import IngestPayload
from ragsvc.pipelines.sources import Wanted

MAX_BYTES = 20_000_000_000
"""Of one download: recipes are chosen by whoever runs this machine."""
LIMITS = FetchLimits(file_bytes=MAX_BYTES, seconds=6 * 3600.0, silence_s=60.0, attempts=8)

RunIngest = Callable[[IngestPayload], IngestReport]


def pull(corpus: Corpus, into: IngestPayload, downloads: Path, fetcher: Fetcher, run_ingest: RunIngest) -> IngestReport:
    """Fetch a corpus and ingest it; one that lies in its folder is only ingested.

    Args:
        corpus: what to fetch.
        into: the job, without its paths.
        downloads: folder for what is fetched; it stays there, so that another pull fetches only what has changed.
        fetcher: what may be fetched.
        run_ingest: does the job.

    Raises:
        SettingsError: the publisher asks for a contact address and none is set.
        RagsvcError: nothing could be downloaded.
    """
    if not corpus.files:
        return run_ingest(replace(into, paths=[str(corpus.folder.resolve())]))
    if corpus.needs_contact and not fetcher.contact:
        raise SettingsError(
            f"{corpus.origin} refuses requests that name no contact: set 'contact' in ragsvc.toml or RAGSVC_CONTACT "
            "to an e-mail address of yours"
        )
    urls, failed = _fetch(corpus, (downloads / corpus.name).resolve(), fetcher)
    report = run_ingest(replace(into, paths=list(urls), wanted=Wanted(include=corpus.include, urls=urls)))
    report.quarantined = [*failed, *report.quarantined]
    return report


def _fetch(corpus: Corpus, folder: Path, fetcher: Fetcher) -> tuple[dict[str, str], Sequence[Quarantined]]:
    """Return the address of each file that is here now, and what could not be had."""
    urls: dict[str, str] = {}
    failed = []
    for item in corpus.downloads():
        try:
            urls[str(anyio.run(download, item, folder, fetcher, LIMITS))] = item.url
        except RagsvcError as error:
            failed.append(Quarantined(item.url, getattr(error, "reason", str(error))))
    if not urls:
        raise InvalidInput(
            f"nothing of corpus {corpus.name!r} could be downloaded: {failed[0].path}: {failed[0].reason}"
        )
    return urls, failed
