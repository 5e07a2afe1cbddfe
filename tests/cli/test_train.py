"""``train``: what stands on stdout and stderr, and how calls end that cannot be done."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import run

CONFIG = """
name = "tiny"
base = "static"
objective = "contrastive"
learning_rate = 0.05
batch_size = 4
steps = 5
static = { dim = 16, han_bigrams = 50, latin_pieces = 50 }
[[pairs]]
path = "pairs.jsonl"
language = "en"
domain = "law"
licence = "CC0"
"""


def write(folder: Path) -> Path:
    """Write four pairs and their config."""
    passages = ["Entry needs notice.", "Rent is due monthly.", "A deposit comes back.", "No pets without consent."]
    rows = [{"query": f"question of the tenant: {text[:9]}", "passage": text} for text in passages]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    path = folder / "tiny.toml"
    path.write_text(CONFIG, "utf-8")
    return path


def test_a_training_says_what_it_did(tmp_path: Path) -> None:
    """For people: each stage with its loss, on stderr; the folder opens as an encoder of the evaluation."""
    ended = run("train", "retriever", write(tmp_path), "--output", tmp_path / "out")
    assert ended.code == 0, ended.stderr
    assert ended.stdout == ""
    assert "train: 5 steps in" in ended.stderr
    assert f"{tmp_path / 'out'}: trained on 1 data sets" in ended.stderr


def test_mined_negatives_are_counted(tmp_path: Path) -> None:
    """How many questions of each pair file found one."""
    mined = tmp_path / "mined.jsonl"
    ended = run(
        "train", "mine-negatives", write(tmp_path), "--output", mined, "--first-rank", "1", "--per-question", "2"
    )
    assert ended.code == 0, ended.stderr
    assert f"{mined}: 4 questions of pairs" in ended.stderr
    assert all(len(json.loads(line)["negatives"]) <= 2 for line in mined.read_text("utf-8").splitlines())


def test_calls_that_cannot_be_done(tmp_path: Path) -> None:
    """A config that is not there, a folder in use, an unknown source: exit code and what to change."""
    config = write(tmp_path)
    cases = [
        (
            ("retriever", tmp_path / "none.toml", "--output", tmp_path / "a"),
            2,
            "cannot be read as a training's TOML file",
        ),
        (("retriever", config, "--output", tmp_path), 1, "is not empty: name a new one"),
        (("reranker", config, "--output", tmp_path / "b"), 2, "unknown field `objective`"),
        (
            ("mine-negatives", config, "--output", tmp_path / "c", "--source", "law"),
            2,
            "with questions there are pairs",
        ),
    ]
    for words, code, message in cases:
        ended = run("train", *words)
        assert ended.code == code
        assert message in ended.stderr
        assert "Traceback" not in ended.stderr
