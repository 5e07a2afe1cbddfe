"""A query parameter that does not exist is an error, as an unknown field of a body is.

``/v1/lookup?citation=…&asof=2019-01-01`` answered with the law of today would be a wrong citation.
"""

from __future__ import annotations

from typing import Any

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from ragsvc.errors import InvalidInput


def refuse_unknown_names(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuse a request to ``/v1`` whose query names something that the route does not take (a Litestar guard).

    The addresses of OpenAI's clients are excepted: some of those add parameters of their own, like ``api-version``.

    Raises:
        InvalidInput: says what was given and what there is.
    """
    given = set(connection.query_params)
    template: str = connection.scope["path_template"]
    if not given or not template.startswith("/v1/") or handler.opt.get("is_openai"):
        return
    known = _names(connection.app, template, str(connection.scope.get("method", "GET")))
    if unknown := given - known:
        listed = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
        raise InvalidInput(f"query parameters {', '.join(sorted(unknown))} do not exist at {template}; {listed}")


def _names(app: Litestar, template: str, method: str) -> set[str]:
    """Return the names of a route's query parameters as its documentation lists them."""
    path = (app.openapi_schema.paths or {}).get(template)
    operation = getattr(path, method.lower(), None)
    parameters = (operation and operation.parameters) or []
    return {parameter.name for parameter in parameters if getattr(parameter, "param_in", "") == "query"}
