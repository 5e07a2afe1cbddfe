"""Trains an encoder for retrieval, stage by stage: seeded, resumable, with a card beside the weights."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ragsvc.training.bases import (
    base_folder,
    encoding_of,
    open_base,
    open_checkpoint,
    roberta_folder,
    static_module,
    with_pooling,
)
from ragsvc.training.batches import EncodedTexts, PlannedBatches
from ragsvc.training.card import DataSet, TrainingRecord, described, read_base_data, write_card
from ragsvc.training.config import RetrieverConfig, Stage, read_config
from ragsvc.training.pairs import Negative, Pair, read_pairs, read_texts
from ragsvc.training.runs import StageFolder, begin_stage, open_run
from ragsvc.training.scores import measure_encoder
from ragsvc.training.stages import CLASSES, HEAD, average_runs, train_masked_language, train_on_pairs


def train_retriever(config: Path, output: Path, *, data: Path | None = None, resume: bool = False) -> Path:
    """Train an encoder and write it to ``output``, which ``open_embedder`` then opens.

    The same config, data and seed give the same weights on the same machine, broken off or not.

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
    read = {file.title for stage in recipe.stages if _is_on_pairs(stage) for file in recipe.files(stage)}
    pairs = {file.title: read_pairs(file, root, recipe.seed) for file in recipe.pairs if file.title in read}
    kept = open_run(output, recipe, resume=resume)
    places = [StageFolder(kept / f"stage-{at}") for at in range(len(recipe.stages))]
    tokenised: EncodedTexts | None = None
    for at, (stage, place) in enumerate(zip(recipe.stages, places, strict=True)):
        if place.done.is_dir():
            continue
        begin_stage(recipe.seed)
        if not _is_on_pairs(stage):
            _pretrain(recipe, root, stage, place)
            continue
        runs = [place] if stage.runs == 1 else [StageFolder(place.folder / f"run-{n}") for n in range(stage.runs)]
        for number, run in enumerate(runs):
            if run.done.is_dir():
                continue
            model, texts = _begin(recipe, root, pairs, places, at)
            tokenised = tokenised or texts
            ready = _prefixed(pairs, model.prompts)
            batches = PlannedBatches(stage, recipe.files(stage), ready, tokenised, recipe.seed + number)
            train_on_pairs(recipe, stage, model, batches, run)
        if stage.runs > 1:
            average_runs(runs, place)
    model = _open_stage(recipe, places, len(places) - 1)
    _save(model, recipe, places[-1].done, output)
    reports = tuple(place.report() for place in places)
    record = TrainingRecord(
        name=recipe.name,
        data=(*read_base_data(base_folder(recipe.base)), *_described(recipe, root, pairs)),
        recipe=recipe,
        dim=int(model.get_embedding_dimension()),
        steps=reports[-1].steps,
        seconds=reports[-1].seconds,
        resumed_at_step=reports[-1].resumed_at_step,
        final_loss=reports[-1].final_loss,
        stages=reports,
        scores=measure_encoder(output, recipe.evaluate, root),
    )
    write_card(output, record)
    shutil.rmtree(kept)
    return output


def _is_on_pairs(stage: Stage) -> bool:
    return stage.objective != "masked_language"


def _pretrain(recipe: RetrieverConfig, root: Path, stage: Stage, place: StageFolder) -> None:
    is_new = recipe.base == "roberta"
    source = roberta_folder(recipe, root, place.folder.parent) if is_new else base_folder(recipe.base) or recipe.base
    texts = dict.fromkeys(text for file in recipe.files(stage) for text in read_texts(file, root))
    train_masked_language(recipe, stage, str(source).removeprefix("hf:"), list(texts), place)


def _begin(
    recipe: RetrieverConfig, root: Path, pairs: Mapping[str, Sequence[Pair]], places: Sequence[StageFolder], at: int
) -> tuple[Any, EncodedTexts]:
    """Return the encoder that stage ``at`` begins with, and the texts that making it has tokenised."""
    if at:
        model = _open_stage(recipe, places, at - 1)
        texts = EncodedTexts(encoding_of(model))
    else:
        model, texts = open_base(recipe, root, pairs, places[0].folder.parent)
    for name, prefix in (("query", recipe.query_prefix), ("document", recipe.passage_prefix)):
        if prefix is not None:
            model.prompts[name] = prefix
    return model, texts


def _open_stage(recipe: RetrieverConfig, places: Sequence[StageFolder], at: int) -> Any:
    """Return the encoder that a stage left."""
    is_encoder = _is_on_pairs(recipe.stages[at])
    return open_checkpoint(str(places[at].done)) if is_encoder else with_pooling(places[at].done)


def _prefixed(pairs: Mapping[str, Sequence[Pair]], prompts: Mapping[str, str]) -> Mapping[str, Sequence[Pair]]:
    """Return the pairs as the model is to read them."""
    query, passage = prompts.get("query") or "", prompts.get("document") or prompts.get("passage") or ""
    if not query and not passage:
        return pairs
    return {
        title: [
            pair._replace(
                query=query + pair.query,
                passage=passage + pair.passage,
                negatives=tuple(Negative(passage + other.passage, other.key) for other in pair.negatives),
            )
            for pair in found
        ]
        for title, found in pairs.items()
    }


def _described(recipe: RetrieverConfig, root: Path, pairs: Mapping[str, Sequence[Pair]]) -> list[DataSet]:
    return [described(file, len(pairs.get(file.title) or read_texts(file, root))) for file in recipe.pairs]


def _save(model: Any, recipe: RetrieverConfig, done: Path, output: Path) -> None:
    if static_module(model) is not None:
        model.half()
    model.save(str(output), model_name=recipe.name, create_model_card=False)
    for name in (HEAD, CLASSES):
        if (done / name).is_file():
            shutil.copyfile(done / name, output / name)
