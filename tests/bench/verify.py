"""How well false claims are caught, and how often true ones are accused.

    python -m tests.bench.verify --data DIR [--home DIR] [--cases N] [--answers N] [--seed S]

Ingests the statutes in DIR/corpora/laws_zh_md (a home that has them is taken as it is), makes N claims of each kind
from them and four times as many true ones (``verify_cases.py``), and checks the answers that lawyers gave to STARD's
questions. Nobody generated those: a CONTRADICTED among them counts as a false alarm, and so does a NOT FOUND of a claim
that names no work besides those whose titles the files bear; the other NOT FOUND name a work that is not there.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

from ragsvc.settings import read_settings
from ragsvc.wiring import Service, open_service
from tests.bench.verify_cases import WRONG, Case, make_cases, read_laws

LAWYERS_WROTE = date(2024, 1, 15)
FABRICATED = ("number", "date", "scale", "unit", "no such")
"""Beginnings of the kinds that invent an article or a law or change a figure."""


def status_of(service: Service, case: Case) -> str:
    """Return the class that counts: the first that warns; of a true text, the first that is not SUPPORTED."""
    found = [claim.status for claim in service.verifier.verify(case.text).claims]
    if "SUPPORTED" in case.right:
        return next((status for status in found if status != "SUPPORTED"), "SUPPORTED")
    return next((status for status in found if status in WRONG), found[-1])


def judge_cases(service: Service, folder: Path, n: int, seed: int) -> dict[str, tuple[int, int, int]]:
    """Return kind -> (rightly classed, warned of, all); print the cases that are classed otherwise."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for case in make_cases(folder, n, seed=seed):
        status = status_of(service, case)
        counts[case.kind][0] += status in case.right
        counts[case.kind][1] += status in WRONG
        counts[case.kind][2] += 1
        if status not in case.right:
            sys.stderr.write(f"{case.kind}, {status}: {case.text}\n    {case.source}\n")
    return {kind: (right, warned, total) for kind, (right, warned, total) in counts.items()}


def judge_answers(service: Service, laws: Path, queries: Path, n: int, seed: int) -> Counter[str]:
    """Return how many claims of lawyers' answers are in each class; print those that warn."""
    titles = {_plain(law.title) for law in read_laws(laws)}
    rows = [json.loads(line) for line in queries.read_text("utf-8").splitlines()]
    answers = [row["metadata"]["answer"] for row in rows if row["metadata"].get("answer", "").strip()]
    random.Random(seed).shuffle(answers)
    counts: Counter[str] = Counter()
    for answer in answers[:n]:
        for claim in service.verifier.verify(answer, as_of=LAWYERS_WROTE).claims:
            named = {_plain(name) for name in re.findall(r"《(.+?)》", claim.text)}
            status = claim.status + (", a work that is not there" if named - titles else "")
            counts[status if claim.status == "NOT FOUND" else claim.status] += 1
            if claim.status in WRONG:
                sys.stderr.write(f"{status}: {claim.text}\n    {claim.note}\n")
    return counts


def _plain(title: str) -> str:
    """As files and people write it: signs and the name of the state say nothing."""
    return re.sub(r"[《》〈〉<>（）()\s]|中华人民共和国", "", title)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--cases", type=int, default=45)
    parser.add_argument("--answers", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    laws = asked.data / "corpora/laws_zh_md"
    with tempfile.TemporaryDirectory(prefix="ragsvc-bench-") as throw_away:
        service = open_service(read_settings(home=asked.home or Path(throw_away)))
        try:
            if not service.collections():
                service.ingest([laws], "laws", domain="law")
            kinds = judge_cases(service, laws, asked.cases, asked.seed)
            queries = asked.data / "retrieval/stard/queries.jsonl"
            answers = judge_answers(service, laws, queries, asked.answers, asked.seed)
        finally:
            service.close()
    report(kinds, answers)


def report(kinds: dict[str, tuple[int, int, int]], answers: Counter[str]) -> None:
    """Print both tables."""
    out = sys.stdout
    out.write("| kind | rightly classed | warned of | claims |\n|---|---|---|---|\n")
    sums = {
        "**fabricated or wrong figure**": [row for kind, row in kinds.items() if kind.startswith(FABRICATED)],
        "**all false ones**": [row for kind, row in kinds.items() if not kind.startswith("true")],
        "**all true ones**": [row for kind, row in kinds.items() if kind.startswith("true")],
    }
    kinds = kinds | {name: tuple(map(sum, zip(*rows, strict=True))) for name, rows in sums.items() if rows}
    out.writelines(f"| {kind} | {right} | {warned} | {total} |\n" for kind, (right, warned, total) in kinds.items())
    total = sum(answers.values())
    out.write("\n| lawyers' answers | claims | share |\n|---|---|---|\n")
    out.writelines(f"| {status} | {n} | {n / total:.1%} |\n" for status, n in answers.most_common())
    alarms = answers["CONTRADICTED"] + answers["NOT FOUND"]
    out.write(
        f"| **false alarms** (CONTRADICTED, NOT FOUND of a work that is there) | {alarms} | {alarms / total:.1%} |\n"
    )


if __name__ == "__main__":
    main()
