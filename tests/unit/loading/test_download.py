"""Large files: interrupted, continued, changed meanwhile, damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from ragsvc.errors import InvalidInput, UnreadableFile, UpstreamFailed
from ragsvc.loading.corpus import Download
from ragsvc.loading.download import download
from ragsvc.loading.fetch import Fetcher, FetchLimits
from ragsvc.security.urls import UrlPolicy
from tests.servers.files import Exchange, FileServer, cut, ranged, status

BODY = bytes(range(256)) * 400
SHA256 = hashlib.sha256(BODY).hexdigest()
LIMITS = FetchLimits(file_bytes=1_000_000, seconds=10.0, attempts=3)
ONCE = FetchLimits(file_bytes=1_000_000, seconds=10.0, attempts=1)

Get = Callable[..., Awaitable[bytes]]


@pytest.fixture
def web() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server


@pytest.fixture
def get(web: FileServer, tmp_path: Path) -> Get:
    """Download ``laws.zip`` from the test's own server and return its bytes."""
    fetcher = Fetcher(UrlPolicy(private_hosts=(web.authority,)))

    async def got(url: str, sha256: str = "", limits: FetchLimits = LIMITS) -> bytes:
        return (
            await download(Download(url=url, name="laws.zip", sha256=sha256), tmp_path, fetcher, limits)
        ).read_bytes()

    return got


async def test_a_file_comes_whole_and_is_not_fetched_again(web: FileServer, get: Get, tmp_path: Path) -> None:
    """With its checksum, the file here is enough; nothing but it and its mark stay in the folder."""
    url = web.put("/laws.zip", BODY)
    assert await get(url, SHA256) == await get(url, SHA256) == BODY
    assert web.asked == ["/laws.zip"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["laws.zip", "laws.zip.validator"]


async def test_a_broken_connection_is_continued(web: FileServer, get: Get) -> None:
    """Only the rest is asked for, if the file is still the same."""
    url = web.script("/laws.zip", cut(BODY, 40_000), ranged(BODY))
    assert await get(url, SHA256) == BODY
    first, second = web.seen["/laws.zip"]
    assert "range" not in first
    assert int(second["range"].removeprefix("bytes=").removesuffix("-")) <= 40_000
    assert second["if-range"].startswith('"')


async def test_a_later_call_goes_on_where_an_earlier_one_stopped(web: FileServer, get: Get, tmp_path: Path) -> None:
    """What came before everything failed is kept."""
    url = web.script("/laws.zip", cut(BODY, 40_000), ranged(BODY))
    with pytest.raises(UpstreamFailed):
        await get(url, SHA256, ONCE)
    kept = (tmp_path / "laws.zip.part").stat().st_size
    assert 0 < kept <= 40_000
    assert await get(url, SHA256, ONCE) == BODY
    assert web.seen["/laws.zip"][1]["range"] == f"bytes={kept}-"


async def test_a_part_of_an_older_state_is_not_continued(web: FileServer, get: Get) -> None:
    """The server sends the whole new file when the part is of another, and that is what is taken."""
    other = BODY[::-1]
    url = web.script("/laws.zip", cut(BODY, 40_000), ranged(other))
    assert await get(url) == other


async def test_a_server_without_ranges_sends_all_of_it(web: FileServer, get: Get) -> None:
    """200 to a question for the rest starts over."""
    url = web.script("/laws.zip", cut(BODY, 40_000), lambda exchange: exchange.answer(BODY))
    assert await get(url, SHA256) == BODY


async def test_a_part_that_is_whole_already(web: FileServer, get: Get, tmp_path: Path) -> None:
    """Killed between the last byte and the renaming: 416 says that nothing is missing."""
    (tmp_path / "laws.zip.part").write_bytes(BODY)
    assert await get(web.put("/laws.zip", BODY), SHA256) == BODY


async def test_a_part_that_is_longer_than_the_file_is_dropped(web: FileServer, get: Get, tmp_path: Path) -> None:
    """It cannot be of this file."""
    (tmp_path / "laws.zip.part").write_bytes(BODY + b"x")
    assert await get(web.put("/laws.zip", BODY), SHA256) == BODY


async def test_another_range_than_asked_for_is_not_appended(web: FileServer, get: Get) -> None:
    """A lying server costs another attempt, not a damaged file."""

    def lying(exchange: Exchange) -> None:
        exchange.answer(BODY[5:], 206, content_range=f"bytes 5-{len(BODY) - 1}/{len(BODY)}")

    url = web.script("/laws.zip", cut(BODY, 40_000), lying, ranged(BODY))
    assert await get(url, SHA256) == BODY


async def test_another_checksum_is_an_error_that_names_both(web: FileServer, get: Get, tmp_path: Path) -> None:
    """The wrong bytes do not stay, so that the next call starts over; a file from before is left alone."""
    (tmp_path / "laws.zip").write_bytes(b"older")
    url = web.put("/laws.zip", b"other bytes")
    found = hashlib.sha256(b"other bytes").hexdigest()
    with pytest.raises(UnreadableFile, match=f"{found}.*{SHA256}.*newer edition"):
        await get(url, SHA256)
    assert (tmp_path / "laws.zip").read_bytes() == b"older"
    assert not (tmp_path / "laws.zip.part").exists()
    web.put("/laws.zip", BODY)
    assert await get(url, SHA256) == BODY


async def test_without_a_checksum_the_server_is_asked_whether_it_is_current(web: FileServer, get: Get) -> None:
    """304 keeps the file; a changed one is fetched."""
    url = web.put("/laws.zip", BODY)
    assert await get(url) == await get(url) == BODY
    assert web.seen["/laws.zip"][1]["if-none-match"].startswith('"')
    web.put("/laws.zip", b"new state")
    assert await get(url) == b"new state"


async def test_patience_is_as_long_as_the_server_asks(web: FileServer, get: Get) -> None:
    """429 with Retry-After is waited for."""
    url = web.script("/laws.zip", status(429, retry_after="1"), ranged(BODY))
    assert await get(url) == BODY


async def test_what_is_not_there_is_an_error(web: FileServer, get: Get) -> None:
    """404 at once; so is a file over the limit."""
    with pytest.raises(UpstreamFailed, match="HTTP 404"):
        await get(web.url("/missing"))
    with pytest.raises(InvalidInput, match="larger than the limit"):
        await get(web.put("/large", b"x" * 1_000_001))
