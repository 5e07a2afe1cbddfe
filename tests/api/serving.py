"""``ragsvc serve`` as a process of its own over a home with one small law."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from ragsvc.wiring import open_service

LAW = """# 虚构租赁条例

第一条　出租人应当在租赁期满后十日内退还押金。

第二条　承租人应当按照约定的期限支付租金。
"""


def make_home(folder: Path) -> Path:
    """Ingest the law as collection ``law``; return the home."""
    (folder / "law.md").write_text(LAW, encoding="utf-8")
    service = open_service(folder / "home")
    service.ingest([folder / "law.md"], "law", domain="law")
    service.close()
    return folder / "home"


@contextmanager
def serving(home: Path, *arguments: str, **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """Run ``ragsvc serve`` on a free port until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "ragsvc", "--home", str(home), "serve", "--port", str(port), *arguments]
    environment = {**os.environ, **{f"RAGSVC_{name.upper()}": value for name, value in settings.items()}}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            _wait_until_alive(process, client)
            yield process, client
    finally:
        process.terminate()
        process.wait(timeout=40)


def _wait_until_alive(process: subprocess.Popen[bytes], client: httpx.Client) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError(f"serve ended with {process.returncode}")
        try:
            client.get("/health/live")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("serve did not come up within 60 s")
