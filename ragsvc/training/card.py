"""What is written beside trained weights: training.json, a plot of the loss, a model card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ragsvc.embedding.training_record import FILE_NAME
from ragsvc.errors import InvalidInput
from ragsvc.training.config import PairFile, RerankerConfig, RetrieverConfig
from ragsvc.training.runs import StageReport
from ragsvc.training.scores import Score

PLOT = "loss.png"


class DataSet(msgspec.Struct, frozen=True, kw_only=True):
    """One source of pairs, as the card lists it."""

    name: str
    licence: str
    rows: int = 0
    language: str = ""
    domain: str = ""
    weight: float = 0.0
    note: str = ""


class _Data(msgspec.Struct, frozen=True):
    data: tuple[DataSet, ...]


class TrainingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known about a training that ended; steps, seconds and loss are the last stage's."""

    name: str
    data: tuple[DataSet, ...]
    """The base's own data first, where it says so."""
    recipe: RetrieverConfig | RerankerConfig
    dim: int
    """Length of a vector; 1 for a reranker, whose output is its score."""
    steps: int
    seconds: float
    """Of the last run alone, when the training was resumed."""
    resumed_at_step: int
    final_loss: float
    """Mean of the last tenth of the logged losses."""
    stages: tuple[StageReport, ...]
    scores: tuple[Score, ...]


def described(file: PairFile, rows: int) -> DataSet:
    """Return a pair file as the card lists it."""
    return DataSet(
        name=file.title,
        rows=rows,
        language=file.language,
        domain=file.domain,
        licence=file.licence,
        weight=file.weight,
    )


def read_base_data(folder: Path | None) -> tuple[DataSet, ...]:
    """Return the data that the base was trained on, if a record is beside its weights.

    Raises:
        InvalidInput: the record cannot be read.
    """
    path = (folder or Path()) / FILE_NAME
    if folder is None or not path.is_file():
        return ()
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Data).data
    except msgspec.DecodeError as error:
        raise InvalidInput(f"{path.absolute()} does not list the data of the base: {error}") from error


def write_card(folder: Path, record: TrainingRecord) -> None:
    """Write the three files."""
    (folder / FILE_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2))
    plot_losses(folder / PLOT, record.stages)
    (folder / "README.md").write_text(_markdown(record), "utf-8")


def plot_losses(path: Path, stages: Sequence[StageReport]) -> None:
    """Draw one curve a stage, each in its own axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5 * len(stages)), layout="constrained")
    for axes, stage in zip(figure.subplots(len(stages), squeeze=False)[:, 0], stages, strict=True):
        axes.set(xlabel="step", ylabel="loss", title=f"{stage.name}: {stage.objective}")
        axes.plot([step for step, _ in stage.losses], [loss for _, loss in stage.losses], linewidth=1.2)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def data_table(data: Sequence[DataSet]) -> str:
    """Return the data as a Markdown table."""
    rows = [f"| {d.name} | {d.rows:,} | {d.language} | {d.domain} | {d.weight:g} | {d.licence} |" for d in data]
    head = "| data | rows | language | domain | weight | licence |\n| --- | ---: | --- | --- | ---: | --- |"
    return "\n".join([head, *rows])


class _Kind(msgspec.Struct, frozen=True):
    task: str
    what: str


_KINDS = (
    _Kind(
        "sentence-similarity",
        "An encoder of questions and passages into {dim} dimensions, trained by `ragsvc train retriever`. It opens "
        "with\n`--embedder` and this folder's path, or with sentence-transformers.",
    ),
    _Kind(
        "text-ranking",
        "A cross-encoder that scores a question and a passage read together, trained by `ragsvc train reranker`. It "
        "opens\nwith sentence-transformers' CrossEncoder and this folder's path.",
    ),
)


def _markdown(record: TrainingRecord) -> str:
    recipe, kind = record.recipe, _KINDS[isinstance(record.recipe, RerankerConfig)]
    languages = "\n".join(f"- {language}" for language in sorted({d.language for d in record.data if d.language}))
    return f"""---
library_name: sentence-transformers
pipeline_tag: {kind.task}
language:
{languages}
---
# {record.name}

{kind.what.format(dim=record.dim)}

## Data
{data_table(record.data)}

## Recipe
From `{recipe.base}`, seed {recipe.seed}. Every setting is in `{FILE_NAME}`.

{_stages(record)}

![Loss over the steps]({PLOT})

## Scores
{_scores(record.scores)}
"""


def _stages(record: TrainingRecord) -> str:
    rows = [
        f"| {stage.name} | {stage.objective} | {stage.steps:,} × {stage.batch_size} | {stage.learning_rate:g} | "
        f"{stage.seconds:,.0f} s | {stage.final_loss:.3f} |"
        for stage in record.stages
    ]
    head = "| stage | objective | steps × rows | learning rate | time | loss at the end |"
    return "\n".join([head, "| --- | --- | ---: | ---: | ---: | ---: |", *rows])


def _scores(scores: Sequence[Score]) -> str:
    if not scores:
        return (
            "None were measured: `evaluate` in the config names the sets to measure. A set whose name is listed above "
            "is no test of this model."
        )
    rows = [
        f"| {s.set} ({s.queries:,}) | {s.arm} | {s.ndcg_at_10:.3f} | {s.recall_at_100:.3f} | {s.median_ms:.1f} ms |"
        for s in scores
    ]
    head = "| set (questions) | arm | nDCG@10 | Recall@100 | one question, median |"
    return "\n".join([head, "| --- | --- | ---: | ---: | ---: |", *rows])
