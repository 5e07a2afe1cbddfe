"""Sitemaps: the addresses of a site's pages, as sitemaps.org lays them down; also compressed, and indexes of them.

A sitemap is taken at its word for its own host alone, as the protocol has it, so that no site can send this machine
to another.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from msgspec import Struct

from ragsvc.errors import InvalidInput, UnreadableFile
from ragsvc.loading.limits import MIB
from ragsvc.loading.xml_parsing import parse_xml
from ragsvc.security.urls import UrlPolicy, check_url

MAX_BYTES = 50 * MIB
"""Of one sitemap, uncompressed: the protocol's own limit."""
MAX_PAGES = 50_000
"""Of one sitemap (the protocol's limit), and of all that an index names."""
MAX_SITEMAPS = 200
"""That an index may name; the protocol's limit is 50,000."""
_GZIP = b"\x1f\x8b"
_ROOTS = {"urlset": "url", "sitemapindex": "sitemap"}


class Sitemap(Struct, frozen=True, kw_only=True):
    """What one sitemap names: pages, or, in an index, other sitemaps."""

    pages: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    """Addresses on another host than its own, or that may not be fetched."""


def read_sitemap(path: Path, url: str, policy: UrlPolicy) -> Sitemap | None:
    """Return what a fetched file names, or None when it is no sitemap.

    Args:
        path: the file, plain or compressed by gzip.
        url: where it came from.
        policy: of addresses that may be fetched.

    Raises:
        UnreadableFile: it begins like a sitemap, but is damaged or larger than a sitemap may be.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    is_packed = head.startswith(_GZIP)
    if not any(f"<{root}".encode() in (_start(head) if is_packed else head) for root in _ROOTS):
        return None
    root = parse_xml(_content(path, url, is_packed=is_packed), url)
    kind = _local(root)
    if kind not in _ROOTS:
        return None
    host = _host(url, policy)
    own: list[str] = []
    foreign: list[str] = []
    for address in _addresses(root, _ROOTS[kind]):
        (own if _host(address, policy) == host else foreign).append(address)
    kept = tuple(dict.fromkeys(own))
    if kind == "sitemapindex":
        return Sitemap(sitemaps=kept, foreign=tuple(foreign))
    return Sitemap(pages=kept, foreign=tuple(foreign))


def _start(head: bytes) -> bytes:
    """What a compressed file begins with, as far as its first bytes tell."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, 4096)
    except zlib.error:
        return b""


def _content(path: Path, url: str, *, is_packed: bool) -> bytes:
    try:
        content = path.read_bytes()
        if is_packed:
            with gzip.open(BytesIO(content)) as stream:
                content = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(url, f"is a damaged sitemap: {error}") from error
    if len(content) > MAX_BYTES:
        raise UnreadableFile(url, f"is a sitemap of more than {MAX_BYTES // MIB} MiB, which none may be: split it")
    return content


def _addresses(root: Any, entry: str) -> Iterator[str]:
    """The text of each entry's ``loc``, in order, up to ``MAX_PAGES``."""
    number = 0
    for element in root:
        if _local(element) != entry:
            continue
        location = next((child for child in element if _local(child) == "loc"), None)
        if location is not None and (address := (location.text or "").strip()):
            number += 1
            if number > MAX_PAGES:
                return
            yield address


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _host(url: str, policy: UrlPolicy) -> str:
    """The host of an address that may be fetched, else nothing."""
    try:
        return check_url(url, policy).host
    except InvalidInput:
        return ""
