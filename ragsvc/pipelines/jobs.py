"""Runs queued ingest jobs: claims one, keeps its lease alive, closes it. Killed, the next claimer starts it again."""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import Struct, convert, to_builtins

from ragsvc.errors import RagsvcError
from ragsvc.pipelines.ingest import IngestReport, Progress
from ragsvc.pipelines.sources import EVERYTHING, Wanted
from ragsvc.store.jobs import Jobs
from ragsvc.store.rows import Job

POLL_S = 0.5
HEARTBEAT_S = 1.0

log = logging.getLogger(__name__)


class IngestPayload(Struct, frozen=True, kw_only=True):
    """What an ingest job does; ``uploads`` is a folder to delete when it is done."""

    paths: list[str]
    """Files, folders and addresses (http, https)."""
    collection: str
    domain: str | None = None
    effective_from: date | None = None
    uploads: str | None = None
    wait: bool = True
    wanted: Wanted = EVERYTHING


RunIngest = Callable[[IngestPayload, str, Progress], IngestReport]


class JobRunner:
    """One worker of a home's queue."""

    def __init__(self, jobs: Jobs, run_ingest: RunIngest, remove_uploads: Callable[[Path], None]) -> None:
        self._jobs = jobs
        self._run_ingest = run_ingest
        self._remove_uploads = remove_uploads
        self._owner = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"

    def run_forever(self, stop: threading.Event) -> None:
        """Claim and run jobs until ``stop`` is set."""
        while not stop.is_set():
            job = self._jobs.claim(self._owner)
            if job is None:
                stop.wait(POLL_S)
            else:
                self.run(job)

    def start(self, payload: IngestPayload) -> Job:
        """Put a job in the queue that is this worker's from the start."""
        return self._jobs.submit("ingest", to_builtins(payload), len(payload.paths), owner=self._owner)

    def run(self, job: Job, progress: Progress | None = None) -> IngestReport | None:
        """Run one claimed job to its end; errors are kept in its row and, with ``progress``, raised as well."""
        payload = convert(job.payload, IngestPayload)
        if job.cancel_requested:  # while its former holder was dead
            self._close(job, payload, "cancelled")
            return None
        beat = _Heartbeat(self._jobs, job.job_id, self._owner, progress)
        try:
            with beat:
                report = self._run_ingest(payload, job.job_id, beat.progress)
        except RagsvcError as error:
            self._close(job, payload, "failed", error=str(error))
            if progress:
                raise
            log.warning("job %s failed: %s", job.job_id, error)
            return None
        except KeyboardInterrupt:
            self._close(job, payload, "cancelled", error="interrupted; run it again to go on")
            raise
        except Exception as error:
            # The row must say that it failed, or the job would be claimed again for ever.
            self._close(job, payload, "failed", error=f"unexpected {type(error).__name__}: {error}")
            if progress:
                raise
            log.exception("job %s failed", job.job_id)
            return None
        self._close(job, payload, "cancelled" if report.cancelled else "done", result=report)
        return report

    def _close(self, job: Job, payload: IngestPayload, status: str, **outcome: Any) -> None:
        """Close the job and delete what was uploaded for it, unless another worker has it by now."""
        if self._jobs.finish(job.job_id, self._owner, status, **outcome) and payload.uploads:
            self._remove_uploads(Path(payload.uploads))


class _Heartbeat:
    """Renews a lease from a thread of its own: one file may take longer to parse than the lease lasts."""

    def __init__(self, jobs: Jobs, job_id: str, owner: str, shown: Progress | None) -> None:
        self._jobs = jobs
        self._job_id = job_id
        self._owner = owner
        self._shown = shown
        self._at = (0, 0)
        self._is_mine = True
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def progress(self, done: int, total: int, name: str) -> bool:
        """Note how far the job is; False when it was cancelled or taken over."""
        self._at = (done, total)
        go_on = self._shown(done, total, name) if self._shown else True
        return go_on and self._is_mine

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_S):
            try:
                self._is_mine = self._jobs.heartbeat(self._job_id, self._owner, *self._at)
            except RagsvcError as error:
                log.warning("job %s could not renew its lease: %s", self._job_id, error)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()
        self._jobs.heartbeat(self._job_id, self._owner, *self._at)
