"""A small RoBERTa from scratch: its tokenizer, its first weights, its masked-language pre-training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from ragsvc.training.config import RobertaBase
from ragsvc.training.vocabulary import commonest_characters

_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
"""RoBERTa's, in its order."""
_HAN = r"[\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}]"
_TOKENS = Regex(rf"{_HAN}+|\p{{Latin}}+|[0-9]|[^\s]")
_TEXTS_AT_A_TIME = 4_096


def new_roberta(texts: Sequence[str], shape: RobertaBase, seed: int, folder: Path) -> None:
    """Write a RoBERTa with random weights and a tokenizer made of the texts, as a transformers directory.

    Args:
        texts: what the vocabulary is to cover.
        shape: layers, sizes, tokens.
        seed: of the weights.
        folder: is made.
    """
    import torch
    from transformers import RobertaConfig, RobertaForMaskedLM

    tokenizer = _wrapped(train_roberta_tokenizer(texts, shape.tokens), shape.positions)
    torch.manual_seed(seed)
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=4 * shape.hidden,
        max_position_embeddings=shape.positions + 2,  # RoBERTa counts them from the padding token's number on
        type_vocab_size=1,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )
    unfinished = folder.with_name(f"{folder.name}.part")
    RobertaForMaskedLM(config).save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    unfinished.rename(folder)


def train_roberta_tokenizer(texts: Sequence[str], size: int) -> Tokenizer:
    """Return a byte-pair tokenizer of NFKC lower-case text: Han runs and Latin words, single digits and signs."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(_TOKENS, behavior="removed", invert=True)
    alphabet = commonest_characters(texts, max(100, size // 2), lambda character: not character.isspace())
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=list(_SPECIAL),
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        max_token_length=12,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def _wrapped(tokenizer: Tokenizer, positions: int) -> Any:
    from transformers import PreTrainedTokenizerFast

    make: Any = PreTrainedTokenizerFast
    return make(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        mask_token="<mask>",
        cls_token="<s>",
        sep_token="</s>",
        model_max_length=positions,
    )


class TokenBlocks:
    """Texts one after the other in rows of one length (RoBERTa's full sentences): a data set of transformers' trainer.

    Each text keeps its end token, each row begins with the first one. The last, unfilled row is left out unless it is
    the only one.
    """

    def __init__(self, texts: Sequence[str], tokenizer: Any, length: int) -> None:
        """Tokenise the texts into rows of ``length`` tokens."""
        parts = []
        for at in range(0, len(texts), _TEXTS_AT_A_TIME):
            batch = list(texts[at : at + _TEXTS_AT_A_TIME])
            for ids in tokenizer(batch, add_special_tokens=False, verbose=False)["input_ids"]:
                parts.append(np.asarray([*ids, tokenizer.sep_token_id], np.int32))
        stream = np.concatenate(parts)
        whole = len(stream) // (length - 1)
        rows = stream[: whole * (length - 1)].reshape(whole, length - 1) if whole else stream[None, :]
        self._rows = np.pad(rows, ((0, 0), (1, 0)), constant_values=tokenizer.cls_token_id)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> dict[str, list[int]]:
        return {"input_ids": self._rows[row].tolist()}
