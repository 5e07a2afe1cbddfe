from __future__ import annotations

from ragsvc.training.roberta import train_roberta_tokenizer
from ragsvc.training.vocabulary import UNKNOWN, commonest_characters, train_tokenizer

from .conftest import rows

TEXTS = [str(row[column]) for row in rows() for column in ("question", "text")]


def test_tokenizers_are_the_same_each_time() -> None:
    """Of equally rare characters and pieces the same ones are kept, or no training could be repeated."""
    assert len({train_roberta_tokenizer(TEXTS, 150).to_str() for _ in range(3)}) == 1
    made = {train_tokenizer([(TEXTS, 1.0)], han_bigrams=30, latin_pieces=10).to_str() for _ in range(3)}
    assert len(made) == 1


def test_the_commonest_characters_are_counted_as_they_are_read() -> None:
    """Full-width and capital letters count with their plain form; equally common ones stand in their order."""
    assert commonest_characters(["ＢBb aA c", "d1"], 3, str.isalpha) == ["b", "a", "c"]


def test_han_bigrams_overlap() -> None:
    """合同法 is 合, 合同, 同法, 法; a bigram outside the vocabulary falls into characters; an unseen one is unknown."""
    tokenizer = train_tokenizer(
        [(["合同法", "合同", "合同", "合同", "同法", "同法", "法"] * 3, 1.0)], han_bigrams=2, latin_pieces=1
    )
    assert tokenizer.encode("合同法", add_special_tokens=False).tokens == ["合", "合同", "同法", "法"]
    assert tokenizer.encode("法合", add_special_tokens=False).tokens == ["法", "法", "合", "合"]
    assert tokenizer.encode("龘", add_special_tokens=False).tokens[0] == UNKNOWN


def test_roberta_reads_han_runs_words_digits_and_signs() -> None:
    """Between <s> and </s>: Han pieces, a word in lower case, each digit, each sign; nothing joins two kinds."""
    tokenizer = train_roberta_tokenizer(["应当赔偿 contract 2021。"] * 20, 80)
    tokens = tokenizer.encode("应当赔偿Contract21。").tokens
    assert tokens[0] == "<s>"
    assert tokens[-1] == "</s>"
    assert "".join(tokens[1:-1]) == "应当赔偿contract21。"
    assert tokens[-4:-1] == ["2", "1", "。"]
    assert "contract" in tokens
