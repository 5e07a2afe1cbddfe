"""Fusing the keyword and the vector arm into one score in [0, 1].

A convex combination of normalised scores (Bruch et al. 2022, https://arxiv.org/abs/2210.11934), not reciprocal
ranks: those throw the scores away and let a weak arm drag a good one down (nDCG@10, macro over nine sets, at one
weight of .5 for all: keywords .379, vectors .331, this .413, reciprocal ranks .389).

The weight of the keyword arm follows language and domain, and how sure each arm is of itself:

    logit(weight) = bias[language-domain] + cosine * (best cosine) + drop * (share that BM25 falls by its tenth hit)

Learned on labelled questions by ``ragsvc evaluate fusion``; ``fusion.toml`` holds the numbers and the command.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from ragsvc.records import ScoredChunk
from ragsvc.retrieval.arms import ArmScores

LEARNED = Path(__file__).with_name("fusion.toml")
FLOOR = 0.75
"""Score of a chunk that the keyword arm did not return, as a part of the score of its last hit. Its true score lies
between 0 and that; taken as 0, the arm's last hit would push out everything that only the vector arm found."""
SCALED_BY = 100
"""Hits of each arm that the scale is made of: more candidates add to what can be found, and move nothing else."""


class FusionModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Gives the weight of the keyword arm; what is left of 1 is the vector arm's. Another encoder needs another."""

    bias: dict[str, float]
    """``zh-law`` and the like; a pair that was not learned gets the mean of its language's."""
    cosine: float
    drop: float
    embedder_id: str = ""
    fitted_on: str = ""

    def lexical_weight(self, question: str, domain: str, scores: ArmScores) -> float:
        """Return the weight in [0, 1] for this question; an arm that found nothing has none."""
        if not scores.dense:
            return 1.0
        if not scores.lexical:
            return 0.0
        logit = self._bias(language_of(question), domain)
        logit += self.cosine * (scores.top_cosine or 0.0) + self.drop * scores.lexical_drop
        return 1 / (1 + math.exp(-logit))

    def _bias(self, language: str, domain: str) -> float:
        known = [bias for name, bias in self.bias.items() if name.startswith(f"{language}-")]
        return self.bias.get(f"{language}-{domain}", sum(known) / max(len(known), 1))


@cache
def learned_model() -> FusionModel:
    """Return the model of the encoder that ships."""
    return msgspec.convert(tomllib.loads(LEARNED.read_text("utf-8")), FusionModel)


def language_of(text: str) -> str:
    """Return ``zh`` if there is any Han character, else ``en``."""
    return "zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en"


def fuse(scores: ArmScores, weight: float) -> list[ScoredChunk]:
    """Return all chunks of either arm with their fused scores, best first; ties go to the smaller ordinal."""
    by_words, by_meaning = normalise(scores)
    fused = [
        ScoredChunk(chunk, weight * by_words.get(chunk, 0.0) + (1 - weight) * by_meaning.get(chunk, 0.0))
        for chunk in {**by_words, **by_meaning}
    ]
    return sorted(fused, key=lambda hit: (-hit.score, hit.chunk))


def normalise(scores: ArmScores) -> tuple[dict[int, float], dict[int, float]]:
    """Return the scores of each arm in [0, 1]; a chunk that the keyword arm did not return is not in the first."""
    words, meaning = scores.lexical[:SCALED_BY], scores.dense[:SCALED_BY]
    lowest = min((hit.score for hit in words), default=0.0)
    cosines = [scores.cosines[hit.chunk] for hit in (*words, *meaning) if hit.chunk in scores.cosines]
    by_words = _scaled({hit.chunk: hit.score for hit in scores.lexical}, floor=FLOOR * lowest)
    return by_words, _scaled(scores.cosines, floor=min(cosines, default=0.0))


def _scaled(scores: Mapping[int, float], floor: float) -> dict[int, float]:
    """Map the best score to 1 and ``floor`` and below to 0; where all are the same, all are the best."""
    span = max(scores.values(), default=0.0) - floor
    return {chunk: max(0.0, (score - floor) / span) if span > 0 else 1.0 for chunk, score in scores.items()}
