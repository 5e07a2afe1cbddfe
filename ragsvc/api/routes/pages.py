"""The page at ``/`` and its assets under ``/page``: static, and the same for everyone."""

from __future__ import annotations

from pathlib import Path

from litestar import MediaType, Response, Router, get
from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router

from ragsvc.api.access import OPEN

FOLDER = Path(__file__).parent.parent / "page"


@get("/", opt=OPEN, include_in_schema=False, sync_to_thread=True)
def front_page() -> Response[bytes]:
    """Serve the page for people."""
    return Response((FOLDER / "index.html").read_bytes(), media_type=MediaType.HTML)


def assets() -> Router:
    """Return the router of the page's scripts, styles and pictures."""
    # Scripts import each other: after an update a browser must not mix old ones with new ones.
    fresh = CacheControlHeader(no_cache=True)
    return create_static_files_router("/page", [FOLDER], opt=OPEN, name="page", cache_control=fresh)
