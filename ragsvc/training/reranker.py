"""Trains a cross-encoder that puts the first hits of a search into a better order."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ragsvc.errors import InvalidInput
from ragsvc.training.bases import base_folder, roberta_folder
from ragsvc.training.batches import share_out
from ragsvc.training.card import TrainingRecord, described, read_base_data, write_card
from ragsvc.training.config import RerankerConfig, read_reranker_config
from ragsvc.training.pairs import Pair, passage_key, read_pairs
from ragsvc.training.progress import progress_callback
from ragsvc.training.runs import StageFolder, begin_stage, open_run, run_trainer, trainer_settings
from ragsvc.training.scores import measure_reranker

Examples = dict[str, list[Any]]
"""Columns query, passage and label: 1.0 for a right passage, 0.0 for a wrong one."""


def train_reranker(config: Path, output: Path, *, data: Path | None = None, resume: bool = False) -> Path:
    """Train a cross-encoder and write it to ``output``, which ``CrossEncoderReranker`` then opens.

    Args:
        config: a TOML file, see ``RerankerConfig``.
        output: a new or empty folder; with ``resume``, that of a training that was broken off.
        data: folder that the paths in the config count from.
        resume: go on from the last checkpoint; from the beginning if there is none yet.

    Raises:
        InvalidInput: the config, a file or a column is not what it must be.
        Conflict: the folder holds something else than a broken-off training of this config.
    """
    recipe = read_reranker_config(config)
    root = data or config.parent / recipe.data
    pairs = {file.title: read_pairs(file, root, recipe.seed) for file in recipe.pairs}
    place = StageFolder(open_run(output, recipe, resume=resume) / "stage-0")
    if not place.done.is_dir():
        begin_stage(recipe.seed)
        _train(recipe, root, pairs, place)
    report = place.report()
    for path in place.done.iterdir():
        if path.name != place.report_name:
            shutil.copyfile(path, output / path.name)
    record = TrainingRecord(
        name=recipe.name,
        data=(*read_base_data(base_folder(recipe.base)), *(described(f, len(pairs[f.title])) for f in recipe.pairs)),
        recipe=recipe,
        dim=1,
        steps=report.steps,
        seconds=report.seconds,
        resumed_at_step=report.resumed_at_step,
        final_loss=report.final_loss,
        stages=(report,),
        scores=measure_reranker(output, recipe.evaluate, root),
    )
    write_card(output, record)
    shutil.rmtree(place.folder.parent)
    return output


def _train(recipe: RerankerConfig, root: Path, pairs: Mapping[str, Sequence[Pair]], place: StageFolder) -> None:
    from datasets import Dataset
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
    from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
    from torch import tensor

    examples = make_examples(recipe, pairs)
    steps = -(-len(examples["label"]) // recipe.batch_size)
    model = _base(recipe, root, place.folder.parent)
    trainer = CrossEncoderTrainer(
        model=model,
        args=CrossEncoderTrainingArguments(**trainer_settings(place.folder, recipe, recipe, steps)),
        train_dataset=Dataset.from_dict(examples),
        loss=BinaryCrossEntropyLoss(model, pos_weight=tensor(float(recipe.negatives))),
        callbacks=[progress_callback()],
    )
    report = run_trainer(trainer, place, recipe, objective="right or wrong")
    place.finish(lambda folder: model.save_pretrained(str(folder), create_model_card=False), report)


def _base(recipe: RerankerConfig, root: Path, kept: Path) -> Any:
    from sentence_transformers import CrossEncoder

    source = roberta_folder(recipe, root, kept) if recipe.base == "roberta" else base_folder(recipe.base) or recipe.base
    try:
        model = CrossEncoder(
            str(source).removeprefix("hf:"), num_labels=1, max_length=recipe.max_tokens, trust_remote_code=False
        )
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        raise InvalidInput(
            f"The base {recipe.base!r} cannot be loaded: {said} Name 'roberta', a transformers directory, hf:ORG/NAME "
            "or modelscope:ORG/NAME."
        ) from error
    return model.float()


def make_examples(recipe: RerankerConfig, pairs: Mapping[str, Sequence[Pair]]) -> Examples:
    """Return all examples of a training: each right pair with its wrong passages, files by their weight.

    Args:
        recipe: steps or epochs, weights, negatives, seed.
        pairs: of each file, by title.
    """
    rng = np.random.default_rng(recipe.seed)
    group = 1 + recipe.negatives
    sizes = [len(pairs[file.title]) for file in recipe.pairs]
    groups = recipe.steps * recipe.batch_size // group if recipe.steps else round(recipe.epochs * sum(sizes))
    right: dict[str, set[str]] = {}
    for found in pairs.values():
        for pair in found:
            right.setdefault(pair.query, set()).add(passage_key(pair.identity))
    examples: Examples = {"query": [], "passage": [], "label": []}
    shares = share_out([file.weight for file in recipe.pairs], sizes, max(1, groups), per_row=recipe.weights == "rows")
    for file, size, count in zip(recipe.pairs, sizes, shares, strict=True):
        order = [row for _ in range(-(-count // size)) for row in rng.permutation(size).tolist()][:count]
        for row in order:
            pair = pairs[file.title][row]
            wrong = _wrong(pairs[file.title], row, right[pair.query], recipe.negatives, rng)
            examples["query"] += [pair.query] * (1 + len(wrong))
            examples["passage"] += [pair.passage, *wrong]
            examples["label"] += [1.0, *[0.0] * len(wrong)]
    return examples


def _wrong(pairs: Sequence[Pair], row: int, right: set[str], count: int, rng: np.random.Generator) -> list[str]:
    """Return mined passages in a random order, then passages of other rows that are not known to be right."""
    mined = [other.passage for other in pairs[row].negatives if other.key not in right]
    wrong = [mined[at] for at in rng.permutation(len(mined))[:count]]
    others = rng.integers(len(pairs), size=4 * count)
    wrong += [pairs[at].passage for at in others if passage_key(pairs[at].identity) not in right][: count - len(wrong)]
    return wrong
