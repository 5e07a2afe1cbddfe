"""How usual a word is in questions, whatever they are about: 请问, 怎么办, "how do I", "my husband".

BM25 weighs a word by how few texts hold it. A statute never says 怎么办, so to BM25 that is a telling word; a reader
of questions knows better. A word's weight is bounded by what its share of questions allows, as if the questions
stood in the index too. Measured (nDCG@10 of the keyword arm without and with): lay health questions .31 -> .37,
privacy policies .20 -> .22, papers .68 -> .70, lay questions on statutes .22 -> .23, filings and health pages the same.

``question_words.tsv`` is counted over the questions in ``corpora/questions``:
``python -m ragsvc.indexing.question_words corpora/questions``
"""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from ragsvc.indexing.tokens import tokenize

TABLE = Path(__file__).with_name("question_words.tsv")
MIN_SHARE = 0.002
"""Rarer words are bounded by less than what any word of a large collection weighs."""


@cache
def read_shares() -> Mapping[str, float]:
    """Return token -> share of the questions that hold it."""
    lines = TABLE.read_text("utf-8").splitlines()
    return {token: float(share) for token, share in (line.split("\t") for line in lines)}


def bound_weight(term: str, n_texts: int, n_with_term: int) -> float:
    """Return the factor in (0, 1] by which BM25's weight of ``term`` is too high.

    Args:
        term: a token of ``tokenize``.
        n_texts: in the index.
        n_with_term: how many of them hold the term, at least 1.
    """
    share = read_shares().get(term, 0.0)
    if not share:
        return 1.0
    weight = math.log(1 + (n_texts - n_with_term + 0.5) / (n_with_term + 0.5))
    return min(1.0, math.log(1 + 1 / share) / weight)


def count_shares(groups: Iterable[Iterable[str]]) -> dict[str, float]:
    """Return token -> the highest share that it has in one of the groups of questions, from ``MIN_SHARE`` on."""
    shares: dict[str, float] = {}
    for questions in groups:
        counts: Counter[str] = Counter()
        total = 0
        for question in questions:
            counts.update(set(tokenize(question)))
            total += 1
        for token, count in counts.items():
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
