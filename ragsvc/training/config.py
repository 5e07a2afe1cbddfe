"""What a training is to do, read from a TOML file. ``configs/`` holds complete ones.

name = "my-encoder"
objective = "contrastive"
base = "static"                  # or a directory, a shipped encoder, ORG/NAME on the hub
batch_size = 256
learning_rate = 0.05

[static]                         # only for base = "static"
dim = 256

[[pairs]]
path = "pairs/laws.jsonl.gz"     # relative to the data folder
weight = 2.0
language = "zh"
domain = "law"
licence = "MIT"
passage = ["title", "passage"]   # columns, joined by line breaks
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ragsvc.errors import InvalidInput

Columns = Annotated[tuple[str, ...], Meta(min_length=1)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(gt=0)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Join(_Table, frozen=True, kw_only=True):
    """Adds another file's columns to each row; of several matches the last counts, rows without one are left out."""

    path: str
    on: dict[str, str]
    """Column of the pair file -> column of the other file that must be equal."""


class PairFile(_Table, frozen=True, kw_only=True):
    """A JSONL file (gzipped if named .gz) of which each row gives a question and a passage that answers it."""

    path: str
    licence: str
    language: str
    domain: str
    name: str = ""
    """As the model card calls the data; empty = the file's name without endings."""
    weight: Positive = 1.0
    """Share of the training steps, relative to the other files: small files repeat, large ones are sampled."""
    query: Columns = ("query",)
    passage: Columns = ("passage",)
    score: str = ""
    """Column of the similarity of the two texts, 0 to 1 or any scale; only for ``cosent``."""
    sentences_of: str = ""
    """Instead of query and passage: a column of texts of which one sentence, at random, is set against the rest."""
    where: dict[str, str] = {}
    """Only rows whose columns have these values."""
    join: Join | None = None
    tokenizer_weight: Positive = 1.0
    """How much the file counts when the commonest Han bigrams are chosen."""

    @property
    def title(self) -> str:
        """Name of the data set."""
        return self.name or Path(self.path).name.partition(".")[0]


class StaticBase(_Table, frozen=True, kw_only=True):
    """A table of token vectors, from scratch."""

    dim: Count = 256
    tokenizer: str = ""
    """A tokenizer.json; empty = one made of the training texts (see ``vocabulary.py``)."""
    han_bigrams: Count = 30_000
    latin_pieces: Count = 12_000
    initial_norms: Literal["idf", "equal"] = "idf"
    """How long the random vectors are at first: by the rarity of their tokens, or all alike."""


class RetrieverConfig(_Table, frozen=True, kw_only=True):
    """A training of an encoder for retrieval."""

    name: str
    objective: Literal["contrastive", "cosent"]
    base: str
    pairs: Annotated[tuple[PairFile, ...], Meta(min_length=1)]
    learning_rate: Positive
    batch_size: Count = 64
    epochs: Positive = 1.0
    """One epoch is as many pairs as the files hold together."""
    warmup: Annotated[float, Meta(ge=0, lt=1)] = 0.05
    """Share of the steps in which the learning rate rises; after them it falls to zero in a straight line."""
    scale: Positive = 20.0
    """Factor of the cosines in the loss."""
    symmetric: bool = True
    """``contrastive`` also from the passage to its question."""
    max_tokens: Count | None = None
    """Tokens of a text that are read in training; None = as many as the base reads."""
    matryoshka: tuple[Count, ...] = ()
    """Numbers of leading dimensions that are trained to serve by themselves, the whole included."""
    checkpoint_steps: Count = 500
    seed: int = 0
    data: str = ""
    """Folder of the data, relative to this file; the command line's wins; empty = this file's folder."""
    static: StaticBase = StaticBase()


def read_config(path: Path) -> RetrieverConfig:
    """Read and check a training's TOML file.

    Raises:
        InvalidInput: it cannot be read or says what cannot be done.
    """
    try:
        config = msgspec.toml.decode(path.read_bytes(), type=RetrieverConfig)
    except OSError as error:
        raise InvalidInput(f"{path.absolute()} cannot be read as a training's TOML file: {error.strerror}.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise InvalidInput(
            f"{path.absolute()} is no description of a training: {error}. ragsvc/training/config.py lists the fields."
        ) from error
    titles = [pairs.title for pairs in config.pairs]
    if twice := {title for title in titles if titles.count(title) > 1}:
        raise InvalidInput(f"{path}: two pair files are called {', '.join(sorted(twice))}: give each its own name.")
    if config.objective == "cosent" and (without := [pairs.title for pairs in config.pairs if not pairs.score]):
        raise InvalidInput(f"{path}: cosent learns from scores, but {', '.join(without)} names no score column.")
    if config.base == "static" and any(dim > config.static.dim for dim in config.matryoshka):
        raise InvalidInput(f"{path}: matryoshka {config.matryoshka} has more dimensions than static.dim.")
    return config
