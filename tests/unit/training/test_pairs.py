from __future__ import annotations

import gzip
import json
from pathlib import Path

from ragsvc.training.config import Form, Join, PairFile, read_config
from ragsvc.training.pairs import Pair, read_pairs

REPOSITORY = Path(__file__).parents[3]


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
    assert pairs == [Pair("问1", "民法典\n新", "新"), Pair("问2", "民法典\n二", "二")]


def test_one_sentence_is_set_against_the_rest(tmp_path: Path) -> None:
    """The chosen sentence is not in its passage, the rest is whole; one sentence alone makes no pair."""
    write(
        tmp_path / "p.jsonl.gz",
        [{"t": "当事人应当履行。违约的应当赔偿。法律另有规定除外。"}, {"t": "只有这一句话而已。"}],
    )
    (pair,) = read_pairs(file(sentences_of=("t",)), tmp_path, 3)
    assert pair == read_pairs(file(sentences_of=("t",)), tmp_path, 3)[0]
    assert pair.query not in pair.passage
    assert sorted(pair.query + pair.passage.replace(" ", "")) == sorted(
        "当事人应当履行。违约的应当赔偿。法律另有规定除外。"
    )


def test_the_committed_config_fits_the_real_data(shared_data: Path, tmp_path: Path) -> None:
    """Each small file of the committed config gives hundreds of pairs, so its columns are those of the data."""
    import ragsvc.training

    config = read_config(Path(ragsvc.training.__file__).parent / "configs" / "static-zh-en.toml")
    (tmp_path / "data").symlink_to(shared_data, target_is_directory=True)
    (tmp_path / "questions").symlink_to(REPOSITORY / "corpora/questions", target_is_directory=True)
    small = [pairs for pairs in config.pairs if not pairs.join and (tmp_path / pairs.path).stat().st_size < 2_000_000]
    assert len(small) > 10
    for pairs in small:
        assert len(read_pairs(pairs, tmp_path, 0)) > 450


def test_a_passage_is_written_in_several_forms(tmp_path: Path) -> None:
    """Each row gets one form at random by its share; whatever the form, it is the same passage."""
    write(tmp_path / "p.jsonl.gz", [{"query": f"q{n}", "law": "民法典", "text": "应当赔偿"} for n in range(200)])
    forms = (Form(columns=("law", "text"), share=3), Form(columns=("text",)))
    pairs = read_pairs(file(forms=forms), tmp_path, 0)
    assert {pair.identity for pair in pairs} == {"应当赔偿"}
    written = [pair.passage for pair in pairs]
    assert 125 < written.count("民法典\n应当赔偿") < 175
    assert written.count("应当赔偿") == 200 - written.count("民法典\n应当赔偿")


def test_a_long_passage_becomes_one_window(tmp_path: Path) -> None:
    """The first window most often, else any; what stands above the passage stands above each of its windows."""
    sentences = [f"Sentence number {n} is here." for n in range(40)]
    write(tmp_path / "p.jsonl.gz", [{"query": f"q{n}", "t": "Title", "text": " ".join(sentences)} for n in range(100)])
    pairs = read_pairs(file(passage=("t", "text"), window_chars=100), tmp_path, 0)
    assert all(len(pair.passage) <= 106 and pair.passage.startswith("Title\nSentence") for pair in pairs)
    assert 50 < sum(pair.passage.startswith("Title\nSentence number 0") for pair in pairs) < 75
    assert len({pair.passage for pair in pairs}) > 5
    assert {pair.identity for pair in pairs} == {" ".join(sentences)}


def test_sentences_against_their_neighbours(tmp_path: Path) -> None:
    """Two sentences of each text, each once, with at most two sentences before and after; no text twice."""
    text = "".join(f"第{n}句话在这里讲。" for n in range(9))
    write(tmp_path / "p.jsonl.gz", [{"t": text, "u": ""}, {"t": "另一个文本的话。还有第二句话。", "u": text}])
    settings = {"sentences_of": ("t", "u"), "sentences_per_text": 2, "context_sentences": 2}
    pairs = read_pairs(file(**settings), tmp_path, 1)
    assert len(pairs) == 3
    assert len({pair.query for pair in pairs}) == 3
    assert all(1 <= pair.passage.count("。") <= 4 and pair.query not in pair.passage for pair in pairs)


def test_a_join_may_rename(tmp_path: Path) -> None:
    """A column of both files can be had from the other one under a new name."""
    write(tmp_path / "p.jsonl.gz", [{"query": "问", "passage": "条文"}])
    write(tmp_path / "a.jsonl.gz", [{"query": "问", "passage": "答案"}])
    join = Join(path="a.jsonl.gz", on={"query": "query"}, take={"answer": "passage"})
    assert read_pairs(file(query=("answer",), join=join), tmp_path, 0) == [Pair("答案", "条文", "条文")]
