"""Forty pairs whose questions and passages share no sign, so that only training can join them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

LAY = ["老板拖欠工钱", "邻居狗咬人", "网购假货", "离婚孩子归谁", "借钱不还", "房东不退押金", "车祸谁赔", "偷东西判几年"]
STATUTE = [
    "用人单位及时支付劳动报酬",
    "饲养动物致害责任",
    "惩罚性条款惩戒欺诈经营",
    "抚养权依最有利于未成年原则",
    "债务清偿期限届满",
]
STATUTE += ["租赁合同终止返还保证金", "机动车交通事故", "盗窃罪量刑幅度"]
ASKED = ["{}怎么办", "{}？", "请问{}", "急！{}", "{}，求助"]
STATED = ["第一条 {}。", "{}的规定", "关于{}", "{}：应当依法", "依法{}"]


def rows() -> list[dict[str, object]]:
    return [
        {"question": ask.format(lay), "title": "法", "text": state.format(statute), "split": "train", "score": 1}
        for lay, statute in zip(LAY, STATUTE, strict=True)
        for ask, state in zip(ASKED, STATED, strict=True)
    ]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data folder with laws.jsonl: 40 pairs, and one that belongs to another split."""
    folder = tmp_path / "data"
    folder.mkdir()
    lines = [*rows(), {"question": "x", "title": "x", "text": "x", "split": "dev", "score": 0}]
    (folder / "laws.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in lines), "utf-8")
    return folder


def write_config(folder: Path, *, file: str = "", static: str = "", **settings: object) -> Path:
    """Write a config of a small static encoder; strings and numbers by keyword, more lines by table."""
    chosen = {"name": "tiny", "objective": "contrastive", "base": "static", "epochs": 6, "batch_size": 8}
    chosen |= {"learning_rate": 0.05, "checkpoint_steps": 10, **settings}
    head = "\n".join(f"{key} = {json.dumps(value)}" for key, value in chosen.items())
    path = folder / "config.toml"
    path.write_text(
        f"""{head}
[static]
dim = 32
han_bigrams = 200
latin_pieces = 50
{static}
[[pairs]]
path = "laws.jsonl"
language = "zh"
domain = "law"
licence = "CC0"
query = ["question"]
passage = ["title", "text"]
where = {{split = "train"}}
{file}
""",
        "utf-8",
    )
    return path
