"""An answer can be traced to its passages, and no text is kept about who asked what."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from ragsvc.observability.audit import AuditLog
from tests.api.scripted_service import answer


def test_a_line_leads_from_an_answer_to_its_sources(tmp_path: Path) -> None:
    """Answer, index generation, model, passages and quotations by place, and the key's id."""
    log = AuditLog(tmp_path / "audit.jsonl")
    log.append(answer(), "k1")
    line = json.loads(log.path.read_text())
    assert line.pop("time") > 1.7e9
    assert line == {
        "answer_id": "a1",
        "index_generation": "g1",
        "model": "extractive",
        "strategy": "direct",
        "abstained": False,
        "chunk_ids": ["c577"],
        "citations": [["law", 22, 30]],
        "key_id": "k1",
    }


def test_no_text_is_kept(tmp_path: Path) -> None:
    """The file has no Chinese in it at all: neither question nor answer nor quotation."""
    log = AuditLog(tmp_path / "audit.jsonl")
    log.append(answer(), "")
    assert log.path.read_bytes().isascii()


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    """It says who asked when."""
    log = AuditLog(tmp_path / "audit.jsonl")
    log.append(answer(), "")
    assert log.path.stat().st_mode & 0o077 == 0


def test_writers_at_once_never_mix_their_lines(tmp_path: Path) -> None:
    """Every line of eight writers is whole."""
    log = AuditLog(tmp_path / "audit.jsonl")
    threads = [threading.Thread(target=lambda: [log.append(answer(), "k") for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = log.path.read_text().splitlines()
    assert [json.loads(line)["answer_id"] for line in lines] == ["a1"] * 400
