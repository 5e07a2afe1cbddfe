"""A worker whose embedder waits at a gate: ``python -m tests.crash.held_job HOME GATE [FOLDER]``.

With a folder it starts a job of its own, without one it claims the next. It prints the job's id, then ``embedding``
when it stands at the gate, and goes on when the file GATE is there. At the end it prints what it embedded.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ragsvc.domains.pack import find_pack
from ragsvc.pipelines import ingest, jobs
from ragsvc.pipelines.ingest import IngestReport, Progress
from ragsvc.pipelines.jobs import IngestPayload, JobRunner
from ragsvc.protocols import FloatArray
from ragsvc.store import jobs as store_jobs
from tests.crash.homes import CountingEmbedder, Home

LEASE_S = 1.5
HEARTBEAT_S = 0.2


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class GatedEmbedder(CountingEmbedder):
    """Embeds once the gate is there."""

    def __init__(self, gate: Path) -> None:
        super().__init__()
        self._gate = gate

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        say("embedding")
        while not self._gate.exists():
            time.sleep(0.02)
        return super().embed_passages(texts)


def main() -> None:
    home = Home(Path(sys.argv[1]), GatedEmbedder(Path(sys.argv[2])))
    store_jobs.LEASE_S, jobs.HEARTBEAT_S, ingest.BATCH_CHUNKS = LEASE_S, HEARTBEAT_S, 1

    def run(payload: IngestPayload, job_id: str, progress: Progress) -> IngestReport:
        paths = [Path(path) for path in payload.paths]
        pack = find_pack(payload.domain or "law")
        return home.ingest(
            *paths, collection=payload.collection, pack=pack, job_id=job_id, wait=payload.wait, progress=progress
        )

    runner = JobRunner(home.jobs, run, lambda _folder: None)
    if len(sys.argv) > 3:
        job = runner.start(IngestPayload(paths=sys.argv[3:], collection="law", wait=False))
    else:
        while (claimed := home.jobs.claim(runner._owner)) is None:
            time.sleep(0.05)
        job = claimed
    say(job.job_id)
    runner.run(job)
    say(json.dumps(home.embedder.texts))
    home.close()


if __name__ == "__main__":
    main()
