"""How usual a word is in questions, whatever they are about: 请问, 怎么办, "how do I", "my husband".

BM25 weighs a word by how few texts hold it. A statute never says 怎么办, so to BM25 that is a telling word; a reader
of questions knows better. A word's weight is bounded by what its share of questions allows, as if the questions
stood in the index too. Measured (nDCG@10 of the keyword arm without and with): lay health questions .31 -> .37,
privacy policies .20 -> .22, papers .68 -> .70, lay questions on statutes .22 -> .23, filings and health pages the same.

``question_words.tsv`` is counted over the questions that ship, by ``ragsvc/training/question_words.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("question_words.tsv")


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
