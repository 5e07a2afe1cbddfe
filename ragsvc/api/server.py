"""Serves one home with uvicorn: checks who may reach it, starts the processes, and lets them finish their work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from litestar import Litestar
from uvicorn.supervisors import Multiprocess

from ragsvc.api.app import create_app
from ragsvc.observability.logs import configure
from ragsvc.security.binding import check_bind
from ragsvc.settings import Settings
from ragsvc.wiring import open_service

DRAIN_S = 30
"""Longest that a request in flight may go on after SIGTERM; container platforms kill after 30 s unless told other."""
JOB_PROCESS_CHECK_S = 1.0


def run(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in flight.

    Args:
        settings: those of the home to serve; every worker opens it for itself.
        host: address to listen on; any but loopback needs a key in the home.
        port: port to listen on.
        workers: processes that answer.

    Raises:
        SettingsError: ``host`` can be reached from outside and there is no key.
    """
    service = open_service(settings)
    check_bind(host, service.keys.any())
    service.close()
    config = uvicorn.Config(
        partial(_worker_app, settings),
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,  # uvicorn's shows query strings; api/edge.py writes ours
        log_config=None,
        proxy_headers=False,  # who asks is decided by keys, never by a header anyone can send
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
    )
    configure(settings.log_level, as_json=settings.log_json)
    with job_process(settings):
        if workers == 1:
            uvicorn.Server(config).run()
        else:
            _run_workers(config)


def _run_workers(config: uvicorn.Config) -> None:
    with tempfile.TemporaryDirectory(prefix="ragsvc-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        Multiprocess(config, sockets=[config.bind_socket()]).run()


def _worker_app(settings: Settings) -> Litestar:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    configure(settings.log_level, as_json=settings.log_json)
    service = open_service(settings)
    app = create_app(service, settings)
    app.on_startup.append(_drain_on_signal)
    app.on_shutdown.append(service.close)
    return app


def _drain_on_signal(app: Litestar) -> None:
    """Tell the application that it is to end, so that endless streams stop; then do what was done before."""
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def note(number: int, frame: FrameType | None, before: Any = before) -> None:
            app.state.is_draining = True
            if callable(before):
                before(number, frame)

        signal.signal(number, note)


@contextmanager
def job_process(settings: Settings) -> Iterator[None]:
    """Keep one process that ingests beside those that answer, and start it again should it die."""
    is_over = threading.Event()
    context = multiprocessing.get_context("spawn")

    def keep() -> None:
        while not is_over.is_set():
            process = context.Process(target=_run_jobs, args=(settings,), name="ragsvc-jobs")
            process.start()
            while process.is_alive() and not is_over.wait(JOB_PROCESS_CHECK_S):
                pass
            # Killed in the middle of a job, nothing is lost: its lease runs out and the next process starts it again.
            process.terminate()
            process.join()

    keeper = threading.Thread(target=keep, name="ragsvc-job-keeper")
    keeper.start()
    try:
        yield
    finally:
        is_over.set()
        keeper.join()


def _run_jobs(settings: Settings) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server decides when this ends
    configure(settings.log_level, as_json=settings.log_json)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    open_service(settings).job_runner().run_forever(threading.Event())


def _end_with_parent() -> None:
    """Do not outlive the process that started this one, should it be killed; the first of all has no such parent."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
