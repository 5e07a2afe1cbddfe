"""A client's file name becomes a harmless one with the same extension."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.security.uploads import MAX_NAME_BYTES, safe_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("民法典 第三编.docx", "民法典 第三编.docx"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\laws\\a.md", "a.md"),
        ("/etc/cron.d/x", "x"),
        ("..", "document"),
        ("", "document"),
        ("///", "document"),
        ("a\0b.md", "ab.md"),
        ("gpj.\u202efdp.md", "gpj.fdp.md"),
        ("a\r\nb.md", "ab.md"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("console.md", "console.md"),
        ('a"b<c>|?*.md', "a_b_c____.md"),
        (" .hidden. ", "hidden"),
        ("e\u0301.md", "é.md"),
    ],
)
def test_hostile_names(name: str, expected: str) -> None:
    """Paths, devices, invisible and control characters lose their force."""
    assert safe_name(name) == expected


def test_a_long_name_keeps_its_extension() -> None:
    """It is cut between characters, and the reader can still tell what the file is."""
    short = safe_name("法" * 300 + ".docx")
    assert short.endswith("法.docx")
    assert len(short.encode()) <= MAX_NAME_BYTES


@given(st.text(max_size=400))
def test_any_name_can_be_written_where_it_belongs(name: str) -> None:
    """The result is one path component, not longer than file systems allow, and stays in its folder."""
    safe = safe_name(name)
    assert safe not in ("", ".", "..")
    assert Path("folder", safe).parent == Path("folder")
    assert len(safe.encode()) <= MAX_NAME_BYTES
