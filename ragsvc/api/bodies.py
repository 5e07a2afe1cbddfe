"""Reads JSON bodies strictly: what the schema does not allow is an error that names the place."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import Request

from ragsvc.api.errors import Refused
from ragsvc.errors import InvalidInput

T = TypeVar("T")


def _whole_number(text: str) -> float:
    # JSON schema counts 10.0 as an integer; msgspec does not. No request has a field that is a fraction.
    number = float(text)
    return int(number) if number.is_integer() else number


_DECODER = msgspec.json.Decoder(float_hook=_whole_number)


async def read_json(request: Request[Any, Any, Any], body_type: type[T]) -> T:
    """Return the request's body as ``body_type``.

    Litestar's own conversion is lenient ("5" for 5), as it has to be for query strings; a body has real types.

    Raises:
        Refused: 415 for another media type, 413 for more than the route's limit.
        InvalidInput: not JSON, not UTF-8, or not of this shape.
    """
    media_type, _ = request.content_type
    if media_type != "application/json":
        raise Refused(status_code=415, detail=f"send 'Content-Type: application/json'; found {media_type!r}")
    raw = await request.body()
    try:
        return msgspec.convert(_DECODER.decode(raw), body_type)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"the body does not fit: {error}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the body is not UTF-8: {error.reason} at byte {error.start}") from None
    except msgspec.DecodeError as error:
        raise InvalidInput(f"the body is not JSON: {error}") from None
