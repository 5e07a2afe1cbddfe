from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from ragsvc.errors import InvalidInput
from ragsvc.training.batches import EncodedTexts, Encoding, PlannedBatches
from ragsvc.training.config import PairFile, Stage
from ragsvc.training.pairs import Negative, Pair, passage_key


def file(name: str, weight: float = 1.0) -> PairFile:
    return PairFile(path=f"{name}.jsonl", licence="CC0", language="zh", domain="law", weight=weight)


def stage(**settings: Any) -> Stage:
    return Stage(**{"objective": "contrastive", "learning_rate": 0.1, "batch_size": 4, **settings})


def letters(texts: list[str]) -> list[list[int]]:
    return [[ord(letter) for letter in text] for text in texts]


def with_ends(texts: list[str]) -> list[list[int]]:
    return [[1, *ids, 2] for ids in letters(texts)]


BAG, ROWS = Encoding(letters, None, unknown=ord("?")), Encoding(with_ends, 0)


def pairs_of(name: str, count: int) -> list[Pair]:
    return [Pair(f"{name}{n}", f"{name.upper()}{n}", f"{name}{n}") for n in range(count)]


def planned(stage: Stage, encoding: Encoding = BAG, seed: int = 0, **pairs: list[Pair]) -> PlannedBatches:
    return PlannedBatches(stage, [file(name) for name in pairs], pairs, EncodedTexts(encoding), seed)


def read(batch: dict[str, Any], column: str) -> list[str]:
    """Return the texts of a column of a batch of bags."""
    ids, offsets = batch[f"{column}_input_ids"].tolist(), [*batch[f"{column}_offsets"].tolist(), None]
    return ["".join(map(chr, ids[a:b])) for a, b in pairwise(offsets)]


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    """Two plans of one seed give equal batches in any order of asking; another seed gives others."""
    first, second = (planned(stage(steps=9), a=pairs_of("a", 7), b=pairs_of("b", 9)) for _ in range(2))
    backwards = {step: read(second[step], "query") for step in reversed(range(9))}
    assert all(read(first[step], "query") == backwards[step] for step in range(9))
    other = planned(stage(steps=9), seed=1, a=pairs_of("a", 7), b=pairs_of("b", 9))
    assert any(read(other[step], "query") != backwards[step] for step in range(9))


def test_each_pass_over_a_file_reads_every_row_once_with_its_own_passage() -> None:
    """Batches of 4 over 7 rows: the first 7 rows read are all rows; every passage stands beside its question."""
    batches = planned(stage(steps=7), a=pairs_of("a", 7))
    asked = [text for step in range(7) for text in read(batches[step], "query")]
    answered = [text for step in range(7) for text in read(batches[step], "passage")]
    assert sorted(asked[:7]) == sorted(asked[7:14]) == [f"a{n}" for n in range(7)]
    assert asked[:7] != asked[7:14]
    assert [text.upper() for text in asked] == answered


@pytest.mark.parametrize(("weights", "shares"), [("steps", (30, 10)), ("rows", (10, 30))])
def test_weights_are_shares_of_the_steps_or_multiples_of_the_rows(weights: str, shares: tuple[int, int]) -> None:
    """Weight 3 on 10 rows against 1 on 90: three quarters of the steps, or a quarter as multiples of rows."""
    files = [file("a", 3.0), file("b", 1.0)]
    rows = {"a": pairs_of("a", 10), "b": pairs_of("b", 90)}
    batches = PlannedBatches(stage(steps=40, weights=weights), files, rows, EncodedTexts(BAG), 0)
    first = [read(batches[step], "query")[0][0] for step in range(40)]
    assert (first.count("a"), first.count("b")) == shares


def test_known_right_passages_are_no_negatives() -> None:
    """Masked: another passage of the same question, the same passage under another question; nothing else."""
    rows = [Pair("p", "X1", "X"), Pair("p", "Y", "Y"), Pair("q", "X2", "X"), Pair("r", "Z", "Z")]
    batches = planned(stage(steps=1), a=rows)
    batch = batches[0]
    asked, answered = read(batch, "query"), read(batch, "passage")
    mask = batch["label"].numpy().reshape(4, 4)
    masked = {(asked[row], answered[column]) for row, column in zip(*np.nonzero(mask), strict=True)}
    assert masked == {("p", "X1"), ("p", "X2"), ("p", "Y"), ("q", "X1")}
    assert not mask.diagonal().any()


def test_hard_negatives_stand_after_the_right_passages() -> None:
    """One mined passage of the row's own; a row without any gets some passage of its file; known right ones masked."""
    mined = (Negative("N", passage_key("nowhere")),)
    rows = [Pair("p", "X", "X", negatives=mined), Pair("q", "Y", "Y", negatives=mined), Pair("r", "Z", "Z")]
    batch = planned(stage(steps=1, batch_size=3, hard_negatives=1), a=rows)[0]
    asked, hard = read(batch, "query"), read(batch, "negative0")
    assert [hard[asked.index(question)] for question in "pq"] == ["N", "N"]
    drawn = hard[asked.index("r")]
    assert drawn in ("X", "Y", "Z")
    mask = batch["label"].numpy().reshape(3, 6)
    known = {"p": "X", "q": "Y", "r": "Z"}
    expected = [[known[question] == passage for passage in hard] for question in asked]
    assert mask[:, 3:].tolist() == expected
    assert not mask[:, :3].any()


def test_tokens_are_left_out_in_training() -> None:
    """About the asked share goes, other ones each time; the unknown token always, special ones never."""
    rows = [Pair("?" + "m" * 1000, "n" * 1000, "x")]
    batches = planned(stage(steps=2, token_dropout=0.3), a=rows)
    lengths = [len(batches[step]["query_input_ids"]) for step in range(2)]
    assert all(650 < length < 750 for length in lengths)
    assert lengths[0] != lengths[1]
    padded = planned(stage(steps=1, token_dropout=0.3), ROWS, a=[Pair("mmmmm", "n", "x"), Pair("m", "nn", "y")])[0]
    ids, attended = padded["query_input_ids"].numpy(), padded["query_attention_mask"].numpy()
    assert set(ids[:, 0]) == {1}
    assert [row[mask > 0][-1] for row, mask in zip(ids, attended, strict=True)] == [2, 2]
    assert (ids[attended == 0] == 0).all()


def test_a_long_text_keeps_its_end_token() -> None:
    """Of a padded text max_tokens are read, the last of them the end token; of a bag the first ones."""
    rows = [Pair("abcdef", "gh", "x")]
    assert planned(stage(steps=1, max_tokens=4), ROWS, a=rows)[0]["query_input_ids"].tolist() == [[1, 97, 98, 2]]
    assert read(planned(stage(steps=1, max_tokens=4), a=rows)[0], "query") == ["abcd"]


def test_labels_of_enough_questions_become_classes() -> None:
    """Three articles, two with two questions: each question once, with all its classes; one without any is left out."""
    rows = [Pair("p", "", "第一条"), Pair("p", "", "第二条"), Pair("q", "", "第一条"), Pair("r", "", "第二条")]
    rows += [Pair("s", "", "第三条")]
    batches = planned(stage(objective="multilabel", steps=1, label_questions=2), a=rows)
    assert batches.classes == ("第一条", "第二条")
    batch = batches[0]
    assert dict(zip(read(batch, "query"), batch["label"].tolist(), strict=True)) == {
        "p": [1.0, 1.0],
        "q": [1.0, 0.0],
        "r": [0.0, 1.0],
    }
    assert "passage_input_ids" not in batch
    with pytest.raises(InvalidInput, match="No label has 5 questions"):
        planned(stage(objective="multilabel", steps=1, label_questions=5), a=rows)
