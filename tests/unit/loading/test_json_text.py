"""JSON as text: one line a value, a record a section, numbers as written."""

from __future__ import annotations

import pytest

from ragsvc.errors import UnreadableFile
from ragsvc.loading.json_text import read_json
from ragsvc.loading.limits import DEFAULT_LIMITS


def test_records_are_sections() -> None:
    """JSON lines and a list give the same: the title is the heading, long texts are paragraphs under their key."""
    one = b'{"title":"A","text":"One.\\n\\nTwo.","n":1.50,"ok":true}'
    two = b'{"title":"B","tags":["x","y"],"in":{"p":[1,{"q":2}]}}'
    for content in (one + b"\n" + two + b"\n", b"[" + one + b"," + two + b"]"):
        found = read_json(content, "a.jsonl", DEFAULT_LIMITS)
        assert found.text == (
            "A\n\ntitle: A\n\ntext: One.\n\nTwo.\n\nn: 1.50\nok: true\n\n"
            "B\n\ntitle: B\ntags: x, y\nin.p[1]: 1\nin.p[2].q: 2"
        )
        assert [block.kind for block in found.blocks].count("heading") == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": 1', "is no JSON"),
        (b'{"a": 1}\n{"a": \n', "line 2 is no JSON"),
        (b"[" * 500 + b"]" * 500, "nested deeper"),
        (b"[" * 200_000, "nested deeper|is no JSON"),
    ],
)
def test_damage_and_depth_are_refused(content: bytes, reason: str) -> None:
    """The reason names the line."""
    with pytest.raises(UnreadableFile, match=reason):
        read_json(content, "a.json", DEFAULT_LIMITS)
