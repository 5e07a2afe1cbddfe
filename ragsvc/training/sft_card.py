"""What is written beside a fine-tuned model: training.json, models.toml, a plot of both losses, a model card."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from ragsvc.embedding.training_record import FILE_NAME
from ragsvc.training.card import PLOT
from ragsvc.training.runs import StageReport
from ragsvc.training.sft_config import SftConfig

MODELS = "models.toml"


class SftData(msgspec.Struct, frozen=True, kw_only=True):
    """How many dialogues and tokens there were."""

    learnt: int
    held_out: int
    too_long: int
    """Left out of what is learnt; none was cut."""
    held_out_too_long: int
    tokens: int
    answer_tokens: int
    """Those that the loss counts."""


class SftRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known about a fine-tuning that ended."""

    name: str
    recipe: SftConfig
    template: str
    """Literal template of the dialogues; empty = the tokenizer's own."""
    context_tokens: int | None
    data: SftData
    stage: StageReport
    held_out_before: float | None
    held_out_after: float | None
    held_out_losses: tuple[tuple[int, float], ...]
    """(step, mean loss of the held-out dialogues)."""


def write_sft_card(folder: Path, record: SftRecord) -> None:
    """Write the four files."""
    (folder / FILE_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2))
    (folder / MODELS).write_text(_models(folder, record), "utf-8")
    _plot(folder / PLOT, record)
    (folder / "README.md").write_text(_markdown(record), "utf-8")


def _models(folder: Path, record: SftRecord) -> str:
    """Return the catalogue entry that serves the model; JSON's strings are TOML's."""
    is_adapter = record.recipe.method == "lora"
    fields: dict[str, object] = {
        "name": record.name,
        "model": record.recipe.base if is_adapter else str(folder.absolute()),
        "adapter": str(folder.absolute()) if is_adapter else "",
        "template": record.template,
        "domain": "law",
        "context_tokens": record.context_tokens,
        "licence": record.recipe.base_licence,
    }
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items() if value]
    head = '[[vendor]]\nvendor = "fine-tuned here"\nkind = "local"\nfamily = "transformers"\n\n[[vendor.models]]'
    return "\n".join([head, *lines, ""])


def _plot(path: Path, record: SftRecord) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel="step", ylabel="loss of answers", title=record.name)
    axes.plot(*zip(*record.stage.losses, strict=True), linewidth=1.2, label="learnt")
    if record.held_out_losses:
        axes.plot(*zip(*record.held_out_losses, strict=True), marker="o", linewidth=1.2, label="held out")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def _markdown(record: SftRecord) -> str:
    recipe, data, stage = record.recipe, record.data, record.stage
    files = "\n".join(
        f"| {file.path} | {'held out' if file.held_out else 'learnt'} | {file.licence} |" for file in recipe.dialogues
    )
    how = "a LoRA adapter" if recipe.method == "lora" else "all weights"
    losses = (
        f"{record.held_out_before:.3f} before, {record.held_out_after:.3f} after"
        if record.held_out_before is not None and record.held_out_after is not None
        else "not measured: no dialogue was held out"
    )
    return f"""---
base_model: {recipe.base}
pipeline_tag: text-generation
---
# {record.name}

`{recipe.base}` (licence: {recipe.base_licence}), fine-tuned by `ragsvc train sft` ({how}) on questions with retrieved
articles of which some do not belong, as Lawyer LLaMA was (arXiv 2305.15062). `{MODELS}` serves it; its strategy is
`lawyer_llama`. Its answers are no legal advice.

## Data
| file | use | licence |
| --- | --- | --- |
{files}

{data.learnt:,} dialogues learnt ({data.tokens:,} tokens, {data.answer_tokens:,} of answers, which alone count),
{data.held_out:,} held out. Longer than {recipe.max_tokens:,} tokens and left out: {data.too_long:,} and
{data.held_out_too_long:,}; none was cut.

## Recipe
{stage.steps:,} steps of {stage.batch_size}, learning rate {stage.learning_rate:g}, seed {recipe.seed},
{stage.seconds:,.0f} s. Every setting is in `{FILE_NAME}`.

![Loss over the steps]({PLOT})

## Losses
Learnt: {stage.final_loss:.3f} at the end. Held out: {losses}.
"""
