"""Fitting the interaction reranker: the head by itself, and a small fit through the real index."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from ragsvc.cli.app import app
from ragsvc.embedding import open_embedder
from ragsvc.errors import Conflict, InvalidInput
from ragsvc.retrieval.interaction import FEATURES, HEAD, IDF, open_interaction, token_vectors
from ragsvc.training.interaction import (
    Source,
    document_weights,
    read_interaction_config,
    read_source,
    train_interaction,
)
from ragsvc.training.interaction_fit import Lists, fit_head

CONFIGS = Path(__file__).parents[3] / "ragsvc/training/configs"
CONFIG = """
name = "tiny"
encoder = "ragsvc-static-zh-en"
idf_texts = 30

[[sources]]
path = "laws.jsonl"
language = "zh"
domain = "law"
licence = "CC0"
query = ["question"]
passage = ["title", "text"]
where = { split = "train" }
encoder = "ragsvc-static-zh-en"
questions = 12
"""


def made(name: str, n: int, seed: int, *, hits: int = 6, weight: float = 1.0) -> Lists:
    """Lists whose right hit has the highest first feature, nearly always; the second is noise."""
    chance = np.random.default_rng(seed)
    features = chance.normal(size=(n, hits, 2))
    right = np.zeros((n, hits), bool)
    right[np.arange(n), (features[:, :, 0] + chance.normal(size=(n, hits)) / 4).argmax(axis=1)] = True
    real = np.ones((n, hits), bool)
    return Lists(
        name=name,
        weight=weight,
        features=features,
        fused=chance.random((n, hits)) / 10,
        right=right,
        real=real,
        answers=np.ones(n, np.int64),
    )


def test_the_head_learns_what_tells_the_right_hit() -> None:
    """The feature that tells it gets the weight, noise is dropped by the penalty; other lists get better."""
    head = fit_head([made("a", 300, 1), made("b", 100, 2)], fused=6.0, l1=0.02)
    assert head[0] > 1.0
    assert head[1] == pytest.approx(0.0, abs=0.05)
    other = made("c", 200, 3)
    assert other.ndcg(head, 6.0).mean() > other.ndcg(np.zeros(2), 1.0).mean() + 0.3


def test_the_same_lists_give_the_same_head() -> None:
    """In any order of the sources; and a source's weight counts."""
    one, other = made("a", 200, 1), made("b", 100, 2)
    there, back = fit_head([one, other], fused=6.0, l1=0.01), fit_head([other, one], fused=6.0, l1=0.01)
    np.testing.assert_allclose(there, back, atol=1e-3)
    alone, heavy = fit_head([one], fused=6.0, l1=0.01), made("a", 200, 1, weight=1_000.0)
    np.testing.assert_allclose(fit_head([heavy, other], fused=6.0, l1=0.01), alone, atol=0.02)


def test_ndcg_counts_what_is_not_on_the_list() -> None:
    """One of two right documents, on the second place: (1 / log2 3) / (1 + 1 / log2 3)."""
    lists = Lists(
        name="a",
        weight=1.0,
        features=np.zeros((1, 3, 1)),
        fused=np.array([[0.9, 0.5, 5.0]]),
        right=np.array([[False, True, False]]),
        real=np.array([[True, True, False]]),
        answers=np.array([2]),
    )
    second = 1 / np.log2(3)
    assert lists.ndcg(np.zeros(1), 1.0) == pytest.approx(second / (1 + second))


def test_a_fit_can_be_searched_with(data: Path, tmp_path: Path) -> None:
    """The command writes a folder that opens with the encoder; a second fit gives the same bytes; the card says all."""
    config = tmp_path / "config.toml"
    config.write_text(CONFIG, "utf-8")
    call = ["train", "interaction", str(config), "--data", str(data), "--output", str(tmp_path / "one"), "--json"]
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["sources"][0]["questions"] == 12
    assert set(found["head"]["weights"]) == set(FEATURES)
    again = train_interaction(config, tmp_path / "two", data=data)
    assert again.head.encoder == found["head"]["encoder"]
    for name in (HEAD, IDF):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    reranker = open_interaction(str(tmp_path / "one"), open_embedder())
    assert reranker.reranker_id.startswith("one-")
    card = (tmp_path / "one" / "README.md").read_text("utf-8")
    assert "| laws | 12 | zh | law | 1 | CC0 |" in card
    with pytest.raises(Conflict, match="one is not empty"):
        train_interaction(config, tmp_path / "one", data=data)


def test_a_pair_belongs_to_every_document_with_its_text(data: Path, tmp_path: Path) -> None:
    """Copies under other titles are right as well; a pair whose text is no document is left out."""
    folder = data / "set"
    folder.mkdir()
    text = "第一条 用人单位及时支付劳动报酬。"
    rows = [{"_id": "a", "title": "x", "text": text}, {"_id": "b", "title": "y", "text": f" {text}\n"}]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (folder / "queries.jsonl").touch()
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n", "utf-8")
    fields: dict[str, Any] = {"language": "zh", "domain": "law", "licence": "CC0", "encoder": "e", "corpus": "set"}
    source = Source(path="laws.jsonl", query=("question",), passage=("title", "text"), **fields)
    read = read_source(source, data, seed=0)
    assert read.right == {"老板拖欠工钱怎么办": {"a", "b"}}
    fields |= {"corpus": "", "where": {"split": "train"}}
    own = read_source(Source(path="laws.jsonl", query=("question",), passage=("text",), **fields), data, 0)
    assert (len(own.right), len(own.documents)) == (40, 41)


def test_a_common_token_weighs_less() -> None:
    """ln((n + 1) / (texts with it + 1)), as float16."""
    vectors = token_vectors(open_embedder())
    (common,), (rare,) = vectors.token_ids(["the"]), vectors.token_ids(["rent"])
    weights = document_weights(vectors, ["the rent", "the", "the", "of"])
    assert weights.dtype == np.float16
    assert weights[common[0]] == pytest.approx(np.log(5 / 4), abs=1e-3)
    assert weights[rare[0]] == pytest.approx(np.log(5 / 2), abs=1e-3)


def test_a_wrong_config_is_refused(tmp_path: Path) -> None:
    """An unknown field and a name given twice are named."""
    config = tmp_path / "config.toml"
    config.write_text("depth = 3\n" + CONFIG, "utf-8")
    with pytest.raises(InvalidInput, match="depth"):
        read_interaction_config(config)
    config.write_text(CONFIG + CONFIG[CONFIG.index("[[sources]]") :], "utf-8")
    with pytest.raises(InvalidInput, match="laws, laws have one name"):
        read_interaction_config(config)


def test_the_committed_config_is_one() -> None:
    """It fits for the encoder that ships, and every source names an encoder that is not that one."""
    config = read_interaction_config(CONFIGS / "interaction-zh-en.toml")
    assert config.encoder == "ragsvc-static-zh-en"
    assert all(source.encoder.startswith("encoders/") for source in config.sources)
    assert all(source.where == {"split": "train"} for source in config.sources if "_lay" in source.title)
