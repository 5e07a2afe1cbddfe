"""Emergencies in words that no pattern foresaw: a weight for each word, summed over a question.

    score = bias + (sum of the weights of a question's features) / sqrt(number of its features);  above 0 = a red flag

That is logistic regression over binary features scaled to unit length. ``ragsvc.training.red_flags`` fits the weights
and sets the bias to the share of false alarms that is allowed; here they are read as plain data (feature TAB weight,
the bias under the empty feature). What is missed: ``tests/unit/domains/test_gates.py``, on questions nothing was fitted
on, finds two emergencies of three in Chinese and half in English. No red flag never means that all is well.
"""

from __future__ import annotations

import math
import re
import unicodedata
from itertools import pairwise
from pathlib import Path

from ragsvc.prompting import Language

_HAN = re.compile(r"[㐀-鿿]")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+")
_NUMBER = re.compile(r"\d+")
_PREFIX = 4
"""Letters that stand for a word's family: ``swel*`` is met by swelling, swells and a mistyped sweling."""


def folded(text: str) -> str:
    """Return ``text`` without what hides words: width, invisible signs, curled apostrophes."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'")
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


def language_of(text: str) -> Language:
    """Return whose words count: a text with Chinese characters is Chinese."""
    return "zh" if _HAN.search(text) else "en"


def features(text: str) -> set[str]:
    """Return what a folded text has of its language's features.

    Chinese: characters and pairs of neighbours, a break or edge being a neighbour too, but nothing by itself: how a
    question is punctuated says nothing of its matter. English: words, pairs of neighbours and prefixes. Numbers count
    as such (``0``) and as themselves.
    """
    text = text.casefold()
    if language_of(text) == "zh":
        chars = "^" + re.sub(r"\W+", "|", _NUMBER.sub("0", "".join(text.split()))) + "$"
        return {*chars, *map("".join, pairwise(chars)), *_NUMBER.findall(text)} - {*"^|$"}
    found = _WORD.findall(text)
    words = ["0" if word.isdigit() else word for word in found]
    neighbours = map(" ".join, pairwise(["^", *words, "$"]))
    return {*found, *words, *neighbours, *(w[:_PREFIX] + "*" for w in words if len(w) > _PREFIX)}


class Weights:
    """The weights of one language."""

    def __init__(self, bias: float, of: dict[str, float]) -> None:
        self._bias = bias
        self._of = of

    @classmethod
    def read(cls, path: Path) -> Weights:
        """Read what ``write`` wrote."""
        rows = (line.split("\t") for line in path.read_text("utf-8").splitlines())
        of = {feature: float(weight) for feature, weight in rows}
        return cls(of.pop(""), of)

    def write(self, path: Path) -> None:
        """Write the weights, the heaviest first."""
        rows = sorted(self._of.items(), key=lambda one: (-one[1], one[0]))
        path.write_text("".join(f"{f}\t{w:.2f}\n" for f, w in [("", self._bias), *rows]), "utf-8")

    def score(self, text: str) -> float:
        """Return how far above the threshold a folded text is; below 0 = nothing is said."""
        found = features(text)
        return self._bias + sum(self._of.get(feature, 0.0) for feature in found) / math.sqrt(max(len(found), 1))
