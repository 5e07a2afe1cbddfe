"""Statutes from disk to searchable, in a new home. Arguments: folder of statutes, number of files (0 = all)."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from ragsvc.settings import read_settings
from ragsvc.wiring import open_service
from tests.bench.parts import Figures, finish


def measure_ingest(files: list[Path], home: Path) -> Figures:
    """Return seconds and rates; starting up (imports, encoder, catalogue) is measured by itself."""
    started = time.perf_counter()
    service = open_service(read_settings(home=home))
    service.embedder.embed_passages(["预热"])
    ready = time.perf_counter()
    report = service.ingest(files, "laws", domain="law")
    done = time.perf_counter()
    service.close()
    if report.quarantined:
        sys.exit(f"{len(report.quarantined)} files were left out, the first: {report.quarantined[0]}")
    with closing(sqlite3.connect(home / "catalogue.sqlite")) as catalogue:
        (articles,) = catalogue.execute("select count(*) from chunks where kind = 'article'").fetchone()
    return {
        "files": report.documents,
        "megabytes": round(sum(file.stat().st_size for file in files) / 1e6, 1),
        "chunks": report.chunks,
        "articles": articles,
        "start_s": round(ready - started, 2),
        "ingest_s": round(done - ready, 2),
        "articles_per_s": round(articles / (done - ready)),
    }


if __name__ == "__main__":
    folder, limit = Path(sys.argv[1]), int(sys.argv[2])
    found = sorted(path for path in folder.rglob("*.md") if path != folder / "README.md")
    with tempfile.TemporaryDirectory(prefix="ragsvc-bench-") as new_home:
        finish(measure_ingest(found[: limit or None], Path(new_home)))
