"""Pages, files, archives and sitemaps at addresses as sources of an ingest."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ragsvc.errors import UnreadableFile
from ragsvc.loading import ParserProcess
from ragsvc.loading.fetch import Fetcher
from ragsvc.pipelines import sources as sources_module
from ragsvc.pipelines.sources import Source, url_sources
from ragsvc.security.urls import UrlPolicy
from tests.servers.files import FileServer, status

Find = Callable[..., list[Source]]


@pytest.fixture(scope="module")
def parser() -> Iterator[ParserProcess]:
    with ParserProcess() as process:
        yield process


@pytest.fixture
def web() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server


@pytest.fixture
def find(web: FileServer, parser: ParserProcess, tmp_path: Path) -> Find:
    """Sources at addresses of the test's own server."""
    fetcher = Fetcher(UrlPolicy(private_hosts=(web.authority,)))
    return lambda *urls: url_sources(urls, fetcher, parser, tmp_path)


def sitemap(*addresses: str, kind: str = "urlset", entry: str = "url") -> bytes:
    entries = "".join(f"<{entry}><loc>\n{address} </loc><priority>1</priority></{entry}>" for address in addresses)
    head = '<?xml version="1.0" encoding="UTF-8"?><?xml-stylesheet href="s.xsl"?>'
    return f'{head}<{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{kind}>'.encode()


def index(*addresses: str) -> bytes:
    return sitemap(*addresses, kind="sitemapindex", entry="sitemap")


def reason(source: Source) -> str:
    with pytest.raises(UnreadableFile) as error:
        source.sha256()
        source.load()
    return error.value.reason


def test_a_file_keeps_its_address(web: FileServer, find: Find) -> None:
    """After a redirect, the address that gave it in the end; the same bytes have the same hash."""
    target = web.put("/laws/a.md", b"# A\n\nArticle 1 of A.\n", "text/markdown")
    first, second = find(web.script("/old", status(301, location="/laws/a.md")), target)
    assert first.url == second.url == target
    assert first.name == f"{web.authority}/laws/a.md"
    assert first.sha256() == second.sha256()
    assert "Article 1 of A." in first.load().text


def test_an_archive_is_its_members(web: FileServer, find: Find) -> None:
    """Each a source of its own; a reader is led to the archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.md", "# A\n\none\n")
        archive.writestr("b.md", "# B\n\ntwo\n")
    url = web.put("/laws.zip", packed.getvalue(), "application/zip")
    found = find(url)
    assert [source.name for source in found] == [f"{web.authority}/laws.zip/{name}" for name in ("a.md", "b.md")]
    assert {source.url for source in found} == {url}
    assert "two" in found[1].load().text


@pytest.mark.parametrize("packed", [False, True])
def test_a_sitemap_is_its_pages(web: FileServer, find: Find, packed: bool) -> None:
    """In order, each once, fetched when its turn comes; compressed or not."""
    pages = [web.put(f"/{name}.md", f"# {name}\n\nText of {name}.\n".encode(), "text/markdown") for name in "abc"]
    content = sitemap(*pages, pages[0])
    url = web.put("/sitemap.xml" + ".gz" * packed, gzip.compress(content) if packed else content)
    found = find(url)
    assert [(source.name, source.url) for source in found] == [(page, page) for page in pages]
    assert web.asked == [url.removeprefix(f"http://{web.authority}")]
    for name, source in zip("abc", found, strict=True):
        assert len(source.sha256()) == 64
        assert f"Text of {name}." in source.load().text
    assert web.asked[1:] == ["/a.md", "/b.md", "/c.md"]


def test_pages_may_be_read_in_any_order(web: FileServer, find: Find) -> None:
    """A page that was looked at before another is fetched again, and never taken for that other."""
    pages = [web.put(f"/{name}.md", f"# {name}\n\nText of {name}.\n".encode(), "text/markdown") for name in "ab"]
    first, second = find(web.put("/sitemap.xml", sitemap(*pages)))
    hashes = first.sha256(), second.sha256()
    assert hashes[0] != hashes[1]
    assert "Text of a." in first.load().text
    assert "Text of b." in second.load().text


def test_a_sitemap_index_is_its_sitemaps(web: FileServer, find: Find) -> None:
    """One that cannot be read, and one that is an index again, are named; the others count."""
    pages = [web.put(f"/{name}.md", b"# x\n\ny\n", "text/markdown") for name in "ab"]
    good = web.put("/one.xml", sitemap(*pages))
    nested, missing = web.put("/nested.xml", index(good)), web.url("/missing.xml")
    found = find(web.put("/sitemap.xml", index(good, missing, nested)))
    refused = {source.name: reason(source) for source in found if source.url is None}
    assert [source.url for source in found if source.url] == pages
    assert "HTTP 404" in refused[missing]
    assert refused[nested] == "is named in a sitemap index and is no sitemap"


def test_a_sitemap_speaks_for_its_own_host_alone(web: FileServer, find: Find) -> None:
    """Addresses elsewhere, inside, or of other schemes are left out with the reason, and never asked for."""
    foreign = [
        "https://other.example/a",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "http://127.1/",
        "javascript:x",
    ]
    own = web.put("/a.md", b"# x\n\ny\n", "text/markdown")
    found = find(web.put("/sitemap.xml", sitemap(*foreign, own)))
    assert [source.url for source in found if source.url] == [own]
    refused = [source for source in found if source.url is None]
    assert [source.name for source in refused] == foreign
    assert all("is on another host than" in reason(source) for source in refused)


def test_a_sitemap_is_bounded(web: FileServer, find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    """More pages or sitemaps than are read are not lost in silence."""
    monkeypatch.setattr(sources_module, "MAX_PAGES", 2)
    monkeypatch.setattr(sources_module, "MAX_SITEMAPS", 1)
    inner = web.put("/one.xml", sitemap(*(web.url(f"/{number}") for number in range(5))))
    url = web.put("/sitemap.xml", index(inner, web.url("/two.xml")))
    found = find(url)
    assert [source.url for source in found if source.url] == [web.url("/0"), web.url("/1")]
    reasons = [reason(source) for source in found if source.url is None]
    assert reasons == ["names 2 sitemaps; the first 1 were read", "names 5 pages; the first 2 were read"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"<urlset><url><loc>x", "is damaged XML"),
        (b'<!DOCTYPE u [<!ENTITY x SYSTEM "file:///etc/passwd">]><urlset>&x;</urlset>', "declares entities"),
        (gzip.compress(b"<urlset>" + b" " * 60_000_000), "more than 50 MiB"),
        (gzip.compress(sitemap("http://x/" + "".join(map(str, range(3000)))))[:600], "damaged sitemap"),
    ],
    ids=["damaged", "entities", "bomb", "cut"],
)
def test_a_hostile_sitemap_is_refused(web: FileServer, find: Find, content: bytes, complaint: str) -> None:
    """One source that says why."""
    [source] = find(web.put("/sitemap.xml", content))
    assert complaint in reason(source)


def test_what_cannot_be_fetched_says_why(web: FileServer, find: Find) -> None:
    """One bad address does not stop the others."""
    good = web.put("/a.md", b"# x\n\ny\n", "text/markdown")
    found = find(web.url("/missing"), "http://127.0.0.1:1/", "file:///etc/passwd", good)
    assert ["HTTP 404" in reason(found[0]), "port 1" in reason(found[1]), "'file'" in reason(found[2])] == [True] * 3
    assert [source.name for source in found[:3]] == [web.url("/missing"), "http://127.0.0.1:1/", "file:///etc/passwd"]
    assert found[3].url == good
