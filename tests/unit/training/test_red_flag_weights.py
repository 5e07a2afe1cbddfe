"""Fitting the weights of emergencies."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from ragsvc.domains.red_flags import folded
from ragsvc.training.red_flags import fit, read_labelled


def test_words_of_emergencies_weigh_more_than_others() -> None:
    """On a toy set the weights tell the two kinds, and the bias keeps ordinary questions below."""
    ordinary = [f"what should I eat with a cold in week {n}" for n in range(60)]
    flags = [f"he turned blue and stopped breathing {n} minutes ago" for n in range(20)]
    weights = fit([*flags, *ordinary], [True] * 20 + [False] * 60, len(ordinary))
    assert weights.score(folded("she turned blue")) > weights.score(folded("what should I eat"))
    assert sum(weights.score(question) > 0 for question in ordinary) <= 2
    assert all(weights.score(question) > 0 for question in flags)


def test_questions_left_open_are_learnt_from_neither_way(tmp_path: Path) -> None:
    """A lay question labelled as an emergency is one; an unclear one and the dev split are left out."""
    write(
        tmp_path / "red_flags_zh.jsonl.gz",
        [{"question": q, "red_flag": label} for q, label in (("甲", "yes"), ("乙", "no"), ("丙", "unclear"))],
    )
    lay = [("甲", "train"), ("丙", "train"), ("丁", "train"), ("戊", "dev")]
    write(tmp_path / "medicine_zh_lay.jsonl.gz", [{"question": q, "split": split} for q, split in lay])
    assert read_labelled(tmp_path, "zh") == (["甲", "乙", "丁"], [True, False, False], 1)


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
