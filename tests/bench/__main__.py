"""``python -m tests.bench``: a Markdown table on stdout, every figure in ``build/bench.json``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.parts import Figures, run_part
from tests.bench.questions import write_sample
from tests.bench.report import to_markdown

REPOSITORY = Path(__file__).resolve().parent.parent.parent
LAWS, LABELLED = Path("corpora/laws_zh_md"), Path("retrieval/stard")
QUICK_FILES, QUICK_DOCUMENTS, QUICK_QUERIES = 60, 3000, 50


def main() -> None:
    """Run every part and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure ragsvc beside its peers.")
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", help="folder of real data")
    parser.add_argument("--quick", action="store_true", help="samples only: shows that the bench works")
    parser.add_argument("--json", type=Path, default=REPOSITORY / "build" / "bench.json", help="file for all figures")
    options = parser.parse_args()
    for needed in (LAWS, LABELLED):
        if not (options.data / needed).is_dir():
            sys.exit(f"no real data: {(options.data / needed).absolute()} does not exist; --data names another folder")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    figures: Figures = {
        "date": datetime.now(UTC).date().isoformat(),
        "quick": options.quick,
        "machine": {"processors": os.cpu_count(), "python": platform.python_version()},
    }
    for name, part in run_parts(options.data.absolute(), quick=options.quick):
        figures[name] = part
        # At once: the parts take minutes, and what was measured should outlive a later one that fails.
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", "utf-8")
    sys.stdout.write(to_markdown(figures) + "\n")


def run_parts(data: Path, *, quick: bool) -> Iterator[tuple[str, Figures]]:
    """Run the parts one after another; yield the name and figures of each."""
    with tempfile.TemporaryDirectory(prefix="ragsvc-bench-") as folder:
        home, labelled = Path(folder, "home"), data / LABELLED
        if quick:
            labelled = Path(folder, "sample")
            labelled.mkdir()
            write_sample(data / LABELLED, labelled, QUICK_DOCUMENTS, QUICK_QUERIES)
        n_requests = str(100 if quick else 500)
        yield "ingest", run_part("ingest", str(data / LAWS), str(QUICK_FILES if quick else 0))
        yield "search", run_part("search", str(labelled), str(home), n_requests)
        yield "serving", run_part("serving", str(labelled), str(home), n_requests)
        yield "langchain", run_part("langchain_stack", str(labelled))


if __name__ == "__main__":
    main()
