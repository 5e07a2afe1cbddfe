"""What a fine-tuning is to do, read from a TOML file. ``configs/lawyer-llama-sft.toml`` is a complete one."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ragsvc.errors import InvalidInput
from ragsvc.training.config import Count, Positive, Share


class DialogueFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that ``ragsvc train sft-data`` wrote."""

    path: str
    licence: str
    held_out: bool = False
    """Not learnt from: its loss is measured."""


class LoraOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of the adapter."""

    rank: Count = 8
    alpha: Count = 16
    dropout: Share = 0.05
    layers: tuple[str, ...] = ()
    """Names of the linear layers that get one; none = all but the output's."""


class SftConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fine-tuning of a causal language model on dialogues."""

    name: str
    """Under which the result is served."""
    base: str
    """Directory, or repository on Hugging Face, of a causal language model."""
    dialogues: Annotated[tuple[DialogueFile, ...], Meta(min_length=1)]
    base_licence: str = "not stated"
    method: Literal["lora", "full"] = "lora"
    lora: LoraOptions = LoraOptions()
    learning_rate: Positive = 1e-4
    batch_size: Count = 1
    """Dialogues that are in memory at a time."""
    accumulate: Count = 1
    """Batches to a step."""
    epochs: Positive = 3.0
    steps: Count | None = None
    """Instead of epochs."""
    warmup: Share = 0.03
    max_tokens: Count = 2048
    """Of a dialogue. A longer one is left out and counted: half an answer would teach to stop in the middle."""
    held_out_share: Share = 0.1
    """Of the dialogues, where no file is held out."""
    evaluations: Count = 10
    """How often the held-out loss is measured on the way."""
    checkpoint_steps: Count = 100
    gradient_checkpointing: bool = False
    """Less memory, a third more time."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """``auto`` = bfloat16 on a GPU that has it."""
    seed: int = 0
    data: str = ""
    """Folder of the files, relative to this file; the command line's wins; empty = this file's folder."""


def read_sft_config(path: Path) -> SftConfig:
    """Read and check the TOML file of a fine-tuning.

    Raises:
        InvalidInput: it cannot be read, or says what cannot be done.
    """
    try:
        config = msgspec.convert(tomllib.loads(path.read_text("utf-8")), SftConfig)
    except OSError as error:
        raise InvalidInput(
            f"{path.absolute()} cannot be read as a fine-tuning's TOML file: {error.strerror}."
        ) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise InvalidInput(
            f"{path.absolute()} is no description of a fine-tuning: {error}. "
            "ragsvc/training/sft_config.py lists the fields."
        ) from error
    if all(file.held_out for file in config.dialogues):
        raise InvalidInput(f"{path.absolute()}: all files are held out, so that there is nothing to learn from.")
    return config
