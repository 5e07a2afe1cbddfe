"""Large files take memory in proportion, measured on real processes; ``RAGSVC_TEST_MEMORY=1`` takes the full sizes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ragsvc.loading import ParserProcess, load_file
from ragsvc.loading.limits import MIB

from .made_files import pdf_bytes

BOUND_MB = 1500
FULL = os.environ.get("RAGSVC_TEST_MEMORY") == "1"
LINES = 45 if FULL else 6
INGEST = """
import resource, sys
from pathlib import Path
from ragsvc.settings import read_settings
from ragsvc.wiring import open_service
service = open_service(read_settings(home=Path(sys.argv[1])))
service.embedder.embed_passages(["warm"])
report = service.ingest([Path(sys.argv[2])], "large", domain="general")
service.close()
assert not report.quarantined and report.documents == 1, report
after, child = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(after // 1024, child // 1024)
"""

PREPARE = """
import resource, sys
from pathlib import Path
from ragsvc.chunking.passages import embedded_texts
from ragsvc.domains.pack import find_pack
from ragsvc.embedding import open_embedder
from ragsvc.loading import load_file
chunker, embedder = find_pack("general").chunker, open_embedder()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
document = load_file(Path(sys.argv[1]))
facts = chunker.describe(document)
chunks = chunker.chunk(document, facts)
windows = [embedded_texts(facts, chunk, document.text[chunk.start : chunk.end], embedder) for chunk in chunks]
print(before // 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, len(chunks))
"""


def ingested(path: Path, home: Path) -> tuple[int, int]:
    """Ingest a file in a process of its own; peak of it and of its parsing process, in MB."""
    command = [sys.executable, "-c", INGEST, str(home), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    after, child = map(int, done.stdout.split()[-2:])
    return after, child


def peak_mb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) // 1024


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_a_pdf_of_500_pages(tmp_path: Path) -> None:
    """All pages are read, and the parsing process stays far under the bound."""
    names = ["Adams", "Brook", "Chan", "Doyle", "Evans", "Fuchs", "Gupta"]
    pages = [
        [
            (
                72.0,
                740.0 - 15 * line,
                11.0,
                f"{names[(page * line) % 7]} returns flat {page}.{line} as {names[page % 7]} did.",
            )
            for line in range(LINES)
        ]
        for page in range(500)
    ]
    path = tmp_path / "long.pdf"
    path.write_bytes(pdf_bytes(pages, "0 0 1 RG 60 60 m 560 60 l S\n"))
    with ParserProcess() as parser:
        document = load_file(path, parser=parser)
        assert parser._child
        peak = peak_mb(parser._child._process.pid)
    assert [block.page for block in document.blocks if block.kind == "page"] == list(range(1, 501))
    assert f"flat 499.{LINES - 1} as" in document.text
    assert peak < BOUND_MB / 2


def large_text(path: Path, megabytes: int) -> Path:
    sentence = "The tenant of unit {} shall return the flat as it was on day {} of the lease, and pay what is due. "
    n_written = 0
    with path.open("w", encoding="utf-8") as file:
        while n_written < megabytes * MIB:
            n_written += file.write("".join(sentence.format(n_written, n) for n in range(100)) + "\n\n")
    return path


@pytest.mark.timeout(1800)
def test_what_is_kept_of_a_large_text_is_a_few_times_the_text(tmp_path: Path) -> None:
    """Text, chunks and the texts to embed are there together, before the first of them is stored."""
    path = large_text(tmp_path / "large.txt", 24)
    done = subprocess.run([sys.executable, "-c", PREPARE, str(path)], capture_output=True, text=True, check=True)
    before, after, n_chunks = map(int, done.stdout.split())
    assert n_chunks > 10_000
    assert (after - before) / 24 < 5.0


@pytest.mark.timeout(7200)
@pytest.mark.skipif(not FULL, reason="minutes of work: RAGSVC_TEST_MEMORY=1 ingests 200 MB")
def test_a_large_text(tmp_path: Path) -> None:
    """200 MB from disk to searchable, service and parsing process together."""
    after, child = ingested(large_text(tmp_path / "large.txt", 199), tmp_path / "home")
    assert after + child < BOUND_MB
