"""Trains an encoder for retrieval on pairs, with sentence-transformers' trainer: seeded, resumable, with a card."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ragsvc.embedding import shipped_embedders
from ragsvc.errors import Conflict, InvalidInput
from ragsvc.training.card import DataSet, TrainingRecord, read_base_data, write_card
from ragsvc.training.config import PairFile, RetrieverConfig, StaticBase, read_config
from ragsvc.training.pairs import Pair, read_pairs

_CHECKPOINTS = "checkpoints"
_TOKENIZER = "tokenizer.json"


def train_retriever(config: Path, output: Path, *, data: Path | None = None, resume: bool = False) -> Path:
    """Train an encoder and write it to ``output``, which ``open_embedder`` then opens.

    Args:
        config: a TOML file, see ``config.py``.
        output: a new or empty folder; with ``resume``, that of a training that was broken off.
        data: folder that the paths in the config count from.
        resume: go on from the last checkpoint; from the beginning if there is none yet.

    Raises:
        InvalidInput: the config, a file or a column is not what it must be.
        Conflict: the folder holds something else than a broken-off training of this config.
    """
    recipe = read_config(config)
    root = data or config.parent / recipe.data
    pairs = {file.title: read_pairs(file, root, recipe.seed) for file in recipe.pairs}
    checkpoint = _prepare(output, recipe, resume)
    model = _base(recipe, root, pairs, output / _CHECKPOINTS / _TOKENIZER)
    started = time.monotonic()
    trainer = _trainer(model, recipe, pairs, output / _CHECKPOINTS)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    losses = [(int(log["step"]), float(log["loss"])) for log in trainer.state.log_history if "loss" in log]
    record = TrainingRecord(
        name=recipe.name,
        data=(*read_base_data(_base_folder(recipe)), *(_described(file, pairs[file.title]) for file in recipe.pairs)),
        recipe=recipe,
        dim=int(model.get_embedding_dimension()),
        steps=int(trainer.state.global_step),
        seconds=round(time.monotonic() - started, 1),
        resumed_at_step=int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0,
        final_loss=float(np.mean([loss for _, loss in losses[-max(1, len(losses) // 10) :]])),
    )
    _save(model, recipe, output)
    write_card(output, record, losses)
    shutil.rmtree(output / _CHECKPOINTS)
    return output


def _prepare(output: Path, recipe: RetrieverConfig, resume: bool) -> Path | None:
    """Make the folder, or check what is in it; return the checkpoint to go on from."""
    stated = output / _CHECKPOINTS / "recipe.json"
    wanted = msgspec.json.encode(recipe)
    if resume and stated.is_file():
        if stated.read_bytes() != wanted:
            raise Conflict(f"{output.absolute()} holds a training of another config: name another folder.")
    elif output.exists() and (not output.is_dir() or any(output.iterdir())):
        advice = "--resume goes on with it" if stated.is_file() else "name a new one"
        raise Conflict(f"{output.absolute()} is not empty: {advice}.")
    else:
        stated.parent.mkdir(parents=True, exist_ok=True)
        stated.write_bytes(wanted)
    whole = [path.parent for path in stated.parent.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _base_folder(recipe: RetrieverConfig) -> Path:
    return shipped_embedders().get(recipe.base, Path(recipe.base).expanduser())


def _base(recipe: RetrieverConfig, root: Path, pairs: Mapping[str, Sequence[Pair]], kept: Path) -> Any:
    """Return the model to start from, with the tokens it reads set for training."""
    from sentence_transformers import SentenceTransformer

    if recipe.base == "static":
        model = _static_model(recipe, _tokenizer(recipe, root, pairs, kept), pairs)
    else:
        folder = _base_folder(recipe)
        try:
            model = SentenceTransformer(str(folder) if folder.is_dir() else recipe.base, trust_remote_code=False)
        except Exception as error:
            said = " ".join(str(error).split())[:300]
            raise InvalidInput(
                f"The base {recipe.base!r} cannot be loaded: {said} Name 'static', a model directory or ORG/NAME."
            ) from error
        model.float()  # half precision is for storing
        if recipe.max_tokens and _static_module(model) is None:
            model.max_seq_length = recipe.max_tokens
    if recipe.max_tokens and (static := _static_module(model)) is not None:
        static.tokenizer.enable_truncation(recipe.max_tokens)
    return model


def _tokenizer(recipe: RetrieverConfig, root: Path, pairs: Mapping[str, Sequence[Pair]], kept: Path) -> Any:
    """Return the tokenizer of a training: given, of the broken-off run, or made of the texts and kept for a resume."""
    from tokenizers import Tokenizer

    given = root / recipe.static.tokenizer if recipe.static.tokenizer else kept
    if recipe.static.tokenizer or kept.is_file():
        try:
            return Tokenizer.from_file(str(given))
        except Exception as error:
            raise InvalidInput(f"{given.absolute()} cannot be read as a tokenizer.json: {error}") from error
    from ragsvc.training.vocabulary import train_tokenizer

    groups = [
        (sorted({text for pair in pairs[file.title] for text in pair[:2]}), file.tokenizer_weight)
        for file in recipe.pairs
    ]
    made = train_tokenizer(groups, han_bigrams=recipe.static.han_bigrams, latin_pieces=recipe.static.latin_pieces)
    made.save(str(kept))
    return made


def _static_model(recipe: RetrieverConfig, tokenizer: Any, pairs: Mapping[str, Sequence[Pair]]) -> Any:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    torch.manual_seed(recipe.seed)
    table = torch.randn(tokenizer.get_vocab_size(), recipe.static.dim) / recipe.static.dim**0.5
    texts = [text for found in pairs.values() for pair in found for text in pair[:2]]
    table *= torch.from_numpy(_initial_norms(recipe.static, tokenizer, texts))[:, None]
    module = StaticEmbedding(tokenizer, embedding_weights=table)
    unknown = tokenizer.token_to_id("[UNK]")
    if unknown is not None:  # says nothing, so it must pull no text anywhere
        module.embedding.padding_idx = unknown
        with torch.no_grad():
            module.embedding.weight[unknown] = 0
    return SentenceTransformer(modules=[module, Normalize()])


def _initial_norms(static: StaticBase, tokenizer: Any, texts: Sequence[str]) -> Any:
    """Return one factor a token, float32: an eighth of BM25's inverse document frequency, or one."""
    size = tokenizer.get_vocab_size()
    if static.initial_norms == "equal":
        return np.ones(size, np.float32)
    frequency = np.zeros(size)
    for at in range(0, len(texts), 4096):
        for encoding in tokenizer.encode_batch_fast(list(texts[at : at + 4096]), add_special_tokens=False):
            frequency[np.unique(np.asarray(encoding.ids, np.intp))] += 1
    return (np.log1p((len(texts) - frequency + 0.5) / (frequency + 0.5)) / 8).astype(np.float32)


def _static_module(model: Any) -> Any:
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    return model[0] if isinstance(model[0], StaticEmbedding) else None


def _trainer(model: Any, recipe: RetrieverConfig, pairs: Mapping[str, Sequence[Pair]], folder: Path) -> Any:
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from transformers import PrinterCallback

    from ragsvc.training.progress import progress_callback

    chosen = _shares(recipe, pairs)
    steps = sum(-(-len(found) // recipe.batch_size) for found in chosen.values())
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        num_train_epochs=1,  # the shares hold all epochs
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        warmup_steps=round(recipe.warmup * steps),
        max_grad_norm=0.0 if _static_module(model) is not None else 1.0,
        batch_sampler="no_duplicates" if recipe.objective == "contrastive" else "batch_sampler",
        multi_dataset_batch_sampler="proportional",
        seed=recipe.seed,
        save_steps=recipe.checkpoint_steps,
        save_total_limit=2,
        logging_steps=max(1, steps // 200),
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    columns = ("query", "passage", "score") if recipe.objective == "cosent" else ("query", "passage")
    sets = {
        title: Dataset.from_dict({column: [getattr(pair, column) for pair in found] for column in columns})
        for title, found in chosen.items()
    }
    trainer = SentenceTransformerTrainer(
        model=model, args=arguments, train_dataset=sets, loss=_loss(model, recipe), callbacks=[progress_callback()]
    )
    trainer.remove_callback(PrinterCallback)  # prints on stdout, which belongs to --json
    return trainer


def _shares(recipe: RetrieverConfig, pairs: Mapping[str, Sequence[Pair]]) -> dict[str, list[Pair]]:
    """Return the pairs of the whole training: each file by its weight, repeated in new orders or sampled."""
    rng = random.Random(recipe.seed)
    total = recipe.epochs * sum(map(len, pairs.values()))
    weights = sum(file.weight for file in recipe.pairs)
    shares: dict[str, list[Pair]] = {}
    for file in recipe.pairs:
        found, wanted = pairs[file.title], max(1, round(total * file.weight / weights))
        rows: list[Pair] = []
        while len(rows) < wanted:
            rows += rng.sample(found, min(len(found), wanted - len(rows)))
        shares[file.title] = rows
    return shares


def _loss(model: Any, recipe: RetrieverConfig) -> Any:
    from sentence_transformers.sentence_transformer.losses import (
        CoSENTLoss,
        MatryoshkaLoss,
        MultipleNegativesRankingLoss,
    )

    loss: Any
    if recipe.objective == "cosent":
        loss = CoSENTLoss(model, scale=recipe.scale)
    elif recipe.symmetric:
        loss = MultipleNegativesRankingLoss(
            model,
            scale=recipe.scale,
            directions=("query_to_doc", "doc_to_query"),
            partition_mode="per_direction",
        )
    else:
        loss = MultipleNegativesRankingLoss(model, scale=recipe.scale)
    return MatryoshkaLoss(model, loss, list(recipe.matryoshka)) if recipe.matryoshka else loss


def _described(file: PairFile, pairs: Sequence[Pair]) -> DataSet:
    return DataSet(
        name=file.title,
        rows=len(pairs),
        language=file.language,
        domain=file.domain,
        licence=file.licence,
        weight=file.weight,
    )


def _save(model: Any, recipe: RetrieverConfig, output: Path) -> None:
    static = _static_module(model)
    if static is not None:
        static.tokenizer.no_truncation()  # training's limit is not the encoder's
        model.half()
    model.save(str(output), model_name=recipe.name, create_model_card=False)
