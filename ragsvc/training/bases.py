"""What a training starts from: a static table, a RoBERTa of one's own, or any checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ragsvc.embedding import shipped_embedders
from ragsvc.errors import InvalidInput
from ragsvc.training.batches import EncodedTexts, Encoding
from ragsvc.training.config import RerankerConfig, RetrieverConfig
from ragsvc.training.pairs import Pair, read_texts
from ragsvc.training.roberta import new_roberta

_MODELSCOPE = "modelscope:"
UNKNOWN = "[UNK]"


def open_base(
    recipe: RetrieverConfig, root: Path, pairs: Mapping[str, Sequence[Pair]], kept: Path
) -> tuple[Any, EncodedTexts]:
    """Return the SentenceTransformer to start from, and what it has read so far.

    Args:
        recipe: its ``base``, ``static`` and ``roberta`` say what it is.
        root: folder of the data.
        pairs: of all files; a new static table's vocabulary and first vectors come from them.
        kept: folder where a new base is kept, so that a broken-off training goes on with the same.

    Raises:
        InvalidInput: the base or a given tokenizer cannot be read.
    """
    if recipe.base == "static" and not (kept / "static").is_dir():
        return _new_static(recipe, root, pairs, kept / "static")
    if recipe.base == "roberta":
        model = with_pooling(roberta_folder(recipe, root, kept))
    else:
        folder = kept / "static" if recipe.base == "static" else base_folder(recipe.base)
        model = open_checkpoint(str(folder or recipe.base))
        model.float()  # half precision is for storing
    return model, EncodedTexts(encoding_of(model))


def open_checkpoint(name: str) -> Any:
    """Return the SentenceTransformer of a directory or of ORG/NAME on the hub.

    Raises:
        InvalidInput: it cannot be loaded.
    """
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(name.removeprefix("hf:"), trust_remote_code=False)
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        raise InvalidInput(
            f"The base {name!r} cannot be loaded: {said} Name 'static', 'roberta', a model directory, hf:ORG/NAME or "
            "modelscope:ORG/NAME."
        ) from error


def base_folder(base: str) -> Path | None:
    """Return the directory that a base means, downloading it from ModelScope if it is there; None = none yet.

    Raises:
        InvalidInput: ModelScope's package is not installed, or has no such model.
    """
    if not base.startswith(_MODELSCOPE):
        folder = shipped_embedders().get(base, Path(base).expanduser())
        return folder if folder.is_dir() else None
    try:
        from modelscope import snapshot_download  # type: ignore[import-not-found]
    except ImportError as error:
        raise InvalidInput(f"The base {base!r} needs ModelScope's package: pip install modelscope.") from error
    try:
        return Path(snapshot_download(base.removeprefix(_MODELSCOPE)))
    except Exception as error:
        raise InvalidInput(f"ModelScope does not give {base!r}: {' '.join(str(error).split())[:300]}") from error


def roberta_folder(recipe: RetrieverConfig | RerankerConfig, root: Path, kept: Path) -> Path:
    """Return the directory of the new RoBERTa, made of all the texts of the files if it is not there yet."""
    folder = kept / "roberta"
    if not (folder / "config.json").is_file():
        texts = dict.fromkeys(text for file in recipe.pairs for text in read_texts(file, root))
        new_roberta(list(texts), recipe.roberta, recipe.seed, folder)
    return folder


def with_pooling(folder: Path) -> Any:
    """Return a transformers directory as an encoder: the mean of its tokens' vectors, at unit length."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    reader = Transformer(str(folder))
    return SentenceTransformer(modules=[reader, Pooling(reader.get_embedding_dimension(), "mean"), Normalize()])


def static_module(model: Any) -> Any:
    """Return the token table of a static encoder, None of any other."""
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    return model[0] if isinstance(model[0], StaticEmbedding) else None


def encoding_of(model: Any) -> Encoding:
    """Return how the model reads.

    Raises:
        InvalidInput: it does not read texts by a tokenizer of transformers.
    """
    if (static := static_module(model)) is not None:
        return _static_encoding(static.tokenizer)
    tokenizer = getattr(model, "tokenizer", None)
    if not callable(tokenizer) or getattr(tokenizer, "pad_token_id", None) is None:
        raise InvalidInput(f"This base reads by {type(tokenizer).__name__}, not by a tokenizer of transformers.")
    limit = model.max_seq_length

    def encode(texts: list[str]) -> list[list[int]]:
        found: list[list[int]] = tokenizer(texts, truncation=limit is not None, max_length=limit)["input_ids"]
        return found

    return Encoding(encode, int(tokenizer.pad_token_id))


def _static_encoding(tokenizer: Any) -> Encoding:
    def encode(texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    return Encoding(encode, None, tokenizer.token_to_id(UNKNOWN))


def _new_static(
    recipe: RetrieverConfig, root: Path, pairs: Mapping[str, Sequence[Pair]], kept: Path
) -> tuple[Any, EncodedTexts]:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    from ragsvc.training.first_vectors import first_vectors

    tokenizer = _tokenizer(recipe, root, pairs)
    texts = EncodedTexts(_static_encoding(tokenizer))
    groups = [
        (
            np.array([texts.number(pair.query) for pair in pairs[file.title]], np.int64),
            np.array([texts.number(pair.passage) for pair in pairs[file.title]], np.int64),
            file.lsa_weight,
        )
        for file in recipe.pairs
        if file.title in pairs
    ]
    texts.tokenise()
    tokens = [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]
    table = first_vectors(tokens, texts, groups, recipe.static, recipe.seed)
    unknown = tokenizer.token_to_id(UNKNOWN)
    if unknown is not None:
        table[unknown] = 0  # says nothing, so it must pull no text anywhere
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=table), Normalize()])
    unfinished = kept.with_suffix(".part")
    model.save(str(unfinished), create_model_card=False)
    unfinished.rename(kept)
    return model, texts


def _tokenizer(recipe: RetrieverConfig, root: Path, pairs: Mapping[str, Sequence[Pair]]) -> Any:
    """Return the tokenizer of a static table: given, or made of the texts."""
    from tokenizers import Tokenizer

    if recipe.static.tokenizer:
        given = root / recipe.static.tokenizer
        try:
            return Tokenizer.from_file(str(given))
        except Exception as error:
            raise InvalidInput(f"{given.absolute()} cannot be read as a tokenizer.json: {error}") from error
    from ragsvc.training.vocabulary import train_tokenizer

    groups = [
        (sorted({text for pair in pairs[file.title] for text in (pair.query, pair.passage)}), file.tokenizer_weight)
        for file in recipe.pairs
        if file.title in pairs and file.tokenizer_weight
    ]
    return train_tokenizer(groups, han_bigrams=recipe.static.han_bigrams, latin_pieces=recipe.static.latin_pieces)
