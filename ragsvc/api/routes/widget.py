"""``/widget/ragsvc.js``: the custom element that a portal puts into its page. Static, and the same for everyone."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get

from ragsvc.api.access import OPEN

FILE = Path(__file__).parent.parent.parent / "widget" / "ragsvc.js"


@get("/widget/ragsvc.js", opt=OPEN, include_in_schema=False, sync_to_thread=True)
def widget(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Serve the widget."""
    script, tag = _read()
    # A module is only run on a page of another origin if that may read it. It holds no data, and no cookie is asked.
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, media_type="text/javascript", headers=headers)
    return Response(script, media_type="text/javascript", headers=headers)


@cache
def _read() -> tuple[bytes, str]:
    script = FILE.read_bytes()
    return script, f'"{hashlib.sha256(script).hexdigest()[:32]}"'
