"""Fits the weights by which ``ragsvc/domains/red_flags.py`` finds emergencies that no pattern foresaw.

``python -m ragsvc.training.red_flags corpora/questions`` writes ``red_flags.zh.tsv`` and ``red_flags.en.tsv`` of the
medicine domain anew, from ``red_flags_LANGUAGE.jsonl.gz`` (labelled) and the ordinary questions of ``LAY``. The bias
is where patterns and weights together raise ``FALSE_ALARMS`` of the ordinary questions, each of them scored by weights
that did not see it.

Tried and left out: the shipped encoder's vector (recall .60 -> .39 beside the same features), groups of three
characters, parts of English words, pairs of words at a distance, log-count ratios (nothing gained).
"""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ragsvc.domains import medicine
from ragsvc.domains.red_flags import Weights, features, folded
from ragsvc.prompting import Language
from ragsvc.protocols import FloatArray

LAY: dict[Language, tuple[str, ...]] = {"zh": ("medicine_zh_lay",), "en": ("health_en_lay", "medicine_en_lay")}
FALSE_ALARMS = 0.02
"""Share of ordinary questions."""
MIN_QUESTIONS = 2
"""A feature of fewer has no weight."""
MIN_WEIGHT = 0.15
"""Smaller ones are left out, to keep the table small."""
C = 5.0
"""Inverse strength of the L2 penalty, by cross-validation."""
FOLDS = 5


def read_labelled(folder: Path, language: Language) -> tuple[list[str], list[bool], int]:
    """Return questions, whether each is an emergency, and how many of the last are ordinary ones.

    Ordinary are the ``train`` questions of the lay files less those that were found to describe an emergency (they
    are among the labelled) or left open (they are nowhere).
    """
    labelled = {row["question"]: row["red_flag"] for row in _rows(folder / f"red_flags_{language}.jsonl.gz")}
    known = {question: label == "yes" for question, label in labelled.items() if label != "unclear"}
    ordinary = dict.fromkeys(
        row["question"]
        for name in LAY[language]
        for row in _rows(folder / f"{name}.jsonl.gz")
        if row["split"] == "train" and row["question"] not in labelled
    )
    return [*known, *ordinary], [*known.values(), *(False for _ in ordinary)], len(ordinary)


def fit(questions: Sequence[str], is_flag: Sequence[bool], n_ordinary: int) -> Weights:
    """Fit weights; the last ``n_ordinary`` questions say where the bias has to be."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    found = [features(folded(question)) for question in questions]
    counts = Counter(feature for one in found for feature in one)
    rows = [{f: 1 / math.sqrt(len(one)) for f in one if counts[f] >= MIN_QUESTIONS} for one in found]
    columns = DictVectorizer()
    matrix = columns.fit_transform(rows)
    for part in ("indices", "indptr"):  # liblinear takes no others
        setattr(matrix, part, getattr(matrix, part).astype(np.int32))
    model = LogisticRegression(C=C, solver="liblinear")
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    unseen: FloatArray = cross_val_predict(model, matrix, is_flag, cv=folds, method="decision_function")
    threshold = _threshold(questions[-n_ordinary:], unseen[-n_ordinary:])
    model.fit(matrix, is_flag)
    fitted = zip(columns.get_feature_names_out(), model.coef_[0], strict=True)
    weights = {str(f): w for f, exact in fitted if abs(w := round(float(exact), 2)) >= MIN_WEIGHT}
    return Weights(float(model.intercept_[0]) - threshold, weights)


def _threshold(ordinary: Sequence[str], scores: FloatArray) -> float:
    """Return the score above which as many lie as may be raised beside what patterns raise."""
    rest = np.array(
        [score for text, score in zip(ordinary, scores, strict=True) if not medicine.PACK.gates.foresees(text)]
    )
    allowed = max(FALSE_ALARMS * len(ordinary) - (len(ordinary) - len(rest)), 1)
    return float(np.quantile(rest, 1 - allowed / len(rest)))


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    for language in LAY:
        weights = fit(*read_labelled(Path(sys.argv[1]), language))
        weights.write(Path(medicine.__file__).with_name(f"red_flags.{language}.tsv"))
