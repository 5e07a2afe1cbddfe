"""The service as its users meet it: HTTP and command line. Arguments: labelled set, filled home, HTTP requests."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import psutil

from ragsvc.evaluation.datasets import LabelledSet
from ragsvc.evaluation.retrieval import COLLECTION
from tests.bench.parts import RAGSVC, Figures, finish, first_answer, post, served
from tests.bench.questions import K, percentiles, questions

REPEATS = 3
"""Starts of each kind; the median is reported."""
CLIENTS = (1, 4)


def measure_serving(folder: Path, home: Path, n_requests: int) -> Figures:
    """Return starts in s, memory in MB, and latency and throughput over kept-alive connections."""
    texts = [query.text for query in questions(LabelledSet(folder))]
    ask = ("--home", str(home), "ask", texts[0], "--collection", COLLECTION, "--json")
    return {
        # Files are in the page cache: this is a restart of the service, not the first start after a boot.
        "cold_start_s": _median([_cold_start_s(home, texts[0]) for _ in range(REPEATS)]),
        "help_s": _median([_command_s("--help") for _ in range(REPEATS)]),
        "ask_s": _median([_command_s(*ask) for _ in range(REPEATS)]),
        **_over_http(home, texts, n_requests),
    }


def _cold_start_s(home: Path, question: str) -> float:
    started = time.perf_counter()
    with served(home) as (process, port):
        first_answer(process, port, "/v1/ask", {"question": question, "collection": COLLECTION})
        return time.perf_counter() - started


def _command_s(*arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([RAGSVC, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _median(values: Sequence[float]) -> float:
    return round(median(values), 2)


def _over_http(home: Path, texts: Sequence[str], n_requests: int) -> Figures:
    figures: Figures = {"http_requests": n_requests}
    with served(home) as (process, port):
        first_answer(process, port, "/v1/search", {"question": texts[0], "collection": COLLECTION})
        for clients in CLIENTS:
            latencies_ms, elapsed_s = _load(port, texts, clients, n_requests)
            figures[f"http_queries_per_s_{clients}_clients"] = round(n_requests / elapsed_s, 1)
            if clients == 1:
                figures |= {f"http_{name}": value for name, value in percentiles(latencies_ms).items()}
        server = psutil.Process(process.pid)
        figures["server_rss_mb"] = round(server.memory_info().rss / 2**20)
        # With the ingest process that waits beside it; pages that both share count twice.
        figures["server_and_children_rss_mb"] = figures["server_rss_mb"] + round(
            sum(child.memory_info().rss for child in server.children(recursive=True)) / 2**20
        )
    return figures


def _load(port: int, texts: Sequence[str], clients: int, n_requests: int) -> tuple[list[float], float]:
    """Send ``n_requests`` from ``clients`` threads, a connection each; return each latency and the time in all."""

    def ask_in_turn(first: int) -> list[float]:
        latencies_ms = []
        connection = HTTPConnection("127.0.0.1", port)
        for text in islice(cycle(texts), first, n_requests, clients):
            started = time.perf_counter()
            post(connection, "/v1/search", {"question": text, "collection": COLLECTION, "top_k": K})
            latencies_ms.append((time.perf_counter() - started) * 1000)
        connection.close()
        return latencies_ms

    with ThreadPoolExecutor(clients) as pool:
        started = time.perf_counter()
        latencies = [value for each in pool.map(ask_in_turn, range(clients)) for value in each]
        return latencies, time.perf_counter() - started


if __name__ == "__main__":
    finish(measure_serving(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
