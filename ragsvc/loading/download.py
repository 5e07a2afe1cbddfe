"""A large file from the network, in as many attempts as it takes: what came stays, and is checked at the end."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import httpx
from msgspec import Struct

from ragsvc.errors import UnreadableFile, UpstreamFailed
from ragsvc.loading.corpus import Download
from ragsvc.loading.fetch import Fetcher, FetchLimits, Passing, check_status, with_patience, write_body
from ragsvc.security.urls import Target

_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", re.ASCII)


class _Here(Struct, frozen=True):
    """Where one download lies: whole, in part, and the mark by which its publisher knows that state again."""

    whole: Path
    part: Path
    mark: Path

    def validator(self) -> str:
        return self.mark.read_text("utf-8") if self.mark.exists() else ""


async def download(item: Download, folder: Path, fetcher: Fetcher, limits: FetchLimits) -> Path:
    """Return the path of a downloaded file; what an earlier call got of it is not fetched again.

    A file that is here already is kept if its checksum fits or, without one, if the server says that it is current.

    Args:
        item: address, name and checksum.
        folder: where the file goes; a part of it lies beside, called ``NAME.part``.
        fetcher: what may be fetched.
        limits: of all attempts together (bytes) and of each (time).

    Raises:
        UnreadableFile: the checksum is another.
        InvalidInput: the address may not be fetched, or the file is over the limit.
        UpstreamFailed: it did not come whole; what came is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    here = _Here(*(folder / f"{item.name}{suffix}" for suffix in ("", ".part", ".validator")))
    if item.sha256 and here.whole.exists() and _sha256(here.whole) == item.sha256:
        return here.whole

    async def attempt() -> None:
        async with fetcher.open(item.url, limits, _headers(item, here)) as (response, target):
            await _receive(response, target, here, limits)

    await with_patience(attempt, limits.attempts)
    if here.part.exists():
        _check(item, here)
        here.part.replace(here.whole)
    return here.whole


def _headers(item: Download, here: _Here) -> dict[str, str]:
    """Ask for the rest of a part, or whether a whole file is still the current one."""
    mark = here.validator()
    if here.part.exists() and (mark or item.sha256):
        size = here.part.stat().st_size
        return {"range": f"bytes={size}-"} | ({"if-range": mark} if mark else {})
    if here.whole.exists() and mark and not item.sha256:
        return {"if-none-match" if mark.startswith('"') else "if-modified-since": mark}
    return {}


async def _receive(response: httpx.Response, target: Target, here: _Here, limits: FetchLimits) -> None:
    """Write what comes to the part: its rest (206) or all of it (200); 304 = the whole file is current."""
    if response.status_code == 416:
        _, total = _content_range(response)
        if total == here.part.stat().st_size:
            return  # all of it had come before
        here.part.unlink()
        raise Passing(UpstreamFailed(f"{target.host} has another file than the one that came in part"))
    check_status(response, target, (200, 206, 304))
    if response.status_code == 304:
        return
    is_rest = response.status_code == 206
    if is_rest and _content_range(response)[0] != here.part.stat().st_size:
        here.part.unlink()
        raise Passing(UpstreamFailed(f"{target.host} sent another part of the file than was asked for"))
    if not is_rest:
        here.mark.write_text(_validator(response), "utf-8")
    with here.part.open("ab" if is_rest else "wb") as file:
        await write_body(response.aiter_raw(), file, limits, target)


def _check(item: Download, here: _Here) -> None:
    """Refuse a file that is not the one that the recipe names; what came is deleted, for it is of no use.

    Raises:
        UnreadableFile: the checksum is another.
    """
    found = _sha256(here.part) if item.sha256 else ""
    if found != item.sha256:
        size = here.part.stat().st_size
        here.part.unlink()
        raise UnreadableFile(
            item.url,
            f"gave {size:,} bytes with SHA-256 {found}, but the recipe says {item.sha256}: the publisher has changed "
            "the file, or something on the way did; pull again, and if it stays so, look for a newer edition",
        )


def _validator(response: httpx.Response) -> str:
    """A strong entity tag, else the date of the last change, else nothing (RFC 9110, 13.1.5)."""
    tag = str(response.headers.get("etag", ""))
    return tag if tag.startswith('"') else str(response.headers.get("last-modified", ""))


def _content_range(response: httpx.Response) -> tuple[int | None, int | None]:
    """First byte and total size, as far as they are stated."""
    found = _RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if found is None:
        return None, None
    return (int(found[1]) if found[1] else None), (None if found[2] == "*" else int(found[2]))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
