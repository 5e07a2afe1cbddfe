"""Tickets: what was signed comes back unchanged, and nothing else comes back at all."""

from __future__ import annotations

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.errors import InvalidInput
from ragsvc.security import tickets
from ragsvc.security.tickets import Ticket, check_origin, is_ticket, make_secret, read_ticket, sign_ticket

NOW = 1_800_000_000
TICKET = Ticket(
    ticket_id="t1",
    key_id="k1",
    origin="https://portal.example",
    collections=("law", "𠮷"),
    questions=3,
    expires_at=NOW + 300,
)
SECRET = bytes(32)


def test_a_ticket_comes_back_as_it_was_signed() -> None:
    """With everything that it is bound to, until the second it expires."""
    signed = sign_ticket(TICKET, SECRET)
    assert is_ticket(signed)
    assert signed.isascii()
    assert read_ticket(signed, SECRET, NOW) == TICKET
    assert read_ticket(signed, SECRET, NOW + 299.9) == TICKET
    assert read_ticket(signed, SECRET, NOW + 300) is None


def test_another_home_s_ticket_is_none() -> None:
    """Secrets are random, and another secret opens nothing."""
    assert len({make_secret() for _ in range(10)}) == 10
    assert len(make_secret()) == 32
    assert read_ticket(sign_ticket(TICKET, SECRET), make_secret(), NOW) is None


def test_nothing_can_be_added_to_a_ticket() -> None:
    """Who writes a wider one behind the old signature, or signs nothing, gets nothing."""
    _, _, signature = sign_ticket(TICKET, SECRET).partition(".")
    wider = base64.urlsafe_b64encode(msgspec.json.encode(msgspec.structs.replace(TICKET, collections=()))).rstrip(b"=")
    for forged in (f"rst_{wider.decode()}.{signature}", f"rst_{wider.decode()}.", f"rst_{wider.decode()}", "rst_", "."):
        assert read_ticket(forged, SECRET, NOW) is None


@given(st.text(max_size=200) | st.text(alphabet="abcXYZ019-_.=", max_size=200))
def test_no_text_is_taken_for_a_ticket(text: str) -> None:
    """Whatever is sent, it is refused and nothing breaks."""
    assert read_ticket("rst_" + text, SECRET, NOW) is None


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the function that is made for it, for a right and for a wrong one."""
    compared = []

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return a == b

    monkeypatch.setattr(tickets.hmac, "compare_digest", compare)
    signed = sign_ticket(TICKET, SECRET)
    assert read_ticket(signed, SECRET, NOW) == TICKET
    assert read_ticket(signed[:-4] + "AAAA", SECRET, NOW) is None
    assert [len(a) for a, _ in compared] == [32, 32]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://portal.example", "https://portal.example"),
        ("HTTPS://Portal.Example/", "https://portal.example"),
        ("https://portal.example:443", "https://portal.example"),
        ("http://portal.example:80", "http://portal.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(text: str, expected: str) -> None:
    """In lower case and without the port that goes without saying."""
    assert check_origin(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "*", "null", "portal.example", "https://", "https://*.example", "https://portal.example/page"),
        *("https://portal.example?x", "https://user@portal.example", "ftp://portal.example", "javascript:alert(1)"),
        *(
            "https://portal.example:99999",
            "https://портал.example",
            "https://a b",
            "https://" + "a" * 300,
            "https://[::",
        ),
    ],
)
def test_what_is_no_origin_or_more_than_one_is_refused(text: str) -> None:
    """With what was found and what to write instead."""
    with pytest.raises(InvalidInput, match="no path, no wildcard"):
        check_origin(text)
