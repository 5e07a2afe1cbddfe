"""One writer at a time; its jobs outlive it, and leave nothing when they are called off."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO

import pytest
from docx import Document

from ragsvc.errors import WriterBusy
from tests.conftest import REPOSITORY
from tests.crash.homes import CYCLES, LEASE_2018, LEASE_2024, Home

OpenHome = Callable[..., Home]


class Worker:
    """A ``held_job`` process."""

    def __init__(self, home: Path, gate: Path, *paths: Path) -> None:
        command = [sys.executable, "-m", "tests.crash.held_job", str(home), str(gate), *map(str, paths)]
        self.process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
        )
        assert self.process.stdout
        self.lines: IO[str] = self.process.stdout
        self.job_id = self.lines.readline().strip()

    def wait_at_gate(self) -> None:
        assert self.lines.readline() == "embedding\n"

    def end(self) -> str:
        """Wait for its end; return its last line."""
        output, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        return output.splitlines()[-1]

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


@pytest.fixture
def start(tmp_path: Path, gate: Path) -> Iterator[Callable[..., Worker]]:
    """``start(path, …)`` starts a worker on ``tmp_path/home``; each is ended."""
    workers: list[Worker] = []

    def start_(*paths: Path) -> Worker:
        workers.append(Worker(tmp_path / "home", gate, *paths))
        return workers[-1]

    yield start_
    for worker in workers:
        worker.close()


@pytest.fixture
def home(open_home: OpenHome) -> Home:
    """A home with one law in it."""
    home = open_home()
    home.ingest(LEASE_2018)
    return home


@pytest.fixture
def undisturbed(open_home: OpenHome, tmp_path: Path) -> object:
    """The state after both ingests, without any trouble."""
    other = open_home(tmp_path / "undisturbed")
    other.ingest(LEASE_2018)
    other.ingest(LEASE_2024, CYCLES)
    return other.state()


def test_a_second_writer_is_refused_by_the_holders_pid_and_job(
    home: Home, start: Callable[..., Worker], gate: Path
) -> None:
    """Library and command line say who is writing, and the first one's work is not touched."""
    worker = start(LEASE_2024)
    worker.wait_at_gate()
    with pytest.raises(WriterBusy, match=rf"process {worker.process.pid} \({worker.job_id}\).*--wait"):
        home.ingest(CYCLES)
    command = [sys.executable, "-m", "ragsvc", "--home", str(home.path), "ingest", str(CYCLES), "-c", "law"]
    refused = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert f"process {worker.process.pid} ({worker.job_id})" in refused.stderr
    assert "Traceback" not in refused.stderr
    gate.touch()
    worker.end()
    assert home.jobs.get(worker.job_id).status == "done"
    assert home.damage() == []


def test_a_writer_that_waits_gets_its_turn(
    home: Home, start: Callable[..., Worker], gate: Path, undisturbed: object
) -> None:
    """With ``wait`` the second ingest begins when the first one is through, and both went in."""
    worker = start(LEASE_2024)
    worker.wait_at_gate()
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(home.ingest, CYCLES, wait=True)
        time.sleep(0.5)
        assert not second.done()
        gate.touch()
        assert second.result(timeout=60).documents == 1
    worker.end()
    assert home.state() == undisturbed


def test_a_killed_workers_job_is_resumed_by_the_next(
    home: Home, start: Callable[..., Worker], gate: Path, undisturbed: object
) -> None:
    """The job of a worker that was killed is claimed when its lease is over, and ends as if nothing had been."""
    first = start(LEASE_2024, CYCLES)
    first.wait_at_gate()
    first.process.kill()
    first.process.wait()
    before = home.state()
    second = start()
    assert second.job_id == first.job_id
    assert home.state() == before
    gate.touch()
    assert json.loads(second.end())
    assert home.jobs.get(first.job_id).status == "done"
    assert home.state() == undisturbed
    assert home.damage() == []


def test_a_cancelled_job_leaves_nothing(home: Home, start: Callable[..., Worker], gate: Path) -> None:
    """Cancelled half-way, a job is closed as cancelled and the home is as it was before."""
    before, on_disk = home.state(), sorted(home.path.rglob("*"))
    worker = start(LEASE_2024, CYCLES)
    worker.wait_at_gate()
    home.jobs.cancel(worker.job_id)
    time.sleep(0.6)  # for its next heartbeat
    gate.touch()
    worker.end()
    assert home.jobs.get(worker.job_id).status == "cancelled"
    assert home.state() == before
    assert sorted(home.path.rglob("*")) == on_disk
    with home.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM versions WHERE state = 'staged'").scalar() == 0


def test_cancelled_while_its_worker_was_dead_it_is_not_resumed(
    home: Home, start: Callable[..., Worker], gate: Path
) -> None:
    """The next worker closes the job without running it."""
    before = home.state()
    first = start(LEASE_2024)
    first.wait_at_gate()
    first.process.kill()
    first.process.wait()
    home.jobs.cancel(first.job_id)
    gate.touch()
    assert json.loads(start().end()) == []
    assert home.jobs.get(first.job_id).status == "cancelled"
    assert home.state() == before


def test_after_ctrl_c_the_same_command_ends_right(
    home: Home, start: Callable[..., Worker], gate: Path, undisturbed: object
) -> None:
    """SIGINT closes the job and leaves the old state; the same ingest again ends as if it had not been there."""
    before = home.state()
    worker = start(LEASE_2024, CYCLES)
    worker.wait_at_gate()
    worker.process.send_signal(signal.SIGINT)
    worker.process.wait(timeout=30)
    assert worker.process.returncode != 0
    assert home.jobs.get(worker.job_id).status == "cancelled"
    assert home.state() == before
    gate.touch()
    assert start(LEASE_2024, CYCLES).end()
    assert home.state() == undisturbed


def test_a_killed_writer_lets_go_of_the_lock_though_its_parser_lives(
    home: Home, start: Callable[..., Worker], tmp_path: Path
) -> None:
    """The parsing process that a killed writer started does not keep the home locked."""
    document = Document()
    for line in LEASE_2024.read_text().splitlines():
        document.add_paragraph(line)
    document.save(str(tmp_path / "law.docx"))
    worker = start(tmp_path / "law.docx")
    worker.wait_at_gate()
    worker.process.kill()
    worker.process.wait()
    assert home.ingest(CYCLES).documents == 1
