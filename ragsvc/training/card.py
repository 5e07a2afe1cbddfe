"""What is written beside trained weights: training.json, a plot of the loss, a model card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ragsvc.embedding.training_record import FILE_NAME
from ragsvc.training.config import RetrieverConfig

PLOT = "loss.png"


class DataSet(msgspec.Struct, frozen=True, kw_only=True):
    """One source of pairs, as the card lists it."""

    name: str
    rows: int
    language: str
    domain: str
    licence: str
    weight: float


class TrainingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known about a training that ended."""

    name: str
    data: tuple[DataSet, ...]
    """The base's own data first, where it says so."""
    recipe: RetrieverConfig
    dim: int
    steps: int
    seconds: float
    """Of the last run alone, when the training was resumed."""
    resumed_at_step: int
    final_loss: float
    """Mean of the last tenth of the logged losses."""


def read_base_data(folder: Path) -> tuple[DataSet, ...]:
    """Return the data that the base was trained on, if a record is beside its weights."""
    try:
        return msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=TrainingRecord).data
    except (OSError, msgspec.DecodeError):
        return ()


def write_card(folder: Path, record: TrainingRecord, losses: Sequence[tuple[int, float]]) -> None:
    """Write the three files; ``losses`` are (step, loss)."""
    (folder / FILE_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2))
    _plot(folder / PLOT, losses)
    (folder / "README.md").write_text(_markdown(record), "utf-8")


def _plot(path: Path, losses: Sequence[tuple[int, float]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="loss")
    axes.plot([step for step, _ in losses], [loss for _, loss in losses], linewidth=1.2)
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def _markdown(record: TrainingRecord) -> str:
    recipe = record.recipe
    languages = "\n".join(f"- {language}" for language in sorted({data.language for data in record.data}))
    rows = "\n".join(
        f"| {d.name} | {d.rows:,} | {d.language} | {d.domain} | {d.weight:g} | {d.licence} |" for d in record.data
    )
    return f"""---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
language:
{languages}
---
# {record.name}

An encoder of questions and passages into {record.dim} dimensions, trained by `ragsvc train retriever`. It opens with
`--embedder` and this folder's path, or with sentence-transformers.

## Data
| data | pairs | language | domain | weight | licence |
| --- | ---: | --- | --- | ---: | --- |
{rows}

## Recipe
{recipe.objective} from `{recipe.base}`: {record.steps:,} steps of {recipe.batch_size} pairs, learning rate
{recipe.learning_rate:g}, seed {recipe.seed}, {record.seconds:,.0f} s; loss at the end {record.final_loss:.3f}. Every
setting is in `{FILE_NAME}`.

![Loss over the steps]({PLOT})

## Scores
None were measured in training: `ragsvc evaluate retrieval SET --embedder PATH` measures them. A set whose name is
listed above is no test of this encoder.
"""
