"""What vendors' libraries raise is read alike, and nothing secret comes out of it."""

from __future__ import annotations

import httpx
import pytest

from ragsvc.generation.vendor_errors import VendorRefused, retry_after_s, said, status_of


def with_response(error: Exception, status: int, body: object, **headers: str) -> Exception:
    error.response = httpx.Response(status, json=body, headers=headers)  # type: ignore[attr-defined]
    return error


def test_googles_retry_info_is_a_wait() -> None:
    """Gemini says in the body, not in a header, when it wants to be asked again."""
    error = Exception("quota")
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}
    error.details = {"error": {"code": 429, "details": [info]}}  # type: ignore[attr-defined]
    assert retry_after_s(error) == 34.0
    assert retry_after_s(Exception("no idea")) is None


def test_status_and_words_of_a_cause_are_found() -> None:
    """A library that wraps an error, or hides what it came from, hides neither status nor wait."""
    try:
        try:
            raise with_response(Exception("inner"), 429, {"message": "slow down"}, **{"retry-after": "7"})
        except Exception:  # noqa: BLE001  # as a vendor's library does
            raise RuntimeError("wrapped") from None
    except RuntimeError as error:
        assert (status_of(error), retry_after_s(error), said(error, ())) == (429, 7.0, "slow down.")


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "denied", "type": "x"}},
        {"type": "error", "error": {"type": "x", "message": "denied"}},
        {"message": "denied", "request_id": "1"},
        {"detail": "denied"},
    ],
)
def test_the_words_are_found_in_every_vendors_body(body: object) -> None:
    """OpenAI, Anthropic, Mistral and FastAPI put them in different places."""
    assert said(with_response(Exception("HTTP 403"), 403, body), ()) == "denied."


@pytest.mark.parametrize(
    "words",
    [
        "denied for Bearer hunter2",
        "https://me:hunter2@host/v1 refused",
        "GET /oauth?client_secret=hunter2&x=1",
        "GET /chat?access_token=hunter2",
        "{'api_key': 'hunter2'}",
        "key AIzahunter2 is not valid",
        "the-secret-hunter2",
    ],
)
def test_credentials_are_left_out(words: str) -> None:
    """Whatever a vendor repeats, a message has no key in it."""
    assert "hunter2" not in said(VendorRefused(words, 401), ("the-secret-hunter2",))
