"""Jobs are claimed once, resumed when their holder dies; one writer at a time."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ragsvc.errors import NotFound, WriterBusy
from ragsvc.store import jobs as jobs_module
from ragsvc.store.database import Database
from ragsvc.store.jobs import Jobs
from ragsvc.store.keys import Keys
from ragsvc.store.writer_lock import writer_lock


def test_a_job_is_claimed_once(database: Database) -> None:
    """Two workers never run the same job."""
    jobs = Jobs(database)
    job = jobs.submit("ingest", {"paths": ["a"]}, 1)
    assert jobs.claim("one").job_id == job.job_id
    assert jobs.claim("two") is None


def test_an_expired_lease_is_resumed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a worker stops renewing, the next claimer gets the job, and the first is told at its next heartbeat."""
    monkeypatch.setattr(jobs_module, "LEASE_S", -1.0)
    jobs = Jobs(database)
    job = jobs.submit("ingest", {}, 1)
    jobs.claim("one")
    assert jobs.claim("two").job_id == job.job_id
    assert jobs.heartbeat(job.job_id, "one", 0, 1) is False


def test_who_lost_a_job_does_not_close_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that slept past its lease cannot close the job that another one runs by now."""
    monkeypatch.setattr(jobs_module, "LEASE_S", -1.0)
    jobs = Jobs(database)
    job = jobs.submit("ingest", {}, 1, owner="one")
    jobs.claim("two")
    assert jobs.finish(job.job_id, "one", "cancelled") is False
    assert jobs.get(job.job_id).status == "running"
    assert jobs.finish(job.job_id, "two", "done") is True


def test_a_dead_workers_job_is_not_resumed_when_the_same_was_done_since(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that was killed and given again is done: run once more, it could bring back what was removed since."""
    monkeypatch.setattr(jobs_module, "LEASE_S", -1.0)
    jobs = Jobs(database)
    killed, other, again = (jobs.submit("ingest", {"paths": [path]}, 1, owner="one") for path in "aba")
    jobs.finish(again.job_id, "one", "done")
    assert jobs.claim("two").job_id == other.job_id
    assert jobs.get(killed.job_id).status == "cancelled"


def test_cancel(database: Database) -> None:
    """A waiting job is cancelled at once, a running one at its heartbeat."""
    jobs = Jobs(database)
    waiting = jobs.submit("ingest", {}, 1)
    assert jobs.cancel(waiting.job_id).status == "cancelled"
    running = jobs.submit("ingest", {}, 1, owner="one")
    jobs.cancel(running.job_id)
    assert jobs.heartbeat(running.job_id, "one", 0, 1) is False
    with pytest.raises(NotFound):
        jobs.cancel("none")


def test_results_come_back_as_they_went_in(database: Database) -> None:
    """A finished job shows its result."""
    jobs = Jobs(database)
    job = jobs.submit("ingest", {}, 1, owner="one")
    assert jobs.finish(job.job_id, "one", "done", result={"documents": 1})
    assert jobs.get(job.job_id).result == {"documents": 1}


def test_revoked_and_expired_keys_are_not_found(database: Database) -> None:
    """A key works until it is revoked or expires."""
    keys = Keys(database)
    assert not keys.any()
    key = keys.add("hash-1", name="portal", scopes=("ask",), collections=("law",))
    keys.add("hash-2", name="old", scopes=("ask",), expires_at=1.0)
    assert keys.find("hash-1").collections == ("law",)
    assert keys.find("hash-2") is None
    keys.revoke(key.key_id)
    assert keys.find("hash-1") is None
    assert keys.any()


def test_a_second_writer_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    """The error names the holder's pid and job; when the holder is killed the lock is free."""
    script = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        from ragsvc.store.writer_lock import writer_lock
        with writer_lock(Path({str(tmp_path)!r}), "ingest into law"):
            print("held", flush=True)
            time.sleep(60)
    """)
    holder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WriterBusy, match=rf"process {holder.pid} \(ingest into law\)"), writer_lock(tmp_path, "x"):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with writer_lock(tmp_path, "after"):
        pass
