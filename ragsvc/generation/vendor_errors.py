"""What a vendor's library raises, read without knowing the library: status, words, and when to come back."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

_CREDENTIAL = re.compile(
    r"(?i)\b(?:(?:bearer|basic)\s+"
    r"|(?:api[-_]?key|access_token|client_id|client_secret|token|secret|password)[\"']?\s*[=:]\s*[\"']?"
    r"|sk-|bce-v3/|AIza)[^\s\"',;}&]+"
)
_USER_IN_URL = re.compile(r"(?<=://)[^/\s@]+@")


class VendorRefused(Exception):
    """An error that a service reports inside an answer with HTTP status 200, with the status that it stands for."""

    def __init__(self, message: str, status_code: int, response: object = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.response = response


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an error stands for, its own or its cause's; None when it has none."""
    for one in _with_causes(error):
        response = getattr(one, "response", None)
        for status in (getattr(one, "status_code", None), getattr(response, "status_code", None), _code(one)):
            if isinstance(status, int) and status >= 400:
                return status
    return None


def retry_after_s(error: BaseException | None) -> float | None:
    """Return the seconds after which the service wants to be asked again; None when it does not say."""
    for one in _with_causes(error):
        headers = getattr(getattr(one, "response", None), "headers", None) or {}
        if (asked := _seconds(headers.get("retry-after"))) is not None:
            return asked
        details = getattr(one, "details", None)
        if found := re.search(r"'retryDelay': '([\d.]+)s'", str(details)):  # Google: google.rpc.RetryInfo
            return float(found[1])
    return None


def said(error: BaseException, secrets: Sequence[str]) -> str:
    """Return the vendor's own words on one line, short, and without credentials."""
    words = next((words for one in _with_causes(error) if (words := _words(one))), str(error))
    for secret in secrets:
        words = words.replace(secret, "***")
    words = " ".join(_USER_IN_URL.sub("***@", _CREDENTIAL.sub("***", words)).split())[:300]
    return words if words.endswith((".", "!", "?", "。")) else f"{words}."


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _code(error: BaseException) -> int | None:
    code = getattr(error, "code", None)  # google-genai; other libraries keep words there
    return code if isinstance(code, int) else None


def _words(error: BaseException) -> str:
    """Return the message in the body of an answer, in whatever shape the vendor puts it."""
    body = getattr(error, "body", None) or getattr(error, "details", None)
    if body is None and (response := getattr(error, "response", None)) is not None:
        with contextlib.suppress(Exception):  # a body that was never read, or is no JSON
            body = json.loads(response.text)
    while isinstance(body, dict):
        inner = body.get("error") if isinstance(body.get("error"), dict) else body.get("message") or body.get("detail")
        if inner is None:
            return ""
        body = inner
    return body if isinstance(body, str) else "" if body is None else json.dumps(body, ensure_ascii=False)


def _seconds(header: Any) -> float | None:
    """Read a Retry-After header: seconds or a date (RFC 9110, section 10.2.3)."""
    if header is None:
        return None
    with contextlib.suppress(ValueError):
        return max(0.0, float(header))
    with contextlib.suppress(ValueError):
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    return None
