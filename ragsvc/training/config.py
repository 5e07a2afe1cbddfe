"""What a training is to do, read from a TOML file. ``configs/`` holds complete ones.

name = "my-encoder"
base = "static"                  # or "roberta", a directory, a shipped encoder, hf:ORG/NAME, modelscope:ORG/NAME
objective = "contrastive"
batch_size = 256
learning_rate = 0.05
steps = 2000

[static]                         # only for base = "static"
dim = 256

[[pairs]]
path = "pairs/laws.jsonl.gz"     # relative to the data folder
weight = 2.0
language = "zh"
domain = "law"
licence = "MIT"
forms = [                        # or passage = ["title", "passage"]: one form
  { columns = ["title", "passage"], share = 0.6 },
  { columns = ["passage"], share = 0.4 },
]

A training in several stages names them; what a stage does not state is what stands above all tables:

[[stages]]
name = "mlm"
objective = "masked_language"
steps = 20000

[[stages]]
name = "labelled"
objective = "contrastive"
sources = ["laws"]               # names of pair files; none = all
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ragsvc.errors import InvalidInput

Columns = Annotated[tuple[str, ...], Meta(min_length=1)]
Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, lt=1)]
Count = Annotated[int, Meta(gt=0)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Join(_Table, frozen=True, kw_only=True):
    """Adds another file's columns to each row; of several matches the last counts, rows without one are left out."""

    path: str
    on: dict[str, str]
    """Column of the pair file -> column of the other file that must be equal."""
    take: dict[str, str] = {}
    """Name among the row's columns -> column of the other file; none = all of them under their own names."""


class Form(_Table, frozen=True, kw_only=True):
    """One way to write a passage: columns joined by line breaks."""

    columns: Columns
    """The last one is the passage itself; the others stand above it, above each of its windows too."""
    share: Positive = 1.0
    """How often the form is chosen, relative to the others."""


class PairFile(_Table, frozen=True, kw_only=True):
    """A JSONL file (gzipped if named .gz) of which each row gives a question and a passage that answers it."""

    path: str
    licence: str
    language: str
    domain: str
    name: str = ""
    """As the model card calls the data; empty = the file's name without endings."""
    weight: Positive = 1.0
    """How much of the training is this file's: see ``Stage.weights``."""
    query: Columns = ("query",)
    passage: Columns = ("passage",)
    forms: tuple[Form, ...] = ()
    """Instead of ``passage``: several ways to write it, of which each row gets one at random."""
    window_chars: Count | None = None
    """A longer passage is cut to one window of about as many characters, at sentence ends."""
    first_window: Annotated[float, Meta(ge=0, le=1)] = 0.6
    """How often that is the first window; else it is any of them."""
    label: tuple[str, ...] = ()
    """Columns that say which passage it is: one of several editions, a class for ``multilabel``; none = its text."""
    score: str = ""
    """Column of the similarity of the two texts, 0 to 1 or any scale; only for ``cosent``."""
    sentences_of: tuple[str, ...] = ()
    """Instead of query and passage: columns of texts of which one sentence, at random, is set against the rest."""
    sentences_per_text: Count = 1
    """As many sentences of a text at most, each a pair; never more than half of them."""
    context_sentences: Annotated[int, Meta(ge=0)] = 0
    """The rest is at most as many sentences before and after the chosen one (1 to this, at random); 0 = all."""
    negatives: str = ""
    """A file that ``ragsvc train mine-negatives`` wrote: passages that look right for a question and are not."""
    where: dict[str, str] = {}
    """Only rows whose columns have these values."""
    join: Join | None = None
    tokenizer_weight: NotNegative = 1.0
    """How much the file counts when the commonest Han bigrams are chosen."""
    lsa_weight: NotNegative = 1.0
    """How much a row counts in the latent semantic analysis that gives first vectors."""

    @property
    def title(self) -> str:
        """Name of the data set."""
        return self.name or Path(self.path).name.partition(".")[0]

    @property
    def ways(self) -> tuple[Form, ...]:
        """The forms of a passage."""
        return self.forms or (Form(columns=self.passage),)


class StaticBase(_Table, frozen=True, kw_only=True):
    """A table of token vectors, from scratch; ``first_vectors.py`` says how it begins."""

    dim: Count = 256
    tokenizer: str = ""
    """A tokenizer.json; empty = one made of the training texts (see ``vocabulary.py``)."""
    han_bigrams: Count = 30_000
    latin_pieces: Count = 12_000
    lsa_scripts: tuple[Literal["han", "other"], ...] = ("han",)
    """Scripts whose tokens start from what occurs together; the others start at random."""
    random_share: NotNegative = 0.9
    """Length of the random part beside the part from co-occurrence, root mean square, for ``lsa_scripts``."""
    random_norm: Positive = 1.2
    """Length of the vectors of the other scripts, root mean square."""


class RobertaBase(_Table, frozen=True, kw_only=True):
    """A RoBERTa from scratch with a tokenizer of its own, mean pooling."""

    layers: Count = 4
    hidden: Count = 256
    heads: Count = 4
    tokens: Count = 12_000
    """Size of the byte-pair vocabulary, every frequent Han character in it."""
    positions: Count = 256
    """Most tokens of a text, special ones included."""


class Stage(_Table, frozen=True, kw_only=True):
    """One run of the trainer."""

    name: str = "train"
    objective: Literal["contrastive", "cosent", "multilabel", "masked_language"]
    learning_rate: Positive
    sources: tuple[str, ...] = ()
    """Names of the pair files that it reads; none = all."""
    batch_size: Count = 64
    steps: Count | None = None
    epochs: Positive = 1.0
    """Where no steps are given: one epoch is as many pairs as the files hold together."""
    runs: Count = 1
    """So often the stage is trained from the same beginning, its batches in another order each time; what is kept is
    the mean of the weights (Wortsman et al. 2022, https://arxiv.org/abs/2203.05482)."""
    weights: Literal["steps", "rows"] = "steps"
    """What the files' weights are shares of: the steps, or (times their rows) how often each row is read."""
    warmup: Share = 0.05
    """Share of the steps in which the learning rate rises; after them it falls to zero in a straight line."""
    max_tokens: Count | None = None
    """Tokens of a text that are read in training; None = as many as the base reads."""
    token_dropout: Share = 0.0
    """Share of a text's tokens left out, other ones each time."""
    scale: Positive = 20.0
    """Factor of the cosines in the loss."""
    symmetric: bool = True
    """``contrastive`` also from the passage to its question."""
    twin_cosine: Positive = 1.0
    """``contrastive``: a passage nearer than this to the right one is no negative; 1 = only known right ones."""
    hard_negatives: Annotated[int, Meta(ge=0)] = 0
    """``contrastive``: mined passages beside each right one, from files that name ``negatives``."""
    label_questions: Count = 3
    """``multilabel``: a class needs as many questions."""
    masked_share: Annotated[float, Meta(gt=0, lt=1)] = 0.15
    """``masked_language``: share of the tokens to be guessed."""
    matryoshka: tuple[Count, ...] = ()
    """Numbers of leading dimensions that are trained to serve by themselves, the whole included."""
    checkpoint_steps: Count = 500


class Evaluated(_Table, frozen=True, kw_only=True):
    """A labelled set in BEIR layout whose scores the model card is to state."""

    path: str
    domain: str = "general"
    split: str | None = None
    limit: Count | None = None


class RetrieverConfig(_Table, frozen=True, kw_only=True):
    """A training of an encoder for retrieval."""

    name: str
    base: str
    pairs: Annotated[tuple[PairFile, ...], Meta(min_length=1)]
    stages: Annotated[tuple[Stage, ...], Meta(min_length=1)]
    """In order; a file without this table is one stage."""
    seed: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the arithmetic in training; bfloat16 for a processor or GPU that has it."""
    query_prefix: str | None = None
    """Stands before every question, in training and later; None = what the base states."""
    passage_prefix: str | None = None
    data: str = ""
    """Folder of the data, relative to this file; the command line's wins; empty = this file's folder."""
    static: StaticBase = StaticBase()
    roberta: RobertaBase = RobertaBase()
    evaluate: tuple[Evaluated, ...] = ()

    def files(self, stage: Stage) -> tuple[PairFile, ...]:
        """Return the pair files that a stage reads."""
        return tuple(file for file in self.pairs if not stage.sources or file.title in stage.sources)


def read_config(path: Path) -> RetrieverConfig:
    """Read and check a training's TOML file.

    Raises:
        InvalidInput: it cannot be read or says what cannot be done.
    """
    config = _read_staged(path)
    _check_names([file.title for file in config.pairs], "pair files", path)
    _check_names([stage.name for stage in config.stages], "stages", path)
    for at, stage in enumerate(config.stages):
        _check_stage(config, stage, at, path)
    return config


def _read_staged(path: Path) -> RetrieverConfig:
    """Read the file; settings above its tables hold for each of its stages."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
        stages = raw.get("stages", [{}])
        shared = {key: raw.pop(key) for key in set(Stage.__struct_fields__) - {"name", "sources"} if key in raw}
        return msgspec.convert({**raw, "stages": [{**shared, **stage} for stage in stages]}, RetrieverConfig)
    except OSError as error:
        raise _unreadable(path, error) from error
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise _wrong(path, error) from error


def _check_names(names: list[str], what: str, path: Path) -> None:
    if twice := {name for name in names if names.count(name) > 1}:
        raise InvalidInput(f"{path}: two {what} are called {', '.join(sorted(twice))}: give each its own name.")


def _check_stage(config: RetrieverConfig, stage: Stage, at: int, path: Path) -> None:
    files = config.files(stage)
    if unknown := set(stage.sources) - {file.title for file in files}:
        raise InvalidInput(f"{path}: stage {stage.name} reads {', '.join(sorted(unknown))}, which no pair file is.")
    if stage.objective == "cosent" and (without := [file.title for file in files if not file.score]):
        raise InvalidInput(f"{path}: cosent learns from scores, but {', '.join(without)} names no score column.")
    if stage.objective == "masked_language" and (config.base == "static" or at):
        raise InvalidInput(f"{path}: masked_language can only be the first stage, and not of a static base.")
    if stage.runs > 1 and stage.objective in ("masked_language", "multilabel"):
        raise InvalidInput(f"{path}: runs are averaged of encoders, stage {stage.name} trains {stage.objective}.")
    if stage.hard_negatives and not any(file.negatives for file in files):
        raise InvalidInput(f"{path}: stage {stage.name} wants hard negatives, but none of its files names any.")
    if stage.matryoshka and stage.objective == "multilabel":
        raise InvalidInput(f"{path}: multilabel has no Matryoshka dimensions, its classifier reads all of them.")
    dims: dict[str, Any] = {"static": config.static.dim, "roberta": config.roberta.hidden}
    if any(dim > dims.get(config.base, dim) for dim in stage.matryoshka):
        raise InvalidInput(f"{path}: matryoshka {stage.matryoshka} has more dimensions than the {config.base} base.")


class RerankerConfig(_Table, frozen=True, kw_only=True):
    """A training of a cross-encoder: right passages of the pair files against mined and random wrong ones."""

    name: str
    base: str
    """As for an encoder, but not ``static``; an encoder that ``train retriever`` wrote is one."""
    pairs: Annotated[tuple[PairFile, ...], Meta(min_length=1)]
    learning_rate: Positive
    batch_size: Count = 32
    """Pairs of a question and a passage, right or wrong."""
    steps: Count | None = None
    epochs: Positive = 1.0
    """Where no steps are given: one epoch is as many right pairs as the files hold together."""
    weights: Literal["steps", "rows"] = "steps"
    negatives: Count = 4
    """Wrong passages for each right one: the mined ones first, then random ones of the file."""
    warmup: Share = 0.05
    max_tokens: Count = 256
    """Of question and passage together."""
    checkpoint_steps: Count = 500
    seed: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    data: str = ""
    roberta: RobertaBase = RobertaBase()
    evaluate: tuple[Evaluated, ...] = ()


def read_reranker_config(path: Path) -> RerankerConfig:
    """Read and check the TOML file of a reranker's training.

    Raises:
        InvalidInput: it cannot be read or says what cannot be done.
    """
    try:
        config = msgspec.convert(tomllib.loads(path.read_text("utf-8")), RerankerConfig)
    except OSError as error:
        raise _unreadable(path, error) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise _wrong(path, error) from error
    _check_names([file.title for file in config.pairs], "pair files", path)
    if sentences := [file.title for file in config.pairs if file.sentences_of]:
        raise InvalidInput(f"{path}: {', '.join(sentences)} has no questions; a reranker learns from those alone.")
    if config.base == "static":
        raise InvalidInput(f"{path}: a static table reads no two texts together; name 'roberta' or a checkpoint.")
    return config


def read_training(path: Path) -> RetrieverConfig | RerankerConfig:
    """Read the TOML file of an encoder's or a reranker's training: the first one names an objective or stages.

    Raises:
        InvalidInput: it cannot be read or says what cannot be done.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:
        raise _wrong(path, error) from error
    return read_config(path) if {"objective", "stages"} & set(raw) else read_reranker_config(path)


def _unreadable(path: Path, error: OSError) -> InvalidInput:
    return InvalidInput(f"{path.absolute()} cannot be read as a training's TOML file: {error.strerror}.")


def _wrong(path: Path, error: Exception) -> InvalidInput:
    return InvalidInput(
        f"{path.absolute()} is no description of a training: {error}. ragsvc/training/config.py lists the fields."
    )
