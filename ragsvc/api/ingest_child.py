"""The ingest child of ``serve``: one process per home that runs queued jobs; ``python -m ragsvc.api.ingest_child``.

A process of its own, so that parsing and embedding never make a question wait. Killed, its job is claimed
again when the lease runs out.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import portalocker

from ragsvc.observability.logs import configure
from ragsvc.settings import Settings, read_settings
from ragsvc.wiring import open_service

RESTART_S = 2.0
PARENT_POLL_S = 1.0


def keep_running(settings: Settings, stop: threading.Event) -> threading.Thread:
    """Start the child and start it again whenever it dies, from a thread, until ``stop`` is set."""

    def watch() -> None:
        while not stop.is_set():
            environment = {**os.environ, "RAGSVC_HOME": str(settings.home.resolve())}
            child = subprocess.Popen([sys.executable, "-m", "ragsvc.api.ingest_child"], env=environment)
            while child.poll() is None and not stop.wait(0.2):
                pass
            if child.poll() is None:
                child.terminate()
                child.wait()
            stop.wait(RESTART_S)

    thread = threading.Thread(target=watch, name="ingest-child", daemon=True)
    thread.start()
    return thread


def main() -> None:
    """Run jobs until SIGTERM, or until the server that started this is gone."""
    settings = read_settings()
    configure(settings.log_level, as_json=settings.log_json)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    signal.signal(signal.SIGINT, lambda _number, _frame: stop.set())
    threading.Thread(target=_stop_with_parent, args=(os.getppid(), stop), daemon=True).start()
    service = open_service(settings)
    # Another server on the same home has a child already: stand by until that one goes.
    with (settings.home / "ingest-child.lock").open("a") as lock:
        while not stop.is_set():
            try:
                portalocker.lock(lock, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
            except portalocker.AlreadyLocked:
                stop.wait(PARENT_POLL_S)
            else:
                service.job_runner().run_forever(stop)
    service.close()


def _stop_with_parent(parent: int, stop: threading.Event) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_S)
    stop.set()


if __name__ == "__main__":
    main()
