"""The reranker over token vectors, on words whose vectors are made so that the right answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from ragsvc.embedding import open_embedder
from ragsvc.errors import InvalidInput
from ragsvc.protocols import FloatArray
from ragsvc.records import Passage, Scores
from ragsvc.retrieval.interaction import FEATURES, HEAD, IDF, Head, InteractionReranker, open_interaction, open_reranker
from tests.doubles import WordEmbedder, make_passage

WORDS = ["deposit", "back", "when", "rent", "dog", "cat", "filler", "of", "the", "and"]
SAME = {"cat": "dog"}
"""Words of one meaning."""


class WordVectors:
    """A token is a word; its vector is a direction of its own, which words of one meaning share."""

    embedder_id = "words"

    def __init__(self) -> None:
        own = np.eye(len(WORDS), dtype=np.float32)
        self.table: FloatArray = np.array([own[WORDS.index(SAME.get(word, word))] for word in WORDS])

    def token_ids(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        return [np.array([WORDS.index(word) for word in text.split()], np.int64) for text in texts]


def reranker(**weights: float) -> InteractionReranker:
    head = Head(encoder="words", fused=1.0, weights=dict.fromkeys(FEATURES, 0.0) | weights)
    return InteractionReranker(WordVectors(), np.ones(len(WORDS), np.float32), head)


def hit(text: str, *, title: str = "", fused: float = 0.5, lexical: float | None = None) -> Passage:
    passage = make_passage(text)
    return replace(passage, title=title, locator="", heading_path=(), scores=Scores(fused=fused, lexical=lexical))


def feature(name: str, question: str, *hits: Passage) -> list[float]:
    found: list[float] = reranker().features(question, hits)[:, FEATURES.index(name)].tolist()
    return found


def test_words_in_the_order_of_the_question_are_a_run() -> None:
    """Three neighbours of the question in a row are two pairs; the same words apart, or across two texts, are none."""
    found = feature("run", "deposit back when", hit("the deposit back when of"), hit("deposit the back of when"))
    assert found == pytest.approx([2 / 2**0.5, 0.0])
    assert feature("run", "deposit back", hit("the deposit"), hit("back of")) == [0.0, 0.0]


def test_words_that_stand_near_each_other_are_worth_more() -> None:
    """All words met in one window count whole, scattered ones a half; over the whole text both are the same."""
    near, far = hit("filler " * 200 + "deposit back"), hit("deposit " + "filler " * 200 + "back")
    assert feature("window_idf", "deposit back", near, far) == pytest.approx([1.0, 0.5])
    assert feature("soft", "deposit back", near, far) == pytest.approx([1.0, 1.0])
    assert feature("lead", "deposit back", near, far) == pytest.approx([0.0, 0.5])


def test_a_word_of_the_same_meaning_is_met() -> None:
    """What has the same vector counts as the word itself; of the title, the share that the question speaks of."""
    assert feature("soft", "dog", hit("the cat"), hit("the rent")) == pytest.approx([1.0, 0.0])
    assert feature("title", "dog", hit("of", title="cat rent"), hit("of")) == pytest.approx([0.5, 0.0])


def test_the_head_decides_the_order() -> None:
    """A feature with a weight brings its passage up, against a small difference of the fused scores."""
    hits = [hit("deposit the back", fused=0.6), hit("the deposit back", fused=0.5), hit("rent", fused=0.4)]
    assert reranker(run=1.0).order("deposit back", hits) == [1, 0, 2]
    assert reranker().order("deposit back", hits) == [0, 1, 2]


def test_equal_hits_stay_in_their_order() -> None:
    """Copies keep their places, and so do all where the question has no known word; no hits give no order."""
    assert reranker(run=1.0, soft=1.0).order("deposit", [hit("deposit of")] * 3) == [0, 1, 2]
    assert reranker(run=1.0).order("", [hit("deposit", fused=0.5), hit("", fused=0.4)]) == [0, 1]
    assert reranker().order("deposit", []) == []


def test_what_keywords_did_not_find_is_told_apart() -> None:
    """BM25 counts as a share of the best; a hit that only the vectors found is marked."""
    hits = [hit("deposit", lexical=8.0), hit("back", lexical=2.0), hit("when")]
    assert feature("words", "deposit", *hits) == pytest.approx([1.0, 0.25, 0.0])
    assert feature("no_words", "deposit", *hits) == [0.0, 0.0, 1.0]


def test_a_text_has_the_same_features_alone_and_among_others() -> None:
    """Neighbours in the batch do not leak, empty texts neither."""
    texts = ["deposit back when", "", "filler " * 90 + "deposit", "back"]
    together = reranker().features("deposit back when", [hit(text) for text in texts])
    alone = [reranker().features("deposit back when", [hit(text)])[0] for text in texts]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_another_encoder_is_refused() -> None:
    """The head reads the vectors it was fitted on; the error names both encoders and the way out."""
    head = Head(encoder="other-1", fused=1.0, weights=dict.fromkeys(FEATURES, 0.0))
    with pytest.raises(InvalidInput, match=r"encoder other-1, but the encoder here is words: .*train interaction"):
        InteractionReranker(WordVectors(), np.ones(len(WORDS), np.float32), head)


def test_parts_that_do_not_belong_together_are_refused() -> None:
    """A frequency for each token, a weight for each feature."""
    with pytest.raises(InvalidInput, match=r"\(3,\) token frequencies"):
        InteractionReranker(WordVectors(), np.ones(3, np.float32), reranker_head())
    with pytest.raises(InvalidInput, match="fit it again"):
        InteractionReranker(WordVectors(), np.ones(len(WORDS), np.float32), reranker_head(weights={"run": 1.0}))


def reranker_head(**fields: dict[str, float]) -> Head:
    return replace(Head(encoder="words", fused=1.0, weights=dict.fromkeys(FEATURES, 0.0)), **fields)


def test_an_encoder_without_token_vectors_is_refused() -> None:
    """Only a static encoder has them."""
    with pytest.raises(InvalidInput, match="only a static encoder has, not words-256"):
        open_interaction("interaction", WordEmbedder())


def test_auto_is_the_shipped_one_for_the_shipped_encoder_alone() -> None:
    """Another encoder is searched with as it is; a reranker that is asked for by name is not left out silently."""
    found = open_reranker("auto", open_embedder("ragsvc-static-zh-en"))
    assert found is not None
    assert found.reranker_id.startswith("interaction-")
    assert open_reranker("auto", WordEmbedder()) is None
    assert open_reranker("", open_embedder("ragsvc-static-zh-en")) is None
    with pytest.raises(InvalidInput, match="only a static encoder has"):
        open_reranker("interaction", WordEmbedder())


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    """The error names the setting, the folder and what could be written."""
    with pytest.raises(InvalidInput, match=r"rerank is '.*none', but .*none cannot be read .*'interaction'"):
        open_interaction(str(tmp_path / "none"), WordEmbedder())
    (tmp_path / HEAD).write_text('encoder = "words-256"\nfused = 1.0\nbias = 2\n[weights]\n', "utf-8")
    np.save(tmp_path / IDF, np.ones(3, np.float16))
    with pytest.raises(InvalidInput, match="bias"):
        open_interaction(str(tmp_path), WordEmbedder())


def test_what_ships_fits_the_encoder_that_ships() -> None:
    """It opens, takes less than 150 kB, and puts the passage that answers before one that shares a common word."""
    shipped = open_interaction("interaction", open_embedder())
    hits = [hit("出租人应当在每月五日前收取租金。"), hit("租赁期满，出租人应当退还押金。")]
    assert shipped.order("房东不退押金怎么办", hits) == [1, 0]
    assert shipped.reranker_id.startswith("interaction-")
    folder = Path(__file__).parents[3] / "ragsvc/retrieval/weights/interaction-zh-en"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 150_000
