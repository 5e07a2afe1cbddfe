from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ragsvc.cli.app import app
from ragsvc.errors import Conflict, InvalidInput
from ragsvc.retrieval.reranking import CrossEncoderReranker
from ragsvc.training.config import RerankerConfig, read_reranker_config
from ragsvc.training.pairs import Negative, Pair, passage_key
from ragsvc.training.reranker import make_examples, train_reranker

from .conftest import LAY, STATUTE, rows
from .test_stages import CONFIGS, broken_at, write_roberta

RERANKER = """
name = "tiny-reranker"
base = "roberta"
learning_rate = 5e-3
batch_size = 10
steps = 30
checkpoint_steps = 20
negatives = 1
roberta = { layers = 1, hidden = 32, heads = 2, tokens = 200, positions = 60 }

[[pairs]]
path = "laws.jsonl"
language = "zh"
domain = "law"
licence = "CC0"
query = ["question"]
passage = ["text"]
where = { split = "train" }
"""


def write_config(folder: Path, text: str = RERANKER) -> Path:
    path = folder / "reranker.toml"
    path.write_text(text, "utf-8")
    return path


MARK = "废止废止"


def write_mined(folder: Path) -> None:
    """Write negatives that repeat the question and bear a mark, which is all there is to learn of them."""
    asked = [str(row["question"]) for row in rows()]
    found = [
        {"source": "laws", "query": text, "negatives": [{"passage": f"{text}{MARK}", "key": passage_key(text)}]}
        for text in asked
    ]
    (folder / "mined.jsonl").write_text("\n".join(json.dumps(row) for row in found), "utf-8")


def write_set(folder: Path) -> None:
    """Write the lay phrases as questions: what bears the mark repeats them and is wrong, every statute is right."""
    folder.mkdir()
    texts = [*STATUTE, *(f"{text}{MARK}" for text in LAY)]
    documents = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(texts)]
    queries = [{"_id": f"q{n}", "text": text, "metadata": {"split": "dev"}} for n, text in enumerate(LAY)]
    for name, found in (("corpus.jsonl", documents), ("queries.jsonl", queries)):
        (folder / name).write_text("\n".join(json.dumps(row) for row in found), "utf-8")
    judged = "".join(f"q{query}\td{document}\t1\n" for query in range(8) for document in range(8))
    (folder / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", "utf-8")


def test_a_reranker_from_scratch(data: Path, tmp_path: Path) -> None:
    """What the search finds wrongly it puts below, and its card says so; record and plot are beside it."""
    write_mined(data)
    write_set(data / "dev")
    config = write_config(data, RERANKER + 'negatives = "mined.jsonl"\n[[evaluate]]\npath = "dev"\n')
    arguments = ["train", "reranker", str(config), "--output", str(tmp_path / "out"), "--data", str(data), "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert record["path"] == str(tmp_path / "out")
    assert [entry["name"] for entry in record["data"]] == ["laws"]
    reranker = CrossEncoderReranker(str(tmp_path / "out"))
    right, wrong = reranker.score(LAY[0], STATUTE), reranker.score(LAY[0], [f"{text}{MARK}" for text in LAY])
    assert right.min() > wrong.max()
    plain, reranked = record["scores"]
    assert (plain["arm"], reranked["arm"]) == ("hybrid", "first 30 reranked")
    assert plain["ndcg_at_10"] < 0.9
    assert reranked["ndcg_at_10"] > 0.95
    assert reranked["median_ms"] > plain["median_ms"] > 0
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "pipeline_tag: text-ranking" in card
    assert "| dev (8) | first 30 reranked |" in card
    assert (tmp_path / "out" / "loss.png").stat().st_size > 1000
    assert not (tmp_path / "out" / "checkpoints").exists()


def test_a_broken_off_reranker_goes_on(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken off at step 31 and resumed from step 20: the scores of an undisturbed training."""
    config = write_config(data, RERANKER.replace("steps = 30", "steps = 40"))
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    with monkeypatch.context() as patch:
        broken_at(31, patch)
        with pytest.raises(KeyboardInterrupt):
            train_reranker(config, broken, data=data)
    with pytest.raises(Conflict, match="--resume goes on with it"):
        train_reranker(config, broken, data=data)
    train_reranker(config, broken, data=data, resume=True)
    train_reranker(config, whole, data=data)
    assert json.loads((broken / "training.json").read_text("utf-8"))["resumed_at_step"] == 20
    scores = [CrossEncoderReranker(str(folder)).score(LAY[0], STATUTE) for folder in (whole, broken)]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-5)


def test_an_encoder_of_ours_is_a_base(data: Path, tmp_path: Path) -> None:
    """Its layers are taken over, and its data stay listed."""
    from safetensors.numpy import load_file

    from ragsvc.training.retriever import train_retriever

    encoder = train_retriever(write_roberta(data), tmp_path / "encoder", data=data)
    text = RERANKER.replace('base = "roberta"', f'base = "{encoder}"').replace("steps = 30", "steps = 1")
    folder = train_reranker(write_config(data, text.replace("5e-3", "1e-9")), tmp_path / "out", data=data)
    before, after = (load_file(path / "model.safetensors") for path in (encoder, folder))
    name = "encoder.layer.0.attention.self.query.weight"
    np.testing.assert_allclose(after[f"roberta.{name}"], before[name], atol=1e-6)
    record = json.loads((folder / "training.json").read_text("utf-8"))
    assert [entry["name"] for entry in record["data"]] == ["laws", "texts", "laws"]


def test_wrong_passages_are_mined_ones_then_random_ones() -> None:
    """Each right pair with its four wrong passages, none of them known to be right."""
    mined = (Negative("N1", passage_key("n1")), Negative("right too", passage_key("b")))
    rows = [
        Pair("p", "A", "a", negatives=mined),
        Pair("p", "B", "b"),
        *(Pair(f"q{n}", f"C{n}", f"c{n}") for n in range(9)),
    ]
    config = read_reranker_config(CONFIGS / "reranker-zh-en.toml")
    file = config.pairs[0]
    recipe = RerankerConfig(name="x", base="roberta", pairs=(file,), learning_rate=1.0, epochs=2.0, negatives=4)
    examples = make_examples(recipe, {file.title: rows})
    groups = list(zip(*(examples[column] for column in ("query", "passage", "label")), strict=True))
    assert [label for _, _, label in groups].count(1.0) == 22
    of_p = [(passage, label) for query, passage, label in groups if query == "p"]
    assert {passage for passage, label in of_p if label} == {"A", "B"}
    wrong = [passage for passage, label in of_p if not label]
    assert wrong.count("N1") == 2
    assert not {"A", "B", "right too"} & set(wrong)


def test_impossible_rerankers_are_refused(data: Path, tmp_path: Path) -> None:
    """A static base, a file without questions, an unknown field, a base that is not there."""
    cases = [
        (RERANKER.replace('"roberta"', '"static"', 1), "a static table reads no two texts together"),
        (RERANKER + 'sentences_of = ["text"]', "laws has no questions"),
        (RERANKER.replace("batch_size", "batchsize"), "unknown field `batchsize`"),
        (RERANKER.replace('base = "roberta"', f'base = "{data}"'), "cannot be loaded"),
    ]
    for at, (text, message) in enumerate(cases):
        with pytest.raises(InvalidInput, match=message):
            train_reranker(write_config(data, text), tmp_path / str(at), data=data)
