"""Each architecture of the catalogue, on a tiny model with random weights made here.

Three computations have to agree, value for value: ours through a catalogue entry with the facts of the listed model,
sentence-transformers', and one by hand, text by text, with transformers and numpy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import transformers
from msgspec.structs import replace
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from ragsvc.embedding import open_embedder
from ragsvc.model_catalogue import EmbeddingCard, find_embedding_model
from ragsvc.protocols import FloatArray

TEXTS = [
    "当事人一方不履行合同义务的，应当承担违约责任。",
    "What is the standard treatment of hypertension? It depends; ask your doctor.",
    "公司2023年净利润同比增长12.5%。",
    "第五百七十七条",
    "a",
]
LONG = "当事人应当按照约定履行义务。The lease ends after thirty days. " * 30
LIMIT = 48
"""Tokens that the tiny models read."""
SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": LIMIT,
}


# --- tokenizers, each of the kind that its architecture has ---


def word_pieces() -> PreTrainedTokenizerFast:
    """BERT's: one Han character is one token, Latin words are cut into pieces, [CLS] … [SEP]."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=220, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([*TEXTS, LONG], trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    named = dict(zip(("pad", "unk", "cls", "sep", "mask"), special, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **{f"{key}_token": word for key, word in named.items()})


def sentence_pieces() -> PreTrainedTokenizerFast:
    """XLM-RoBERTa's and MPNet's kind: pieces of sentences, <s> … </s>, the padding token is number 1."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator([*TEXTS, LONG], trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    named = dict(zip(("bos", "pad", "eos", "unk", "mask"), special, strict=True)) | {"cls": "<s>", "sep": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **{f"{key}_token": word for key, word in named.items()})


def byte_pieces(*, ends: bool) -> PreTrainedTokenizerFast:
    """Qwen's: bytes, padded on the left, with the end of the text as its last token; or RoBERTa's without that."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<|endoftext|>", "</s>"]
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*TEXTS, LONG], trainer)
    if ends:
        end = "<|endoftext|>"
        tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {end}", special_tokens=[(end, 1)])
        return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=end, eos_token=end, padding_side="left")
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<|endoftext|>", bos_token="<s>")


# --- models ---


class Architecture(NamedTuple):
    """A tiny model of one architecture and the listed model whose facts it is opened with."""

    listed: str
    tokenizer: Callable[[], PreTrainedTokenizerFast]
    model: str
    """Class in transformers; its configuration is called the same with Config for Model."""
    settings: dict[str, Any]


OFFSET = {"max_position_embeddings": LIMIT + 2, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
"""Positions are counted from the padding token's number on: two more are needed for the same length."""
ARCHITECTURES = {
    "BERT, first token (bge)": Architecture("bge-base-zh-v1.5", word_pieces, "BertModel", {}),
    "BERT, mean (Text2Vec)": Architecture("text2vec-base-chinese", word_pieces, "BertModel", {}),
    "BERT, mean (MiniLM)": Architecture("all-minilm-l6-v2", word_pieces, "BertModel", {"hidden_size": 24}),
    "RoBERTa, mean": Architecture("text2vec-large-chinese", lambda: byte_pieces(ends=False), "RobertaModel", OFFSET),
    "XLM-RoBERTa, mean (e5)": Architecture("multilingual-e5-base", sentence_pieces, "XLMRobertaModel", OFFSET),
    "XLM-RoBERTa, first token (bge-m3)": Architecture("bge-m3", sentence_pieces, "XLMRobertaModel", OFFSET),
    "MPNet, mean": Architecture("all-mpnet-base-v2", sentence_pieces, "MPNetModel", OFFSET),
    "ModernBERT, mean": Architecture(
        "modernbert-embed-base",
        word_pieces,
        "ModernBertModel",
        {"num_hidden_layers": 3, "global_attn_every_n_layers": 2, "local_attention": 8, "pad_token_id": 0},
    ),
    "Qwen3, last token": Architecture(
        "qwen3-embedding-0.6b",
        lambda: byte_pieces(ends=True),
        "Qwen3Model",
        {"num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 256},
    ),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the directory of an architecture's tiny model, as transformers saves it."""
    root = tmp_path_factory.mktemp("architectures")

    def folder(name: str) -> Path:
        path = root / str(list(ARCHITECTURES).index(name))
        if not path.exists():
            architecture = ARCHITECTURES[name]
            tokenizer = architecture.tokenizer()
            config = getattr(transformers, architecture.model.replace("Model", "Config"))
            torch.manual_seed(0)
            model = getattr(transformers, architecture.model)(
                config(**SIZES | {"vocab_size": len(tokenizer)} | architecture.settings)
            )
            with torch.no_grad():
                for parameter in model.parameters():  # as they come all texts are alike, biases are 0 and norms are 1
                    parameter.add_(torch.randn_like(parameter) * (0.5 if parameter.dim() > 1 else 0.05))
            model.eval().save_pretrained(path)
            tokenizer.save_pretrained(path)
        return path

    return folder


def entry(card: EmbeddingCard, model: Path, folder: Path) -> Path:
    """Write a catalogue file that lists ``model`` with the facts of ``card``."""
    file = folder / "own.toml"
    prefixes = f"query_prefix = {card.query_prefix!r}\npassage_prefix = {card.passage_prefix!r}".replace("'", '"')
    file.write_text(
        f'[[vendor]]\nvendor = "own"\nkind = "local"\nfamily = "transformers"\n[[vendor.models]]\nname = "tiny"\n'
        f'model = "{model}"\npooling = "{card.pooling}"\nmax_tokens = {card.max_tokens}\n{prefixes}\n',
        "utf-8",
    )
    return file


def by_hand(folder: Path, card: EmbeddingCard, texts: list[str], prefix: str) -> FloatArray:
    """Run each text by itself, so without padding, and pool and normalise with numpy."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    vectors = []
    for text in texts:
        tokens = tokenizer(prefix + text, truncation=True, max_length=card.max_tokens, return_tensors="pt")
        tokens.pop("token_type_ids", None)
        with torch.no_grad():
            states = model(**tokens).last_hidden_state[0].numpy().astype(np.float64)
        pooled = {"mean": states.mean(axis=0), "cls": states[0], "last_token": states[-1]}[card.pooling]
        vectors.append(pooled / np.linalg.norm(pooled))
    return np.array(vectors, np.float32)


def by_sentence_transformers(folder: Path, card: EmbeddingCard, texts: list[str], prefix: str) -> FloatArray:
    """Run all texts in one batch through sentence-transformers' own modules."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    transformer = Transformer(str(folder), max_seq_length=card.max_tokens)
    pooling = Pooling(transformer.get_embedding_dimension(), pooling_mode=card.pooling.replace("_", ""))
    return SentenceTransformer(modules=[transformer, pooling, Normalize()]).encode(texts, prompt=prefix)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_three_computations_agree(name: str, folders: Callable[[str], Path], tmp_path: Path) -> None:
    """Questions with their prefix and passages with theirs, short and cut: ours, theirs and by hand are the same."""
    folder = folders(name)
    card = replace(find_embedding_model(ARCHITECTURES[name].listed), max_tokens=LIMIT)
    embedder = open_embedder("tiny", extra_files=[entry(card, folder, tmp_path)])
    texts = [*TEXTS, LONG]
    for embed, prefix in ((embedder.embed_queries, card.query_prefix), (embedder.embed_passages, card.passage_prefix)):
        found = embed(texts)
        np.testing.assert_allclose(found, by_hand(folder, card, texts, prefix), atol=1e-5)
        np.testing.assert_allclose(found, by_sentence_transformers(folder, card, texts, prefix), atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    spread = embedder.embed_passages(TEXTS) @ embedder.embed_passages(TEXTS).T
    assert spread[~np.eye(len(TEXTS), dtype=bool)].max() < 0.999, "the tiny model does not tell the texts apart"


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_windows_are_read_to_their_last_token(name: str, folders: Callable[[str], Path], tmp_path: Path) -> None:
    """Pieces join to the text, fit the model with prefix, context and special tokens, and nothing of them is cut."""
    folder = folders(name)
    card = replace(find_embedding_model(ARCHITECTURES[name].listed), max_tokens=LIMIT)
    embedder = open_embedder("tiny", extra_files=[entry(card, folder, tmp_path)])
    pieces = embedder.windows(LONG)
    assert len(pieces) > 5
    assert "".join(pieces) == LONG
    pieces += embedder.windows(LONG, "民法典 合同")
    unlimited = replace(card, max_tokens=10_000)
    np.testing.assert_allclose(
        embedder.embed_passages(pieces), by_hand(folder, unlimited, pieces, card.passage_prefix), atol=1e-5
    )


def test_the_facts_of_an_entry_matter(folders: Callable[[str], Path], tmp_path: Path) -> None:
    """With another pooling or without the prefix the same weights give other vectors, under another id."""
    folder = folders("XLM-RoBERTa, mean (e5)")
    right = replace(find_embedding_model("multilingual-e5-base"), max_tokens=LIMIT)
    embedder = open_embedder("tiny", extra_files=[entry(right, folder, tmp_path)])
    for wrong in (replace(right, pooling="cls"), replace(right, query_prefix="passage: ")):
        other = open_embedder("tiny", extra_files=[entry(wrong, folder, tmp_path)])
        assert not np.allclose(embedder.embed_queries(TEXTS), other.embed_queries(TEXTS), atol=1e-2)
        assert embedder.embedder_id != other.embedder_id


def test_an_entry_that_repeats_what_the_model_states_changes_nothing(
    folders: Callable[[str], Path], tmp_path: Path
) -> None:
    """Pooling that the model has anyway leaves vectors and id alone: an index stays valid when the fact is listed."""
    folder = folders("BERT, mean (Text2Vec)")
    card = EmbeddingCard(
        name="x", vendor="", kind="local", family="transformers", model=str(folder), pooling="mean", max_tokens=LIMIT
    )
    listed = open_embedder("tiny", extra_files=[entry(card, folder, tmp_path)])
    plain = open_embedder(folder)
    np.testing.assert_array_equal(listed.embed_passages(TEXTS), plain.embed_passages(TEXTS))
    assert listed.embedder_id == plain.embedder_id


def test_a_model_of_several_modules_is_run_whole(folders: Callable[[str], Path], tmp_path: Path) -> None:
    """EmbeddingGemma's form: bidirectional Gemma, mean, two dense layers, unit length, with prompts of its own."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

    tokenizer = byte_pieces(ends=True)
    config = transformers.Gemma3TextConfig(
        **SIZES | {"vocab_size": len(tokenizer), "num_key_value_heads": 1, "head_dim": 8, "pad_token_id": 1},
        use_bidirectional_attention=True,
        sliding_window=16,
        layer_types=["sliding_attention", "full_attention"],
    )
    torch.manual_seed(0)
    transformers.Gemma3TextModel(config).eval().save_pretrained(tmp_path / "gemma")
    tokenizer.save_pretrained(tmp_path / "gemma")
    listed = find_embedding_model("embeddinggemma-300m")
    dense = [
        Dense(32, 64, bias=False, activation_function=torch.nn.Identity()),
        Dense(64, 32, bias=False, activation_function=torch.nn.Identity()),
    ]
    model = SentenceTransformer(
        modules=[Transformer(str(tmp_path / "gemma"), max_seq_length=LIMIT), Pooling(32), *dense, Normalize()],
        prompts={"query": listed.query_prefix, "document": listed.passage_prefix},
    )
    model.save(str(tmp_path / "whole"))
    embedder = open_embedder(tmp_path / "whole")
    card = EmbeddingCard(
        name="x", vendor="", kind="local", family="transformers", pooling="mean", max_tokens=LIMIT, dim=32
    )
    pooled = by_hand(tmp_path / "gemma", card, TEXTS, listed.query_prefix)
    first, second = (layer.linear.weight.detach().numpy() for layer in dense)
    expected = pooled @ first.T @ second.T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(embedder.embed_queries(TEXTS), expected, atol=1e-5)
    np.testing.assert_allclose(
        embedder.embed_passages(TEXTS), model.encode(TEXTS, prompt=listed.passage_prefix), atol=1e-5
    )
