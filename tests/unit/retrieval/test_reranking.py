from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ragsvc.errors import InvalidInput, NotFound
from ragsvc.protocols import Reranker
from ragsvc.retrieval.reranking import CrossEncoderReranker

QUESTION = "老板拖欠工钱怎么办"
PASSAGES = ["用人单位应当及时支付劳动报酬。", "饲养的动物造成他人损害的。", "The tenant pays rent every month.", ""]
LONG = "".join(f"第{n}条 当事人应当履行第{n}项义务，不得拖欠。" for n in range(40))


def write_model(folder: Path, kind: str, *, labels: int = 1) -> Path:
    """Write a tiny cross-encoder with random weights of a true architecture; it reads 48 tokens."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        PreTrainedTokenizerFast,
        RobertaConfig,
        RobertaForSequenceClassification,
        XLMRobertaConfig,
        XLMRobertaForSequenceClassification,
    )

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=160, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], show_progress=False, limit_alphabet=150
    )
    tokenizer.train_from_iterator([QUESTION, *PASSAGES, LONG], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    wrapped: Any = PreTrainedTokenizerFast
    wrapped = wrapped(
        tokenizer_object=tokenizer, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
        cls_token="<s>", sep_token="</s>",
    )  # fmt: skip
    wrapped.save_pretrained(folder)
    torch.manual_seed(4)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    shape |= {"vocab_size": len(wrapped), "num_labels": labels, "pad_token_id": 1, "initializer_range": 0.5}
    model: Any
    if kind == "bert":
        model = BertForSequenceClassification(BertConfig(**shape, max_position_embeddings=48))
    elif kind == "roberta":
        model = RobertaForSequenceClassification(RobertaConfig(**shape, max_position_embeddings=50))
    else:
        model = XLMRobertaForSequenceClassification(XLMRobertaConfig(**shape, max_position_embeddings=50))
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta"])
def test_scores_are_those_of_sentence_transformers(kind: str, tmp_path: Path) -> None:
    """Short pairs, in batches of two: CrossEncoder.predict of sentence-transformers, value for value."""
    from sentence_transformers import CrossEncoder

    folder = write_model(tmp_path / kind, kind)
    reranker: Reranker = CrossEncoderReranker(str(folder), device="cpu", batch_size=2)
    found = reranker.score(QUESTION, PASSAGES)
    known = CrossEncoder(str(folder), device="cpu").predict([(QUESTION, passage) for passage in PASSAGES])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, known, atol=1e-6)
    assert np.ptp(found) > 1e-3
    assert reranker.score(QUESTION, []).shape == (0,)


def test_a_long_passage_scores_as_its_best_window(tmp_path: Path) -> None:
    """What the model cannot read at once is read in windows that overlap and leave nothing out; the best one counts."""
    from sentence_transformers import CrossEncoder

    folder = write_model(tmp_path / "m", "roberta")
    reranker = CrossEncoderReranker(str(folder), device="cpu")
    model = reranker._model()
    windows = reranker._windows(model, QUESTION, LONG)
    assert len(windows) > 5
    at = 0
    for window in windows:
        start = LONG.index(window, max(0, at - len(window)))
        assert start <= at
        at = start + len(window)
        assert len(model.tokenizer(QUESTION, window)["input_ids"]) <= 48
    assert at == len(LONG)
    plain = CrossEncoder(str(folder), device="cpu")
    known = plain.predict([(QUESTION, window) for window in windows])
    found = reranker.score(QUESTION, [PASSAGES[0], LONG, PASSAGES[1]])
    assert found[1] == pytest.approx(known.max(), abs=1e-6)
    np.testing.assert_allclose(found[[0, 2]], plain.predict([(QUESTION, p) for p in PASSAGES[:2]]), atol=1e-6)


def test_fewer_tokens_may_be_asked_for(tmp_path: Path) -> None:
    """max_tokens makes the windows smaller, and is not more than the model has positions for."""
    folder = str(write_model(tmp_path / "m", "roberta"))
    small, large = CrossEncoderReranker(folder, max_tokens=32), CrossEncoderReranker(folder, max_tokens=4096)
    windows = [len(reranker._windows(reranker._model(), QUESTION, LONG)) for reranker in (small, large)]
    assert windows[0] > windows[1]
    assert large._model().max_seq_length == 48


def test_a_question_longer_than_the_model_reads_still_has_a_score(tmp_path: Path) -> None:
    """Half of the tokens are kept for the passage."""
    reranker = CrossEncoderReranker(str(write_model(tmp_path / "m", "roberta")))
    scores = reranker.score(LONG, PASSAGES[:2])
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()


def test_the_id_changes_with_the_weights(tmp_path: Path) -> None:
    """One directory, one id; other weights in it, another; the card beside them does not matter."""
    folder = write_model(tmp_path / "m", "bert")
    first = CrossEncoderReranker(str(folder)).reranker_id
    (folder / "training.json").write_text("{}", "utf-8")
    assert CrossEncoderReranker(str(folder)).reranker_id == first
    assert first.startswith("m-")
    (folder / "config.json").write_text((folder / "config.json").read_text("utf-8") + "\n", "utf-8")
    assert CrossEncoderReranker(str(folder)).reranker_id != first


def test_what_is_no_reranker_is_named_when_it_is_needed(tmp_path: Path) -> None:
    """A missing directory, one without a model, a classifier of three values: nothing is loaded before it scores."""
    missing = CrossEncoderReranker(str(tmp_path / "none"))
    with pytest.raises(NotFound, match="none is not a directory"):
        missing.score(QUESTION, PASSAGES)
    with pytest.raises(InvalidInput, match="cannot be loaded"):
        CrossEncoderReranker(str(tmp_path)).score(QUESTION, PASSAGES)
    three = CrossEncoderReranker(str(write_model(tmp_path / "three", "bert", labels=3)))
    with pytest.raises(InvalidInput, match="gives 3 values for a pair"):
        three.score(QUESTION, PASSAGES)
