"""Counts how usual each word is in questions, for the keyword index: ``ragsvc/indexing/question_words.tsv``.

``python -m ragsvc.training.question_words corpora/questions`` writes that table anew.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ragsvc.indexing.question_words import TABLE
from ragsvc.indexing.tokens import tokenize

MIN_SHARE = 0.002
"""Rarer words are bounded by less than what any word of a large collection weighs."""
MIN_QUESTIONS = 10
"""A word of fewer questions may stand in them for their topics, not for their being questions."""


def count_shares(groups: Iterable[Iterable[str]]) -> dict[str, float]:
    """Return token -> the highest share that it has in one of the groups of questions; usual tokens only."""
    shares: dict[str, float] = {}
    for questions in groups:
        counts: Counter[str] = Counter()
        total = 0
        for question in questions:
            counts.update(set(tokenize(question)))
            total += 1
        for token, count in counts.items():
            if count >= MIN_QUESTIONS:
                shares[token] = max(shares.get(token, 0.0), round(count / total, 4))
    return {token: share for token, share in sorted(shares.items()) if share >= MIN_SHARE}


def read_questions(folder: Path) -> Iterator[list[str]]:
    """Yield the training questions of each ``*.jsonl.gz`` file in ``folder``."""
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        yield [row["question"] for row in rows if row["split"] == "train"]


if __name__ == "__main__":
    counted = count_shares(read_questions(Path(sys.argv[1])))
    TABLE.write_text("".join(f"{token}\t{share:.4f}\n" for token, share in counted.items()), "utf-8")
