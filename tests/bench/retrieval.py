"""Retrieval on the labelled sets beside plain BM25, and how far the encoder's training carries over.

    python -m tests.bench.retrieval --data DIR --work FOLDER [--only SET...]
    python -m tests.bench.retrieval --data DIR --work FOLDER --leave-one-out CONFIG [--steps N]

The first evaluates the encoder that ships. The second trains CONFIG (or one run of N steps) once without each set's
source, about ten minutes on one core each, and evaluates the set with what comes out; sets that no pair file belongs to
get the full training. Either prints a Markdown table of nDCG@10 / Recall@100, with the paired bootstrap interval of
hybrid - BM25.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from ragsvc.evaluation.comparison import compare_files
from tests.bench.floor import ARM as FLOOR
from tests.bench.floor import write_floor

SETS = {
    "stard": ("law", ["legal_zh_stard", "legal_zh_lecoqa"]),
    "lay-law-zh": ("law", ["legal_zh_lay", "regulations_zh_lay"]),
    "toyhom": ("medicine", ["medical_zh_toyhom"]),
    "fintruthqa": ("finance", ["finance_zh_fintruthqa"]),
    "medquad": ("medicine", ["medical_en_medquad", "health_en_lay"]),
    "lay-health-en": ("medicine", ["health_en_lay", "medicine_en_lay"]),
    "covidqa": ("medicine", []),
    "policyqa": ("law", []),
    "financebench": ("finance", []),
}
"""Set -> its domain, and the beginnings of the names of the pair files of its source."""
ARMS = ("lexical", "dense", "hybrid", "reranked")


def without(config: str, left_out: list[str], steps: int | None) -> str:
    """Return the config less the pair files whose name, or file name, begins with one of ``left_out``."""
    if steps:
        config = re.sub(r"^steps = .*$", f"steps = {steps}", config, count=1, flags=re.MULTILINE)
        config = re.sub(r"^runs = .*\n", "", config, count=1, flags=re.MULTILINE)
    head, *blocks = re.split(r"^\[\[pairs\]\]$", config, flags=re.MULTILINE)

    def is_left_out(block: str) -> bool:
        names = re.findall(r'^(?:name|path) = "(?:.*/)?([^"/]+)"', block, flags=re.MULTILINE)
        return any(name.startswith(source) for name in names for source in left_out)

    return "[[pairs]]".join([head, *(block for block in blocks if not is_left_out(block))])


def train(config: Path, data: Path, output: Path) -> Path:
    """Train ``config`` unless ``output`` is there already."""
    if not (output / "modules.json").exists():
        command = ["train", "retriever", str(config), "--data", str(data), "--output", str(output)]
        subprocess.run([sys.executable, "-m", "ragsvc", *command], check=True, stdout=sys.stderr)
    return output


def evaluate(folder: Path, domain: str, encoder: Path | None, queries: Path) -> dict[str, Any]:
    """Evaluate a set and return what ``--json`` says; per-query results go to ``queries``."""
    command = ["evaluate", "retrieval", str(folder), "--domain", domain, "--queries", str(queries), "--json"]
    # The reranker reads the vectors of the encoder that ships.
    command += ["--embedder", str(encoder)] if encoder else ["--arms", ",".join(ARMS)]
    done = subprocess.run([sys.executable, "-m", "ragsvc", *command], check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def row(name: str, data: Path, work: Path, config: Path | None, steps: int | None) -> str:
    """Evaluate a set and return the line of the table; with a config, train it first without the set's source."""
    domain, sources = SETS[name]
    encoder = None
    if config:
        reduced = work / f"{name if sources else 'full'}.toml"
        reduced.write_text(without(config.read_text("utf-8"), sources, steps), "utf-8")
        encoder = train(reduced, data, work / reduced.stem)
    folder = data / "data/retrieval" / name
    queries, floor = work / f"{name}.queries.jsonl", work / f"{name}.bm25.jsonl"
    found = evaluate(folder, domain, encoder, queries)
    write_floor(folder, None, floor)
    ndcg = {arm: compare_files(f"{floor}#{FLOOR}", f"{queries}#{arm}").metrics for arm in found["arms"]}
    cells = [f"{ndcg['hybrid']['ndcg@10'].first:.3f} / {ndcg['hybrid']['recall@100'].first:.3f}"]
    for arm in ARMS:
        figures = found["arms"].get(arm)
        cells.append(f"{figures['ndcg@10']:.3f} / {figures['recall@100']:.3f}" if figures else "-")
    gain = ndcg["hybrid"]["ndcg@10"]
    cells += [f"{gain.difference:+.3f} ({gain.ci95[0]:+.3f} to {gain.ci95[1]:+.3f})"]
    seen = ", ".join(found["trained_on"]) or "-"
    return f"| {name} | {found['n_queries']} | {' | '.join(cells)} | {seen} |"


def main() -> None:
    """Print the table, one line as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with data/ and, to train, questions/")
    parser.add_argument("--work", type=Path, required=True, help="encoders and results are kept here")
    parser.add_argument("--leave-one-out", type=Path, help="config of a training")
    parser.add_argument("--steps", type=int, help="train one run of so many steps")
    parser.add_argument("--only", nargs="*", default=list(SETS), choices=list(SETS))
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    sys.stdout.write("| set | queries | BM25 | keywords | vectors | hybrid | reranked | hybrid - BM25 | trained on |\n")
    sys.stdout.write("|---|---|---|---|---|---|---|---|---|\n")
    for name in asked.only:
        sys.stdout.write(row(name, asked.data, asked.work, asked.leave_one_out, asked.steps) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
