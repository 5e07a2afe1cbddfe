"""Background operations as rows: claimed with a lease, kept alive by a heartbeat, resumed when the lease runs out."""

from __future__ import annotations

import time
import uuid
from typing import Any

import msgspec
import sqlalchemy as sa

from ragsvc.errors import NotFound
from ragsvc.store.database import Database
from ragsvc.store.rows import Job
from ragsvc.store.schema import jobs

LEASE_S = 15.0


class Jobs:
    """The queue of one home; several processes may claim from it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, kind: str, payload: dict[str, Any], total: int, *, owner: str | None = None) -> Job:
        """Put a job in the queue, or, with ``owner``, start it as claimed by that one."""
        now = time.time()
        job_id = uuid.uuid4().hex
        with self._database.write() as connection:
            connection.execute(
                jobs.insert().values(
                    job_id=job_id,
                    kind=kind,
                    status="running" if owner else "queued",
                    owner=owner,
                    lease_until=now + LEASE_S if owner else None,
                    payload=msgspec.json.encode(payload).decode(),
                    done=0,
                    total=total,
                    cancel_requested=False,
                    created_at=now,
                    updated_at=now,
                )
            )
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """Return one job.

        Raises:
            NotFound: no such job.
        """
        with self._database.read() as connection:
            row = connection.execute(sa.select(jobs).where(jobs.c.job_id == job_id)).first()
        if row is None:
            raise NotFound(f"no job {job_id!r}")
        return _job(row)

    def recent(self, limit: int = 50) -> list[Job]:
        """Return the newest jobs first."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(jobs).order_by(jobs.c.created_at.desc()).limit(limit)).all()
        return [_job(row) for row in rows]

    def claim(self, owner: str) -> Job | None:
        """Take the oldest job that waits, or whose holder let its lease run out; None when there is none.

        A dead holder's job is closed instead if the same was asked again and done since: doing it late could bring
        back what was removed meanwhile.
        """
        now = time.time()
        lapsed = sa.and_(jobs.c.status == "running", jobs.c.lease_until < now)
        free = sa.or_(jobs.c.status == "queued", lapsed)
        with self._database.read() as connection:
            if connection.execute(sa.select(jobs.c.job_id).where(free)).first() is None:
                return None
        later = jobs.alias()
        was_done = sa.exists().where(
            later.c.kind == jobs.c.kind,
            later.c.payload == jobs.c.payload,
            later.c.created_at > jobs.c.created_at,
            later.c.status == "done",
        )
        closed = {"status": "cancelled", "error": "stopped, then done by a later job", "lease_until": None}
        with self._database.write() as connection:
            connection.execute(jobs.update().where(lapsed, was_done).values(updated_at=now, **closed))
            row = connection.execute(sa.select(jobs).where(free).order_by(jobs.c.created_at).limit(1)).first()
            if row is None:
                return None
            values = {"status": "running", "owner": owner, "lease_until": now + LEASE_S, "updated_at": now}
            connection.execute(jobs.update().where(jobs.c.job_id == row.job_id).values(**values))
        return self.get(row.job_id)

    def heartbeat(self, job_id: str, owner: str, done: int, total: int) -> bool:
        """Report progress and renew the lease; False when the job was cancelled or taken over: stop then."""
        now = time.time()
        mine = sa.and_(jobs.c.job_id == job_id, jobs.c.owner == owner, jobs.c.status == "running")
        with self._database.write() as connection:
            result = connection.execute(
                jobs.update().where(mine).values(done=done, total=total, lease_until=now + LEASE_S, updated_at=now)
            )
            cancelled = connection.execute(sa.select(jobs.c.cancel_requested).where(jobs.c.job_id == job_id)).scalar()
        return bool(result.rowcount) and not cancelled

    def finish(self, job_id: str, owner: str, status: str, *, error: str | None = None, result: Any = None) -> bool:
        """Close a job as done, failed or cancelled; False, and nothing happens, when another owner took it over."""
        values = {"status": status, "error": error, "updated_at": time.time(), "lease_until": None}
        if result is not None:
            values["result"] = msgspec.json.encode(result).decode()
        mine = sa.and_(jobs.c.job_id == job_id, jobs.c.owner == owner)
        with self._database.write() as connection:
            return bool(connection.execute(jobs.update().where(mine).values(**values)).rowcount)

    def cancel(self, job_id: str) -> Job:
        """Ask a job to stop: at once if it waits, at its next heartbeat if it runs.

        Raises:
            NotFound: no such job.
        """
        with self._database.write() as connection:
            this = jobs.c.job_id == job_id
            connection.execute(jobs.update().where(this).values(cancel_requested=True, updated_at=time.time()))
            connection.execute(jobs.update().where(this, jobs.c.status == "queued").values(status="cancelled"))
        return self.get(job_id)


def _job(row: Any) -> Job:
    return Job(
        job_id=row.job_id,
        kind=row.kind,
        status=row.status,
        payload=msgspec.json.decode(row.payload),
        done=row.done,
        total=row.total,
        error=row.error,
        result=msgspec.json.decode(row.result) if row.result else None,
        cancel_requested=row.cancel_requested,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
