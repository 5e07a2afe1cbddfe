"""How well false claims are caught, and how often true ones are accused.

    python -m tests.bench.verify --data DIR [--cases N] [--answers N] [--seed S]

Ingests the statutes in DIR/corpora/laws_zh_md, makes N claims of each kind from them (``verify_cases.py``), and checks
the answers that lawyers gave to STARD's questions: nobody generated those, so a CONTRADICTED among them is most likely
a false alarm, and a NOT FOUND names a law that is not in the collection or is one.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

from ragsvc.settings import read_settings
from ragsvc.wiring import Service, open_service
from tests.bench.verify_cases import WRONG, Case, make_cases

LAWYERS_WROTE = date(2024, 1, 15)
FABRICATED = ("number", "scale", "unit", "no such")
"""Beginnings of the kinds that invent an article or a law or change a figure."""


def status_of(service: Service, case: Case) -> str:
    """Return the class that counts: the first that warns; of a true text, the first that is not SUPPORTED."""
    found = [claim.status for claim in service.verifier.verify(case.text).claims]
    if "SUPPORTED" in case.right:
        return next((status for status in found if status != "SUPPORTED"), "SUPPORTED")
    return next((status for status in found if status in WRONG), found[-1])


def judge_cases(service: Service, folder: Path, n: int, seed: int) -> dict[str, tuple[int, int]]:
    """Return kind -> (rightly classed, all)."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for case in make_cases(folder, n, seed=seed):
        counts[case.kind][0] += status_of(service, case) in case.right
        counts[case.kind][1] += 1
    return {kind: (right, total) for kind, (right, total) in counts.items()}


def judge_answers(service: Service, queries: Path, n: int, seed: int) -> Counter[str]:
    """Return how many claims of lawyers' answers are in each class; print those that warn."""
    rows = [json.loads(line) for line in queries.read_text("utf-8").splitlines()]
    answers = [row["metadata"]["answer"] for row in rows if row["metadata"].get("answer", "").strip()]
    random.Random(seed).shuffle(answers)
    counts: Counter[str] = Counter()
    for answer in answers[:n]:
        for claim in service.verifier.verify(answer, as_of=LAWYERS_WROTE).claims:
            counts[claim.status] += 1
            if claim.status in WRONG:
                sys.stderr.write(f"{claim.status}: {claim.text}\n    {claim.note}\n")
    return counts


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cases", type=int, default=45)
    parser.add_argument("--answers", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    laws = asked.data / "corpora/laws_zh_md"
    with tempfile.TemporaryDirectory(prefix="ragsvc-bench-") as home:
        service = open_service(read_settings(home=Path(home)))
        try:
            service.ingest([laws], "laws", domain="law")
            kinds = judge_cases(service, laws, asked.cases, asked.seed)
            answers = judge_answers(service, asked.data / "retrieval/stard/queries.jsonl", asked.answers, asked.seed)
        finally:
            service.close()
    out = sys.stdout
    out.write("| kind | rightly classed |\n|---|---|\n")
    out.writelines(f"| {kind} | {right}/{total} |\n" for kind, (right, total) in kinds.items())
    caught = [pair for kind, pair in kinds.items() if kind.startswith(FABRICATED)]
    out.write(f"| fabricated or wrong figure | {sum(r for r, _ in caught)}/{sum(t for _, t in caught)} |\n\n")
    total = sum(answers.values())
    out.write(f"lawyers' answers: {total} claims, " + ", ".join(f"{k} {v}" for k, v in answers.most_common()) + "\n")


if __name__ == "__main__":
    main()
