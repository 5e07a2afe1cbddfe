"""The OpenAPI document at ``/schema/openapi.json`` and the page at ``/schema`` that shows it, loading nothing foreign.

Schemas of bodies come from msgspec, which checks them, so that what is documented is what is enforced.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, Router
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Reference,
    RequestBody,
    Schema,
    SecurityScheme,
)
from litestar.static_files import create_static_files_router

from ragsvc.api import (
    chat_schemas,
    desk_schemas,
    embed_schemas,
    feedback_schemas,
    key_schemas,
    schemas,
    talk_schemas,
    verify_schemas,
)
from ragsvc.api.access import OPEN

PAGE = Path(__file__).parent / "docs_page"
_REFERENCE = "#/components/schemas/{name}"


def json_body(body_type: type[msgspec.Struct], streams: type[msgspec.Struct] | None = None) -> type[Operation]:
    """Return the class of an operation whose body is JSON of this type, read by ``bodies.read_json``.

    ``streams`` is the type of its server-sent events, where it can answer with them.
    """

    @dataclass
    class WithJsonBody(Operation):
        def __post_init__(self) -> None:
            self.request_body = RequestBody({"application/json": _of_type(body_type)}, required=True)
            success = (self.responses or {}).get("200")
            if streams and isinstance(success, OpenAPIResponse) and success.content is not None:
                success.content["text/event-stream"] = _of_type(streams)

    return WithJsonBody


def _of_type(body_type: type[msgspec.Struct]) -> OpenAPIMediaType:
    return OpenAPIMediaType(schema=Reference(_REFERENCE.format(name=body_type.__name__)))


def multipart_body(schema: Schema) -> type[Operation]:
    """Return the class of an operation whose body is multipart/form-data, read as it streams in by ``uploads.py``."""

    @dataclass
    class WithMultipartBody(Operation):
        def __post_init__(self) -> None:
            self.request_body = RequestBody({"multipart/form-data": OpenAPIMediaType(schema=schema)}, required=True)

    return WithMultipartBody


def config() -> OpenAPIConfig:
    """Return what Litestar needs to make and serve the document."""
    return OpenAPIConfig(
        title="ragsvc",
        version=version("ragsvc"),
        description=(
            "Answers whose every citation is checked, character for character, against a stored version of its source. "
            "Offsets count Unicode code points. Every error is an RFC 9457 problem."
        ),
        security=[{"key": []}],
        components=Components(
            security_schemes={
                "key": SecurityScheme(type="http", scheme="bearer", description="Needed once the home has a key.")
            }
        ),
        use_handler_docstrings=True,
        openapi_router=Router(
            "/schema",
            route_handlers=[create_static_files_router("/page", [PAGE], name="docs")],
            opt=OPEN,
            after_request=_no_html_errors,
            include_in_schema=False,
        ),
        render_plugins=[_Page(path="/"), _Json()],
    )


class _Page(OpenAPIRenderPlugin):
    """The page itself: static, the same for every document."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return (PAGE / "index.html").read_bytes()


class _Json(JsonRenderPlugin):
    """The document, with the schemas of our bodies as msgspec states them."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return document(openapi_schema)


@cache
def _body_schemas() -> dict[str, Any]:
    modules = (
        *(schemas, chat_schemas, desk_schemas, embed_schemas, feedback_schemas),
        *(key_schemas, talk_schemas, verify_schemas),
    )
    bodies = [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__
    ]
    return msgspec.json.schema_components(bodies, ref_template=_REFERENCE)[1]


def document(openapi_schema: dict[str, Any]) -> bytes:
    """Return the OpenAPI document as JSON."""
    components = {**openapi_schema["components"], "schemas": _body_schemas()}
    return msgspec.json.encode({**openapi_schema, "components": components})


def _no_html_errors(response: Response[Any]) -> Response[Any]:
    # Litestar answers an unknown address under /schema with a page of its own.
    if response.status_code == 404:
        raise NotFoundException
    return response
