"""BEIR corpora."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import pytest

from ragsvc.errors import UnreadableFile
from ragsvc.loading import read_beir_corpus


@pytest.mark.parametrize("name", ["corpus.jsonl", "corpus.jsonl.gz"])
def test_each_line_is_a_document(tmp_path: Path, name: str) -> None:
    """Ids, titles and texts come as they stand, an absent title and an empty text too; unknown fields are ignored."""
    lines = [
        {"_id": "1", "title": "民法典 第一条", "text": "为了\r\n保护"},
        {"_id": "2", "text": "", "metadata": {"a": 1}},
    ]
    content = ("\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n\n").encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    found = [(document.name, document.title, document.text) for document in read_beir_corpus(path)]
    assert found == [("1", "民法典 第一条", "为了\r\n保护"), ("2", "", "")]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jsonl", b'{"_id":"1","text":"a"}\n{"_id":2}\n', "line 2 is not"),
        ("a.jsonl", b"not json\n", "line 1 is not"),
        ("a.jsonl.gz", b"not gzip", "cannot be read after line 0"),
        ("a.jsonl.gz", gzip.compress(b'{"_id":"1","text":"a"}\n' * 5000)[:-20], "cannot be read after line"),
    ],
)
def test_a_bad_line_or_file_is_named(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    """The error names the line; a cut gzip file is noticed."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=reason):
        list(read_beir_corpus(path))


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    """No other exception stands for a missing file."""
    with pytest.raises(UnreadableFile, match="cannot be read"):
        next(read_beir_corpus(tmp_path / "corpus.jsonl"))


def test_it_streams_fast(tmp_path: Path) -> None:
    """50,000 documents take about a second, and the first comes before the file is read."""
    path = tmp_path / "corpus.jsonl"
    line = json.dumps({"_id": "x", "title": "标题", "text": "条文" * 60}, ensure_ascii=False)
    path.write_text(f"{line}\n" * 50_000 + "broken", encoding="utf-8")
    documents = read_beir_corpus(path)
    next(documents)
    start = time.perf_counter()
    with pytest.raises(UnreadableFile, match="line 50,001"):
        for _ in documents:
            pass
    assert time.perf_counter() - start < 2.0
