"""Fusing the keyword and the vector arm into one score in [0, 1].

A convex combination of normalised scores (Bruch et al. 2022, https://arxiv.org/abs/2210.11934), not reciprocal
ranks: those throw the scores away and let a weak arm drag a good one down (nDCG@10, macro over nine sets, at one
weight of .5 for all: keywords .379, vectors .331, this .413, reciprocal ranks .389).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ragsvc.records import ScoredChunk

DEFAULT_LEXICAL_WEIGHT = 0.5
LEXICAL_WEIGHTS: dict[tuple[str, str], float] = {
    ("zh", "law"): 0.25,
    ("zh", "medicine"): 0.4,
    ("zh", "finance"): 0.6,
    ("en", "law"): 0.6,
    ("en", "medicine"): 0.5,
    ("en", "finance"): 0.7,
}
"""(language of the question, domain) -> weight of the keyword arm in [0, 1]; what is left is the vector arm's.
Learned on the development sets for the encoder that ships; another encoder has other best weights."""
FLOOR = 0.75
"""Score of a chunk that the keyword arm did not return, as a part of the score of its last hit. Its true score lies
between 0 and that; taken as 0, the arm's last hit would push out everything that only the vector arm found."""


def lexical_weight(question: str, domain: str) -> float:
    """Return the weight of the keyword arm for this question in a collection of this domain."""
    return LEXICAL_WEIGHTS.get((language_of(question), domain), DEFAULT_LEXICAL_WEIGHT)


def language_of(text: str) -> str:
    """Return ``zh`` if there is any Han character, else ``en``."""
    return "zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en"


def fuse(lexical: Sequence[ScoredChunk], cosines: Mapping[int, float], weight: float) -> list[ScoredChunk]:
    """Return all chunks with their fused scores, best first; ties go to the smaller ordinal.

    Args:
        lexical: BM25 of the keyword arm's candidates.
        cosines: cosine of every candidate of either arm: one that is left out for not being among the vector arm's
            best would be punished for being second. Empty = the vector arm was not asked.
        weight: of the keyword arm, in [0, 1]. An arm that found nothing has no say.
    """
    if not cosines:
        weight = 1.0
    elif not lexical:
        weight = 0.0
    bm25 = {hit.chunk: hit.score for hit in lexical}
    by_words = _normalised(bm25, floor=FLOOR * min(bm25.values(), default=0.0))
    by_meaning = _normalised(cosines, floor=min(cosines.values(), default=0.0))
    fused = [
        ScoredChunk(chunk, weight * by_words.get(chunk, 0.0) + (1 - weight) * by_meaning.get(chunk, 0.0))
        for chunk in {**by_words, **by_meaning}
    ]
    return sorted(fused, key=lambda hit: (-hit.score, hit.chunk))


def _normalised(scores: Mapping[int, float], floor: float) -> dict[int, float]:
    """Map the best score to 1 and ``floor`` to 0; where all are the same, all are the best."""
    span = max(scores.values(), default=0.0) - floor
    return {chunk: (score - floor) / span if span > 0 else 1.0 for chunk, score in scores.items()}
