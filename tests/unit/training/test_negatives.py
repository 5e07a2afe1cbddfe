from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ragsvc.cli.app import app
from ragsvc.errors import InvalidInput
from ragsvc.training.config import PairFile
from ragsvc.training.negatives import Mining, mine_negatives
from ragsvc.training.pairs import read_pairs
from ragsvc.training.retriever import train_retriever

PAIRS = [
    ("租房押金不退怎么办", "租赁合同终止后，出租人应当返还租房押金，房屋损坏的除外。"),
    ("租房押金不退怎么办", "出租人拒不返还押金的，承租人可以要求赔偿损失。"),
    ("租房押金最多多少", "租房押金不得超过一个月租金。"),
    ("押金和定金有区别吗", "定金是合同的担保，押金是履约的保证。"),
    ("狗咬人谁赔", "饲养的动物造成他人损害的，饲养人应当承担赔偿责任。"),
    ("租房押金不退找谁", "租赁合同终止后，出租人应当返还租房押金，房屋有损坏的除外。"),
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a config of six pairs, of which the last passage is a near-copy of the first."""
    rows = [{"query": query, "passage": passage} for query, passage in PAIRS]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / "rent.jsonl").write_text(text, "utf-8")
    path = tmp_path / "config.toml"
    path.write_text(
        """
name = "tiny"
base = "static"
objective = "contrastive"
learning_rate = 0.05
batch_size = 3
steps = 4
static = { dim = 16, han_bigrams = 50, latin_pieces = 20 }
[[pairs]]
path = "rent.jsonl"
language = "zh"
domain = "law"
licence = "CC0"
""",
        "utf-8",
    )
    return path


def test_what_is_found_and_not_right_is_a_negative(config: Path, tmp_path: Path) -> None:
    """Found for a question: not its two right passages, nor the copy of one; others, the likeliest first."""
    found = mine_negatives(config, tmp_path / "mined.jsonl", mining=Mining(first_rank=1, per_question=2))
    assert found["rent"] == 5
    rows = [json.loads(line) for line in (tmp_path / "mined.jsonl").read_text("utf-8").splitlines()]
    assert {row["source"] for row in rows} == {"rent"}
    negatives = {row["query"]: [other["passage"] for other in row["negatives"]] for row in rows}
    assert negatives["租房押金不退怎么办"][0] == PAIRS[2][1]
    assert not {PAIRS[0][1], PAIRS[1][1], PAIRS[5][1]} & set(negatives["租房押金不退怎么办"])
    assert all(len(passages) <= 2 for passages in negatives.values())


def test_mined_negatives_are_trained_against(config: Path, tmp_path: Path) -> None:
    """The command writes what a pair file names as its negatives; a training takes them as further columns."""
    mined = tmp_path / "mined.jsonl.gz"
    arguments = ["train", "mine-negatives", str(config), "--output", str(mined), "--first-rank", "1", "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"path": str(mined), "questions": {"rent": 5}}
    text = config.read_text("utf-8").replace('path = "rent.jsonl"', 'path = "rent.jsonl"\nnegatives = "mined.jsonl.gz"')
    config.write_text(text.replace("steps = 4", "steps = 4\nhard_negatives = 2"), "utf-8")
    record = json.loads((train_retriever(config, tmp_path / "out") / "training.json").read_text("utf-8"))
    assert record["recipe"]["stages"][0]["hard_negatives"] == 2


def test_what_cannot_be_mined_is_named(config: Path, tmp_path: Path) -> None:
    """An unknown source; a file of negatives that is another's."""
    with pytest.raises(InvalidInput, match="stard was asked for; with questions there are rent"):
        mine_negatives(config, tmp_path / "mined.jsonl", mining=Mining(sources=("stard",)))
    file = PairFile(path="rent.jsonl", licence="CC0", language="zh", domain="law", negatives="other.jsonl")
    (tmp_path / "other.jsonl").write_text('{"source": "elsewhere", "query": "x", "negatives": []}', "utf-8")
    with pytest.raises(InvalidInput, match=r"other\.jsonl has no negative for rent"):
        read_pairs(file, tmp_path, 0)
    (tmp_path / "other.jsonl").write_text('{"query": "x"}', "utf-8")
    with pytest.raises(InvalidInput, match="line 1, is none of 'ragsvc train mine-negatives'"):
        read_pairs(file, tmp_path, 0)
