"""What is to be ingested: files, pages at addresses, and the files inside archives, messages and sitemaps."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

from msgspec import Struct

from ragsvc.errors import UnreadableFile
from ragsvc.loading import ParserProcess, iter_files, load_file, take_apart
from ragsvc.loading.fetch import Fetcher, FetchLimits
from ragsvc.loading.formats import check_size
from ragsvc.loading.sitemap import MAX_PAGES, MAX_SITEMAPS, Sitemap, read_sitemap
from ragsvc.loading.web_files import WebFile, fetch_file
from ragsvc.records import LoadedDocument
from ragsvc.security.urls import is_url


class Source(Struct, frozen=True, kw_only=True):
    """A document to be ingested. ``sha256`` is of its bytes; both calls raise UnreadableFile."""

    name: str
    sha256: Callable[[], str]
    load: Callable[[], LoadedDocument]
    url: str | None = None
    """Where a reader finds it."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What of the files that are found is to go in, and where they are from."""

    include: tuple[str, ...] = ()
    """Patterns of names (``*/laws/*.md``), of which one must fit; none = everything."""
    urls: dict[str, str] = {}
    """Path of a file to the address that it was fetched from."""


EVERYTHING = Wanted()


def find_sources(
    places: Iterable[str], parser: ParserProcess, fetcher: Fetcher, unpacked: Path, wanted: Wanted = EVERYTHING
) -> list[Source]:
    """Return what is at these places, paths or addresses: see ``file_sources`` and ``url_sources``.

    Raises:
        UnreadableFile: a path does not exist.
    """
    places = list(places)
    paths = [Path(place) for place in places if not is_url(place)]
    urls = [place for place in places if is_url(place)]
    return file_sources(paths, parser, unpacked, wanted) + url_sources(urls, fetcher, parser, unpacked)


def file_sources(
    paths: Iterable[Path], parser: ParserProcess, unpacked: Path, wanted: Wanted = EVERYTHING
) -> list[Source]:
    """Return the files under these paths as sources, in a stable order; of archives and messages, their members.

    Args:
        paths: files and folders.
        parser: where files are opened.
        unpacked: an empty folder for members; it must stay until the sources are loaded.
        wanted: which of them.

    Raises:
        UnreadableFile: a path does not exist.
    """
    return [source for path in iter_files(paths) for source in _sources_in(path, parser, unpacked, wanted)]


def url_sources(urls: Iterable[str], fetcher: Fetcher, parser: ParserProcess, unpacked: Path) -> list[Source]:
    """Return what is at these addresses as sources: a page or file, the members of an archive, a sitemap's pages.

    What is named here is fetched now; the pages of a sitemap are fetched one by one as they are ingested. What cannot
    be fetched is a source that says why.

    Args:
        urls: addresses, http or https.
        fetcher: what may be fetched.
        parser: where files are opened.
        unpacked: an empty folder for what is fetched and for members; it must stay until the sources are loaded.
    """
    web = _Web(fetcher, parser, unpacked)
    return [source for url in dict.fromkeys(urls) for source in web.sources(url)]


class _Web:
    def __init__(self, fetcher: Fetcher, parser: ParserProcess, unpacked: Path) -> None:
        self._fetcher = fetcher
        self._parser = parser
        self._unpacked = unpacked
        self._limits = FetchLimits(file_bytes=parser.limits.file_bytes)
        self._numbers = count()
        self._page_here: tuple[str, WebFile] | None = None

    def sources(self, url: str) -> list[Source]:
        """Return what is at one address."""
        try:
            fetched = self._fetch(url)
            sitemap = read_sitemap(fetched.path, fetched.url, self._fetcher.policy)
        except UnreadableFile as error:
            return [_refused(url, error.reason)]
        if sitemap is not None:
            return list(self._pages(sitemap, fetched.url))
        wanted = Wanted(urls={str(fetched.path): fetched.url})
        return list(_sources_in(fetched.path, self._parser, self._unpacked, wanted, fetched.name))

    def _pages(self, sitemap: Sitemap, url: str) -> Iterator[Source]:
        found = [(sitemap, url)]
        for address in sitemap.sitemaps[:MAX_SITEMAPS]:
            try:
                fetched = self._fetch(address)
                inner = read_sitemap(fetched.path, fetched.url, self._fetcher.policy)
                if inner is None or inner.sitemaps:
                    raise UnreadableFile(address, "is named in a sitemap index and is no sitemap")
                found.append((inner, fetched.url))
            except UnreadableFile as error:
                yield _refused(address, error.reason)
        if len(sitemap.sitemaps) > MAX_SITEMAPS:
            yield _refused(url, f"names {len(sitemap.sitemaps):,} sitemaps; the first {MAX_SITEMAPS} were read")
        pages = list(dict.fromkeys(page for one, _ in found for page in one.pages))
        yield from map(self._page, pages[:MAX_PAGES])
        if len(pages) > MAX_PAGES:
            yield _refused(url, f"names {len(pages):,} pages; the first {MAX_PAGES:,} were read")
        for one, where in found:
            for address in one.foreign:
                yield _refused(address, f"is on another host than {where}, which names it, or may not be fetched")

    def _page(self, url: str) -> Source:
        """A page that is fetched when its turn comes. One page at a time lies on disk, however many there are."""

        def fetched() -> WebFile:
            if self._page_here is None or self._page_here[0] != url:
                self._page_here = None
                page = fetch_file(url, self._unpacked / "page", self._fetcher, self._limits)
                self._page_here = (url, page)
            return self._page_here[1]

        return Source(
            name=url,
            sha256=lambda: _sha256(fetched().path),
            load=lambda: load_file(fetched().path, name=fetched().name, parser=self._parser),
            url=url,
        )

    def _fetch(self, url: str) -> WebFile:
        return fetch_file(url, self._unpacked / f"fetched-{next(self._numbers):06d}", self._fetcher, self._limits)


def _sources_in(
    path: Path, parser: ParserProcess, unpacked: Path, wanted: Wanted, name: str | None = None
) -> Iterator[Source]:
    try:
        found = take_apart(path, unpacked / uuid4().hex, parser=parser, name=name)
    except UnreadableFile as error:
        yield _refused(name or path.name, error.reason)
        return
    url = wanted.urls.get(str(path))
    for member in found.members:
        if _is_wanted(member.name, wanted):
            yield _file(member.name, Path(member.path), parser, member.url or url)
    for refused in found.refused:
        if _is_wanted(refused.name, wanted):
            yield _refused(refused.name, refused.reason)


def _is_wanted(name: str, wanted: Wanted) -> bool:
    return not wanted.include or any(fnmatchcase(name, pattern) for pattern in wanted.include)


def _file(name: str, path: Path, parser: ParserProcess, url: str | None = None) -> Source:
    def sha256() -> str:
        try:
            check_size(path, name, parser.limits)  # a pipe would be waited for
        except UnreadableFile:
            return ""  # refused by the loader, with its reason
        return _sha256(path)

    return Source(name=name, sha256=sha256, load=lambda: load_file(path, name=name, parser=parser), url=url)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refused(name: str, reason: str) -> Source:
    def load() -> NoReturn:
        raise UnreadableFile(name, reason)

    return Source(name=name, sha256=lambda: "", load=load)
