from __future__ import annotations

import numpy as np
import pytest

from ragsvc.training.batches import EncodedTexts, Encoding
from ragsvc.training.config import StaticBase
from ragsvc.training.first_vectors import first_vectors

TOKENS = ["[UNK]", "工", "钱", "劳", "酬", "狗", "咬", "养", "害", "的", *"abcdefghij"]


def table(**settings: object) -> np.ndarray:
    """Return the first vectors of two kinds of pairs that share no token but 的 between question and passage."""
    texts = EncodedTexts(Encoding(lambda found: [[TOKENS.index(c) for c in text] for text in found], None, 0))
    questions, passages = ["工钱的", "狗咬的", "abcd"], ["劳酬的的", "养害的的", "efgh"]
    groups = [
        (np.array([texts.number(question)] * 9), np.array([texts.number(passage)] * 9), 1.0)
        for question, passage in zip(questions, passages, strict=True)
    ]
    texts.tokenise()
    return first_vectors(TOKENS, texts, groups, StaticBase(dim=32, **settings), 5)  # type: ignore[arg-type]


def cosine(vectors: np.ndarray, one: str, other: str) -> float:
    a, b = vectors[TOKENS.index(one)], vectors[TOKENS.index(other)]
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_words_of_a_question_begin_near_those_of_its_passage() -> None:
    """工 asks for 劳: near; not near 养. A random part makes them less alike, and no two the same."""
    pure, mixed = table(random_share=0.0), table(random_share=0.9)
    assert cosine(pure, "工", "劳") > 0.95
    assert cosine(pure, "工", "养") < 0.2
    assert 0.2 < cosine(mixed, "工", "劳") < 0.9


def test_other_scripts_begin_at_random() -> None:
    """Latin tokens have the asked length and no order, unless their script is asked for too."""
    latin = [at for at, token in enumerate(TOKENS) if token < "z"]
    found = table(random_norm=1.2)
    assert np.sqrt((found[latin] ** 2).sum(axis=1).mean()) == pytest.approx(1.2)
    assert abs(cosine(found, "a", "e")) < 0.6
    assert cosine(table(lsa_scripts=("han", "other"), random_share=0.0), "a", "e") > 0.95
    np.testing.assert_array_equal(found, table(random_norm=1.2))
