"""One stage of a training: sentence-transformers' trainer over planned batches, transformers' for masked language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ragsvc.training.bases import open_checkpoint, static_module
from ragsvc.training.batches import PlannedBatches
from ragsvc.training.config import RetrieverConfig, Stage
from ragsvc.training.losses import make_loss
from ragsvc.training.progress import progress_callback
from ragsvc.training.roberta import TokenBlocks
from ragsvc.training.runs import StageFolder, run_trainer, trainer_settings

HEAD = "classes.safetensors"
CLASSES = "classes.json"
"""Beside the weights of a ``multilabel`` stage: linear layer and labels of the article classifier."""
_NO_LABEL = -100
"""Of a token that is not to be guessed, in transformers and torch."""


def train_on_pairs(
    recipe: RetrieverConfig, stage: Stage, model: Any, batches: PlannedBatches, place: StageFolder
) -> None:
    """Train ``model`` on pairs and write it into the stage's folder, where a broken-off stage goes on."""
    trainer = _planned_trainer(recipe, stage, model, batches, place.folder)
    report = run_trainer(trainer, place, stage)

    def save(folder: Path) -> None:
        model.save(str(folder), create_model_card=False)
        if batches.classes:
            trainer.save_head(folder)
            (folder / CLASSES).write_bytes(msgspec.json.encode(batches.classes))

    place.finish(save, report)


def average_runs(runs: Sequence[StageFolder], place: StageFolder) -> None:
    """Write the mean of the weights of several runs of a stage into the stage's folder."""
    models = [open_checkpoint(str(run.done)) for run in runs]
    weights = [model.state_dict() for model in models]
    for name, weight in weights[0].items():
        if weight.is_floating_point():
            weight.copy_(sum(other[name] for other in weights) / len(weights))
    reports = [run.report() for run in runs]
    report = msgspec.structs.replace(
        reports[0],
        name=f"{reports[0].name}, mean of {len(reports)} runs",
        seconds=sum(report.seconds for report in reports),
        final_loss=sum(report.final_loss for report in reports) / len(reports),
    )
    place.finish(lambda folder: models[0].save(str(folder), create_model_card=False), report)


def _planned_trainer(recipe: RetrieverConfig, stage: Stage, model: Any, batches: PlannedBatches, folder: Path) -> Any:
    from safetensors.torch import load_file, save_file
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from torch.utils.data import DataLoader

    class PlannedTrainer(SentenceTransformerTrainer):
        """Takes whole batches as they are planned, and keeps the loss's own weights in its checkpoints."""

        def get_train_dataloader(self) -> Any:
            # A row of this loader is a batch, so that the rows which a resumed training skips are never made.
            rows_are_batches: Any = batches
            loader: Any = DataLoader(rows_are_batches, batch_size=1, shuffle=False, collate_fn=lambda rows: rows[0])
            return self.accelerator.prepare(loader)

        def save_head(self, folder: str | Path) -> None:
            weights = loss.state_dict().items()
            head = {name: weight for name, weight in weights if name.startswith("head.")}
            if head:
                save_file(head, Path(folder) / HEAD)

        def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
            super()._save(output_dir, state_dict)
            self.save_head(str(output_dir or self.args.output_dir))

        def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
            super()._load_from_checkpoint(resume_from_checkpoint)
            if (head := Path(resume_from_checkpoint) / HEAD).is_file():
                loss.load_state_dict(load_file(head), strict=False)

    loss = make_loss(model, stage, len(batches.classes))
    arguments = SentenceTransformerTrainingArguments(
        **trainer_settings(folder, stage, recipe, batches.steps),
        max_grad_norm=0.0 if static_module(model) is not None else 1.0,
    )
    return PlannedTrainer(
        model=model,
        args=arguments,
        loss=loss,
        callbacks=[progress_callback()],
    )


def masked_language_loss(model: Any, inputs: Mapping[str, Any]) -> Any:
    """Return what ``model(**inputs).loss`` is, without scoring the vocabulary where nothing is to be guessed.

    Those places are 85 of 100, and the vocabulary takes more time than the layers of a small model.

    Args:
        model: a RobertaForMaskedLM or alike: layers, then ``lm_head``.
        inputs: ``input_ids``, ``attention_mask`` and ``labels`` of shape (rows, tokens).
    """
    from torch.nn.functional import cross_entropy

    labels = inputs["labels"]
    is_masked = labels != _NO_LABEL
    read = {name: tensor for name, tensor in inputs.items() if name != "labels"}
    hidden = model.base_model(**read).last_hidden_state[is_masked]
    return cross_entropy(model.lm_head(hidden).float(), labels[is_masked])


def train_masked_language(
    recipe: RetrieverConfig, stage: Stage, source: str, texts: Sequence[str], place: StageFolder
) -> None:
    """Go on with the masked-language training of a transformers checkpoint: tokens to guess are new each time.

    Args:
        recipe: its seed and precision.
        stage: steps, share of masked tokens, tokens of a row.
        source: directory, or ORG/NAME on the hub.
        texts: what is read.
        place: where the model is written, and where a broken-off stage goes on.
    """
    from transformers import (
        AutoModelForMaskedLM,
        AutoTokenizer,
        DataCollatorForLanguageModeling,
        Trainer,
        TrainingArguments,
    )

    tokenizer = AutoTokenizer.from_pretrained(source)
    model = AutoModelForMaskedLM.from_pretrained(source).float()
    limit = min(tokenizer.model_max_length, model.config.max_position_embeddings - 2)
    blocks: Any = TokenBlocks(texts, tokenizer, min(limit, stage.max_tokens or limit))
    steps = stage.steps or max(1, -(-round(stage.epochs * len(blocks)) // stage.batch_size))

    class MaskedTrainer(Trainer):
        """As transformers' trainer, but for RoBERTa and its kin the vocabulary is scored at the masked places only."""

        def compute_loss(self, model: Any, inputs: Any, *args: Any, **options: Any) -> Any:
            inner = self.accelerator.unwrap_model(model)
            if hasattr(inner, "lm_head"):
                return masked_language_loss(inner, inputs)
            return super().compute_loss(model, inputs, *args, **options)

    trainer = MaskedTrainer(
        model=model,
        args=TrainingArguments(**trainer_settings(place.folder, stage, recipe, steps), weight_decay=0.01),
        train_dataset=blocks,
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm_probability=stage.masked_share),
        callbacks=[progress_callback()],
    )
    report = run_trainer(trainer, place, stage)

    def save(folder: Path) -> None:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    place.finish(save, report)
