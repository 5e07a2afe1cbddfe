"""Starts ragsvc over the sample documents and two portals that embed it; Ctrl-C ends all and leaves nothing behind.

python -m deploy.demo [--port 8100]
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy.demo.site import OPENER, Site
from ragsvc import open_service
from ragsvc.settings import read_settings

HERE = Path(__file__).parent
CORPORA = HERE.parent.parent / "corpora"
START_S = 60.0


def main() -> int:
    """Run until interrupted; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8100, help="of ragsvc; the sites take the two after it; 0 = any")
    port = parser.parse_args().port or _free_port()
    for ending in (signal.SIGINT, signal.SIGTERM):  # SIGINT, too: a shell that starts it with & has it ignored
        signal.signal(ending, signal.default_int_handler)
    service = f"http://127.0.0.1:{port}"
    sites = [
        Site(HERE / "legal_aid", service, ["law"], port + 1),
        Site(HERE / "patients", service, ["medicine"], port + 2),
    ]
    with tempfile.TemporaryDirectory(prefix="ragsvc-portals-") as folder:
        home = Path(folder) / "home"
        process = None
        try:
            _say("Reading the sample documents …")
            _make_home(home, sites)
            command = [sys.executable, "-m", "ragsvc", "--home", str(home), "serve", "--port", str(port)]
            process = subprocess.Popen(command, env={**os.environ, "RAGSVC_LOG_LEVEL": "WARNING"})
            _wait(service, process)
            for site in sites:
                site.start()
            _say(f"\nlegal aid:            {sites[0].origin}\npatient information:  {sites[1].origin}")
            _say(f"ragsvc, for both:     {service}\n\nCtrl-C ends all three.")
            return process.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            for site in sites:
                site.server_close()
            if process:
                process.terminate()
                process.wait()


def _make_home(home: Path, sites: list[Site]) -> None:
    """Ingest what the sites ask about, and give each a key that lists its origin."""
    service = open_service(read_settings(home=home))
    for site in sites:
        for name in site.collections:
            service.ingest([CORPORA / name], name, domain=name)
        site.key, _ = service.access.create_key(site.origin, ["ask"], site.collections, origins=[site.origin])
    service.close()


def _wait(service: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            OPENER.open(f"{service}/health/live", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"ragsvc does not answer at {service} (exit code {process.poll()}); its own words are above")


def _free_port() -> int:
    """Return a port that is free, as are the two after it."""
    while True:
        with socket.socket() as first, socket.socket() as second, socket.socket() as third:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
                third.bind(("127.0.0.1", port + 2))
            except (OSError, OverflowError):
                continue
            return port


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
