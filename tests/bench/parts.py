"""Runs each part in a fresh process, so that its peak memory is its own and no part warms another."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

RAGSVC = Path(sys.executable).with_name("ragsvc")
START_TIMEOUT_S = 120.0

Figures = dict[str, Any]


def run_part(module: str, *arguments: str) -> Figures:
    """Run ``python -m tests.bench.MODULE`` and return the figures that it prints, with ``peak_mb`` and ``load``.

    Raises:
        SystemExit: the part failed; what it said is on stderr.
    """
    load = os.getloadavg()[0]
    sys.stderr.write(f"{module} …\n")
    process = subprocess.Popen([sys.executable, "-m", f"tests.bench.{module}", *arguments], stdout=subprocess.PIPE)
    assert process.stdout is not None
    out = process.stdout.read()
    # wait4 gives the usage of this one child; RUSAGE_CHILDREN would be the largest of all so far. (A child
    # cannot peak below this process, which imports little.)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"part {module} ended with exit code {process.returncode}")
    return {**json.loads(out), "peak_mb": round(usage.ru_maxrss / 1024), "load": round(load, 2)}


def finish(figures: Figures) -> None:
    """Hand a part's figures to the process that started it."""
    json.dump(figures, sys.stdout, ensure_ascii=False)


@contextmanager
def served(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run ``ragsvc serve`` on ``home``; yield the process, at once, and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([RAGSVC, "--home", home, "serve", "--port", str(port)], stderr=subprocess.DEVNULL)
    try:
        yield process, port
    finally:
        process.terminate()
        process.wait(timeout=START_TIMEOUT_S)


def post(connection: HTTPConnection, path: str, body: Figures) -> Figures:
    """Send one JSON request and return the answer.

    Raises:
        OSError: the status is not 200; the message has the answer's start.
    """
    connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
    response = connection.getresponse()
    content = response.read()
    if response.status != 200:
        raise OSError(f"POST {path}: status {response.status}, {content[:300]!r}")
    return dict(json.loads(content))


def first_answer(process: subprocess.Popen[bytes], port: int, path: str, body: Figures) -> Figures:
    """Ask again and again until the server listens; return its first answer.

    Raises:
        OSError: the server ended, does not listen in time, or refuses.
    """
    end = time.monotonic() + START_TIMEOUT_S
    while True:
        connection = HTTPConnection("127.0.0.1", port)
        try:
            return post(connection, path, body)
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.01)
        finally:
            connection.close()
