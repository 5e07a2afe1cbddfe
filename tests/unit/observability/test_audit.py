"""An answer can be traced to its passages, and no text is kept about who asked what."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ragsvc.observability.audit import FIRST, AuditLog
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
        "previous": FIRST,
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
    assert log.verify().broken_line is None


def write_lines(path: Path, n: int) -> None:
    for _ in range(n):
        AuditLog(path).append(answer(), "k")


def test_the_chain_of_several_processes_is_one(tmp_path: Path) -> None:
    """Each worker reads the last line and writes its own with nobody between."""
    path = tmp_path / "audit.jsonl"
    workers = [multiprocessing.get_context("spawn").Process(target=write_lines, args=(path, 100)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    report = AuditLog(path).verify()
    assert (report.lines, report.broken_line) == (200, None)


def change(lines: list[bytes]) -> None:
    lines[2] = lines[2].replace(b"extractive", b"other")


def leave_out(lines: list[bytes]) -> None:
    del lines[2]


def put_in(lines: list[bytes]) -> None:
    lines.insert(3, lines[2])


def swap(lines: list[bytes]) -> None:
    lines[2], lines[3] = lines[3], lines[2]


def cut_short(lines: list[bytes]) -> None:
    lines[-1] = lines[-1][:20]


def spoil(lines: list[bytes]) -> None:
    lines[3] = b"{}" + lines[3][2:]


@pytest.mark.parametrize(
    ("tamper", "broken_line"), [(change, 4), (leave_out, 3), (put_in, 4), (swap, 3), (cut_short, 5), (spoil, 4)]
)
def test_the_first_line_that_breaks_the_chain_is_named(
    tmp_path: Path, tamper: Callable[[list[bytes]], None], broken_line: int
) -> None:
    """T60: a changed line shows by the one after it."""
    log = AuditLog(tmp_path / "audit.jsonl")
    write_lines(log.path, 5)
    assert log.verify().broken_line is None
    lines = log.path.read_bytes().splitlines(keepends=True)
    tamper(lines)
    log.path.write_bytes(b"".join(lines))
    report = log.verify()
    assert report.broken_line == broken_line
    assert report.reason


def test_lines_cut_off_at_the_end_are_missed_by_a_noted_hash(tmp_path: Path) -> None:
    """The chain that is left is whole; what was noted down is not in it."""
    log = AuditLog(tmp_path / "audit.jsonl")
    write_lines(log.path, 3)
    noted = log.verify().last_hash
    write_lines(log.path, 1)
    assert log.verify(noted).broken_line is None
    log.path.write_bytes(b"".join(log.path.read_bytes().splitlines(keepends=True)[:2]))
    assert log.verify().broken_line is None
    assert log.verify(noted).broken_line == 3


def test_after_a_line_cut_short_the_next_is_whole(tmp_path: Path) -> None:
    """A crash in the middle of a line costs that line, and is named."""
    log = AuditLog(tmp_path / "audit.jsonl")
    write_lines(log.path, 2)
    log.path.write_bytes(log.path.read_bytes()[:-30])
    write_lines(log.path, 1)
    last = log.path.read_bytes().splitlines()[-1]
    assert json.loads(last)["answer_id"] == "a1"
    assert log.verify().broken_line == 2
