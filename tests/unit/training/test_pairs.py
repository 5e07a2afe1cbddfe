from __future__ import annotations

import gzip
import json
from pathlib import Path

from ragsvc.training.config import Join, PairFile, read_config
from ragsvc.training.pairs import Pair, read_pairs


def file(**facts: object) -> PairFile:
    return PairFile(path="p.jsonl.gz", licence="CC0", language="zh", domain="law", **facts)  # type: ignore[arg-type]


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def test_a_join_adds_the_passage_that_a_question_only_names(tmp_path: Path) -> None:
    """Law and article lead to the text; of two editions the last counts; others are left out."""
    write(tmp_path / "p.jsonl.gz", [{"question": f"问{n}", "law": "民法典", "article": str(n)} for n in (1, 2, 9)])
    texts = [("1", "旧"), ("1", "新"), ("2", "二")]
    write(tmp_path / "t.jsonl.gz", [{"name": "民法典", "article": article, "text": text} for article, text in texts])
    join = Join(path="t.jsonl.gz", on={"law": "name", "article": "article"})
    pairs = read_pairs(file(query=("question",), passage=("law", "text"), join=join), tmp_path, 0)
    assert pairs == [Pair("问1", "民法典\n新"), Pair("问2", "民法典\n二")]


def test_one_sentence_is_set_against_the_rest(tmp_path: Path) -> None:
    """The chosen sentence is not in its passage, the rest is whole; one sentence alone makes no pair."""
    write(
        tmp_path / "p.jsonl.gz",
        [{"t": "当事人应当履行。违约的应当赔偿。法律另有规定除外。"}, {"t": "只有这一句话而已。"}],
    )
    (pair,) = read_pairs(file(sentences_of="t"), tmp_path, 3)
    assert pair == read_pairs(file(sentences_of="t"), tmp_path, 3)[0]
    assert pair.query not in pair.passage
    assert sorted(pair.query + pair.passage.replace(" ", "")) == sorted(
        "当事人应当履行。违约的应当赔偿。法律另有规定除外。"
    )


def test_the_committed_config_fits_the_real_data(shared_data: Path) -> None:
    """Each small file of the committed config gives hundreds of pairs, so its columns are those of the data."""
    import ragsvc.training

    config = read_config(Path(ragsvc.training.__file__).parent / "configs" / "static-zh-en.toml")
    root = shared_data.parent
    small = [pairs for pairs in config.pairs if not pairs.join and (root / pairs.path).stat().st_size < 2_000_000]
    assert len(small) > 5
    for pairs in small:
        assert len(read_pairs(pairs, root, 0)) > 700
