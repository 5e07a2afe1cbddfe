"""``ragsvc verify`` on a file and on stdin."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.conftest import Cli

TEXT = """您好。《青禾市住房租赁条例》第五条规定，出租人收取押金的，数额不得超过一个月的租金。
《青禾市住房租赁条例》第五条规定，出租人收取押金的，数额不得超过三个月的租金。
《青禾市住房租赁条例》第五条规定，出租人收取押金的，数额不得超过两个月的租金。
根据《青禾市住房租赁条例》第九十九条，出租人应当安装新风系统。
"""


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    """A text with one claim of each kind."""
    file = tmp_path / "letter.txt"
    file.write_text(TEXT, "utf-8")
    return file


def test_each_sentence_is_a_claim(cli: Cli, letter: Path) -> None:
    """As JSON each claim has its range of the text, its class, its source and the words there."""
    ended = cli("verify", letter, "-c", "law", "--json")
    assert ended.code == 0, ended.stderr
    claims = ended.json["claims"]
    statuses = ["UNVERIFIED", "SUPPORTED", "CONTRADICTED", "SUPERSEDED", "NOT FOUND"]
    assert [claim["status"] for claim in claims] == statuses
    assert all(TEXT[claim["start"] : claim["end"]] == claim["text"] for claim in claims)
    right, wrong = claims[1], claims[2]
    assert right["quote"] == right["citation"]["quote"] == "出租人收取押金的，数额不得超过一个月的租金"
    assert [d["kind"] for d in wrong["differences"]] == ["number"]
    assert "一个月" in wrong["quote"]


def test_for_people(cli: Cli, letter: Path) -> None:
    """Class, sentence, source with its words, and what is wrong; a count at the end on stderr."""
    ended = cli("verify", letter)
    assert ended.code == 0
    assert "CONTRADICTED: 《青禾市住房租赁条例》第五条规定" in ended.stdout
    assert "三个月 in the claim, 一个月 in the source" in ended.stdout
    assert "5 claims, law of" in ended.stderr


def test_the_law_of_another_day(cli: Cli, letter: Path) -> None:
    """On a day when it was the law, what is superseded today is supported."""
    ended = cli("verify", letter, "--as-of", "2020-01-01", "--json")
    assert [claim["status"] for claim in ended.json["claims"]][3] == "SUPPORTED"


def test_stdin(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """- reads what is piped in."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(TEXT.encode())))
    ended = cli("verify", "-", "--json")
    assert ended.code == 0, ended.stderr
    assert len(ended.json["claims"]) == 5


@pytest.mark.parametrize(("content", "message"), [(None, "name a text file"), (b"\xb0\xa1", "not UTF-8 at byte 0")])
def test_what_cannot_be_read(cli: Cli, tmp_path: Path, content: bytes | None, message: str) -> None:
    """A file that is not there or in another encoding is exit code 2, and the message says what to do."""
    file = tmp_path / "text.txt"
    if content is not None:
        file.write_bytes(content)
    ended = cli("verify", file)
    assert ended.code == 2
    assert message in ended.stderr
