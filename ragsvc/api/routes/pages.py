"""The page at ``/``, the desk at ``/desk``, and their assets: static, and the same for everyone."""

from __future__ import annotations

from pathlib import Path

from litestar import MediaType, Response, Router, get
from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router

from ragsvc.api.access import OPEN

FOLDER = Path(__file__).parent.parent / "page"
DESK = Path(__file__).parent.parent / "desk"


@get("/", opt=OPEN, include_in_schema=False, sync_to_thread=True)
def front_page() -> Response[bytes]:
    """Serve the page for people."""
    return Response((FOLDER / "index.html").read_bytes(), media_type=MediaType.HTML)


@get("/desk", opt=OPEN, include_in_schema=False, sync_to_thread=True)
def desk_page() -> Response[bytes]:
    """Serve the page for librarian and operator. It holds no data: what it shows is asked for with their key."""
    return Response((DESK / "index.html").read_bytes(), media_type=MediaType.HTML)


def assets() -> list[Router]:
    """Return the routers of the pages' scripts, styles and pictures."""
    # Scripts import each other: after an update a browser must not mix old ones with new ones.
    fresh = CacheControlHeader(no_cache=True)
    return [
        create_static_files_router(f"/{name}", [folder], opt=OPEN, name=name, cache_control=fresh)
        for name, folder in (("page", FOLDER), ("desk/assets", DESK))
    ]
