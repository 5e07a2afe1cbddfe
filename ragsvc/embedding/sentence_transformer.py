"""Any model that sentence-transformers opens: its own directories, transformers ones, hub names."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ragsvc.embedding.training_record import FILE_NAME, MODEL_CARD, data_sets_of_card, read_data_sets, read_model_card
from ragsvc.embedding.windows import cut_in_context
from ragsvc.errors import InvalidInput, NotFound
from ragsvc.protocols import FloatArray

Pooling = Literal["mean", "cls", "last_token"]
_BATCH = 32
_HASHED = (".safetensors", ".bin", ".json", ".txt", ".model")
"""Weights, tokenizers and the configuration of the modules: each of them changes the vectors."""


class SentenceTransformerEmbedder:
    """Runs the model in this process, with torch. Safe to use from several threads, which take turns."""

    def __init__(
        self,
        name_or_path: str,
        *,
        query_prefix: str | None = None,
        passage_prefix: str | None = None,
        max_tokens: int | None = None,
        pooling: Pooling | None = None,
    ) -> None:
        """Load the model; code that comes with it is never run.

        Args:
            name_or_path: a directory, or ORG/NAME on the Hugging Face hub (downloaded once into its own cache).
            query_prefix: stands before every question; None = what the model itself states.
            passage_prefix: as ``query_prefix``, before every passage.
            max_tokens: most tokens of one text, prefix and special tokens included, if fewer than the model reads.
            pooling: how the vectors of the tokens become one; None = as the model states, else their mean (of a
                causal model the last one).

        Raises:
            NotFound: there is no such directory, or the hub has no such model.
            InvalidInput: it cannot be loaded, or cannot be downloaded.
        """
        self._model = _load(name_or_path)
        is_other_pooling = pooling is not None and _set_pooling(self._model, pooling)
        self._prefixes = {
            "query": self._stated("query") if query_prefix is None else query_prefix,
            "passage": self._stated("document", "passage") if passage_prefix is None else passage_prefix,
        }
        self._limit = _token_limit(self._model, max_tokens)
        if self._limit is not None:
            self._model.max_seq_length = self._limit
        self._dim = int(self._model.get_embedding_dimension())
        facts = [_weights(name_or_path, self._model), *self._prefixes.values(), str(self._limit)]
        facts += [str(pooling)] if is_other_pooling else []
        digest = hashlib.sha256("\0".join(facts).encode()).hexdigest()
        folder = Path(name_or_path).expanduser()
        self._id = f"{folder.resolve().name if folder.is_dir() else name_or_path}-{digest[:12]}"
        self._trained_on = _data_sets(name_or_path)
        self._turn = threading.Lock()  # a fast tokenizer breaks when two threads set its truncation at once

    @property
    def embedder_id(self) -> str:
        """Name and hash of weights (on the hub: of their commit), prefixes and length."""
        return self._id

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    @property
    def trained_on(self) -> tuple[str, ...]:
        """Names of the data sets that its training record or model card lists; empty if neither says."""
        return self._trained_on

    def windows(self, text: str, context: str = "") -> list[str]:
        """Cut a text that is longer than the model reads, at sentence ends."""
        if self._limit is None:
            return cut_in_context(text, context, sys.maxsize)
        spare = self._limit - self._tokens("", special=True) - self._tokens(self._prefixes["passage"])
        return cut_in_context(text, context, max(1, spare), self._tokens)

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Return an array of shape (len(texts), dim), L2-normalised; a text without known tokens is a zero row."""
        return self._encode(texts, self._prefixes["passage"])

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """As ``embed_passages``, with the query prefix."""
        return self._encode(texts, self._prefixes["query"])

    def _stated(self, *names: str) -> str:
        prompts: dict[str, str] = self._model.prompts
        return next((prompts[name] for name in names if prompts.get(name)), "")

    def _tokens(self, text: str, *, special: bool = False) -> int:
        with self._turn:
            tokenizer = self._model.tokenizer
            return len(tokenizer(text, add_special_tokens=special, truncation=False, verbose=False)["input_ids"])

    def _encode(self, texts: Sequence[str], prefix: str) -> FloatArray:
        if not texts:
            return np.zeros((0, self._dim), np.float32)
        with self._turn:
            found = self._model.encode(
                list(texts), prompt=prefix, batch_size=_BATCH, show_progress_bar=False, convert_to_numpy=True
            )
        vectors: FloatArray = np.asarray(found, np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors


def _load(name_or_path: str) -> Any:
    folder = Path(name_or_path).expanduser()
    is_local = folder.is_dir()
    if not is_local and (name_or_path.startswith((".", "/", "~")) or name_or_path.count("/") > 1):
        raise NotFound(f"{folder.absolute()} is not a directory: name a model's directory or ORG/NAME on the hub.")
    from huggingface_hub.errors import RepositoryNotFoundError
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(str(folder) if is_local else name_or_path, trust_remote_code=False)
    except RepositoryNotFoundError as error:
        raise NotFound(
            f"The Hugging Face hub has no model {name_or_path!r} that may be read from here: check the name, or set "
            "HF_TOKEN if it is private."
        ) from error
    except Exception as error:
        said = " ".join(str(error).split())[:300] or type(error).__name__
        advice = (
            "Check that the directory is complete and is a sentence-transformers or transformers model."
            if is_local
            else "Where the hub cannot be reached, download the model elsewhere and name its directory."
        )
        raise InvalidInput(f"The encoder {name_or_path!r} cannot be loaded: {said} {advice}") from error


def _set_pooling(model: Any, pooling: Pooling) -> bool:
    """Pool in another way than the model states; return whether that is another way."""
    from sentence_transformers.sentence_transformer.modules import Pooling as PoolingModule

    wanted = pooling.replace("_", "")
    others = [module for module in model if isinstance(module, PoolingModule) and module.pooling_mode != wanted]
    for module in others:
        module.pooling_mode = wanted
    return bool(others)


def _data_sets(name_or_path: str) -> tuple[str, ...]:
    folder = Path(name_or_path).expanduser()
    if folder.is_dir():
        return read_data_sets(folder)
    from huggingface_hub import try_to_load_from_cache

    card = try_to_load_from_cache(name_or_path, MODEL_CARD)
    return data_sets_of_card(read_model_card(Path(card))) if isinstance(card, str) else ()


def _token_limit(model: Any, asked: int | None) -> int | None:
    """Return how many tokens the model reads, special ones included; None = any number."""
    limits = [asked] if asked else []
    stated = model.max_seq_length
    if stated and stated < 1_000_000:  # tokenizers say "any" with a huge number, static tables with infinity
        limits.append(int(stated))
    embeddings = getattr(getattr(model[0], "auto_model", None), "embeddings", None)
    positions = getattr(embeddings, "position_embeddings", None)
    if positions is not None and getattr(positions, "padding_idx", None) is not None:
        # RoBERTa and its kin count positions from the padding token's number on: the first ones are never used.
        limits.append(positions.num_embeddings - positions.padding_idx - 1)
    return min(limits) if limits else None


def _weights(name_or_path: str, model: Any) -> str:
    """Return what tells these weights from others: hash of the directory's files, commit on the hub, or tensors."""
    folder = Path(name_or_path).expanduser()
    digest = hashlib.sha256()
    if folder.is_dir():
        for path in _model_files(folder):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()
    commit = getattr(getattr(getattr(model[0], "auto_model", None), "config", None), "_commit_hash", None)
    if commit:
        return str(commit)
    for name, tensor in model.state_dict().items():
        digest.update(name.encode() + tensor.float().cpu().numpy().tobytes())
    return digest.hexdigest()


def _model_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder).parts
        is_other = inner[0].startswith("checkpoint") or inner[0] in ("onnx", "openvino") or path.name == FILE_NAME
        if path.suffix in _HASHED and not is_other and path.is_file():
            yield path
