"""Reranking with a cross-encoder, run in this process by sentence-transformers."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ragsvc.errors import InvalidInput, NotFound
from ragsvc.protocols import FloatArray

_HASHED = (".safetensors", ".bin", ".json", ".txt", ".model")
"""Weights, tokenizer and configuration: each of them changes the scores."""
_NOT_HASHED = ("training.json", "README.md")
_ANY = 1_000_000
"""Tokens; models without a limit of their own state some huge number."""
_SHARED_WINDOW = 4
"""A window begins with this fraction (a fourth) of the one before, so that no sentence is cut in all of them."""


class CrossEncoderReranker:
    """Any cross-encoder with one score, such as ``ragsvc train reranker`` writes. Safe to use from several threads."""

    def __init__(
        self, name_or_path: str, *, device: str | None = None, batch_size: int = 32, max_tokens: int | None = None
    ) -> None:
        """Name the model; it is loaded when it first scores, and code that comes with it is never run.

        Args:
            name_or_path: a directory, or ORG/NAME on the Hugging Face hub (downloaded once into its own cache).
            device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``; None = the best there is.
            batch_size: pairs scored at a time; bounds the memory, not the result.
            max_tokens: most tokens of question and passage together, if fewer than the model reads.
        """
        self._name, self._device = name_or_path, device
        self._batch_size, self._max_tokens = batch_size, max_tokens
        self._loaded: Any = None
        self._turn = threading.Lock()

    @property
    def reranker_id(self) -> str:
        """Name and hash of the directory's files; of a model on the hub, of its commit."""
        folder = Path(self._name).expanduser()
        if not folder.is_dir():
            with self._turn:
                commit = getattr(self._model().model.config, "_commit_hash", None)
            return f"{self._name}-{str(commit)[:12]}"
        digest = hashlib.sha256()
        for path in sorted(folder.iterdir()):
            if path.suffix in _HASHED and path.name not in _NOT_HASHED:
                with path.open("rb") as file:
                    digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
        return f"{folder.resolve().name}-{digest.hexdigest()[:12]}"

    def score(self, question: str, passages: Sequence[str]) -> FloatArray:
        """Return an array of shape (len(passages),); more is better. A long passage scores as its best window.

        Raises:
            NotFound: there is no such model.
            InvalidInput: it cannot be loaded, or does not give one score.
        """
        if not passages:
            return np.zeros(0, np.float32)
        with self._turn:
            model = self._model()
            windows = [self._windows(model, question, passage) for passage in passages]
            pairs = [(question, window) for cut in windows for window in cut]
            found = model.predict(pairs, batch_size=self._batch_size, show_progress_bar=False, convert_to_numpy=True)
        starts = np.cumsum([0, *(len(cut) for cut in windows[:-1])])
        best: FloatArray = np.maximum.reduceat(np.asarray(found, np.float32), starts)
        return best

    def _windows(self, model: Any, question: str, passage: str) -> list[str]:
        """Cut a passage into what the model reads whole beside the question."""
        limit = model.max_seq_length
        asked = len(model.tokenizer(question, add_special_tokens=False, verbose=False)["input_ids"])
        asked += model.tokenizer.num_special_tokens_to_add(pair=True)
        room = max(limit - asked, limit // 2)  # of a longer question the model reads a part
        spans = model.tokenizer(passage, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        offsets = spans["offset_mapping"]
        if len(offsets) <= room:
            return [passage]
        step = max(1, room - room // _SHARED_WINDOW)
        starts = range(0, len(offsets) - room + step, step)
        return [passage[offsets[at][0] : offsets[min(at + room, len(offsets)) - 1][1]] for at in starts]

    def _model(self) -> Any:
        if self._loaded is None:
            self._loaded = _load(self._name, self._device, self._max_tokens)
        return self._loaded


def _load(name: str, device: str | None, max_tokens: int | None) -> Any:
    folder = Path(name).expanduser()
    if not folder.is_dir() and (name.startswith((".", "/", "~")) or name.count("/") > 1):
        raise NotFound(f"{folder.absolute()} is not a directory: name a reranker's directory or ORG/NAME on the hub.")
    from huggingface_hub.errors import RepositoryNotFoundError
    from sentence_transformers import CrossEncoder

    try:
        model = CrossEncoder(
            str(folder) if folder.is_dir() else name.removeprefix("hf:"),
            device=device,
            trust_remote_code=False,
        )
    except RepositoryNotFoundError as error:
        raise NotFound(f"The Hugging Face hub has no model {name!r} that may be read from here.") from error
    except Exception as error:
        said = " ".join(str(error).split())[:300] or type(error).__name__
        raise InvalidInput(f"The reranker {name!r} cannot be loaded: {said}") from error
    if model.num_labels != 1:
        raise InvalidInput(f"{name!r} gives {model.num_labels} values for a pair, a reranker gives one score.")
    if not model.tokenizer.is_fast:
        raise InvalidInput(f"{name!r} has a tokenizer without offsets: long passages cannot be cut for it.")
    model.max_seq_length = _token_limit(model, max_tokens)
    return model


def _token_limit(model: Any, asked: int | None) -> int:
    """Return how many tokens of question and passage the model reads, special ones included."""
    config = model.model.config
    positions = int(getattr(config, "max_position_embeddings", _ANY))
    if config.model_type in ("roberta", "xlm-roberta", "camembert"):
        positions -= config.pad_token_id + 1  # counted from the padding token's number on
    return min(int(model.max_seq_length or _ANY), positions, asked or _ANY)
