"""Texts to float32 vectors of shape (n, dim) and unit length.

    static.py                 token table; numpy only; what ships in ``weights/``
    sentence_transformer.py   any sentence-transformers model
    remote.py                 any OpenAI-compatible embeddings service

``open_embedder`` picks the right one by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ragsvc.embedding.training_record import MODEL_CARD, read_model_card
from ragsvc.errors import NotFound
from ragsvc.model_catalogue import EmbeddingCard, find_embedding_model
from ragsvc.protocols import Embedder

DEFAULT_EMBEDDER = "ragsvc-static-zh-en"
_SHIPPED = Path(__file__).parent / "weights"


def shipped_embedders() -> dict[str, Path]:
    """Return the encoders that come with the package: name -> directory."""
    return {path.parent.name: path.parent for path in sorted(_SHIPPED.glob("*/modules.json"))}


def open_embedder(
    name: str | Path = DEFAULT_EMBEDDER, *, api_key: str | None = None, extra_files: Sequence[Path] = ()
) -> Embedder:
    """Open the encoder called ``name``.

    Args:
        name: a shipped encoder, a directory, a model of the catalogue, ``hf:ORG/NAME``, ``ORG/NAME`` on the
            Hugging Face hub, or ``https://host/v1#MODEL`` (an OpenAI-compatible service).
        api_key: for a service; else the environment variable that its catalogue entry names.
        extra_files: the operator's own catalogue files.

    Raises:
        NotFound: nothing is called so; the message says what can be named.
        InvalidInput: the directory or model cannot be read.
    """
    shipped = shipped_embedders().get(str(name))
    folder = shipped or Path(name).expanduser()
    if folder.is_dir():
        return _open_directory(folder)
    return _open_named(str(name), api_key, extra_files)


def find_card(name: str | Path, extra_files: Sequence[Path] = ()) -> EmbeddingCard:
    """Return what is known about the encoder that ``open_embedder`` opens by this name, without opening it.

    Raises:
        NotFound: nothing is called so; the message says what can be named.
    """
    folder = shipped_embedders().get(str(name)) or Path(name).expanduser()
    if not folder.is_dir():
        return _find_named(str(name), extra_files)
    card = read_model_card(folder / MODEL_CARD)
    languages = card.get("language") or ()
    return EmbeddingCard(
        name=str(name),
        vendor="",
        kind="local",
        family="transformers",
        model=str(folder),
        licence=str(card.get("license") or ""),
        languages=(languages,) if isinstance(languages, str) else tuple(map(str, languages)),
        source=MODEL_CARD if card else "",
    )


def _open_directory(folder: Path) -> Embedder:
    from ragsvc.embedding.static import StaticEmbedder, is_static_directory

    if is_static_directory(folder):
        return StaticEmbedder(folder)
    if not any((folder / stated).is_file() for stated in ("modules.json", "config.json")):
        raise NotFound(f"{folder.absolute()} is not a model directory: no modules.json or config.json is in it.")
    from ragsvc.embedding.sentence_transformer import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder(str(folder))


def _find_named(name: str, extra_files: Sequence[Path]) -> EmbeddingCard:
    try:
        return find_embedding_model(name, extra_files)
    except NotFound as error:
        if name.count("/") != 1 or name.startswith((".", "/", "~")):
            names = ", ".join(shipped_embedders())
            raise NotFound(f"{error} Shipped encoders: {names or 'none'}.") from None
        return find_embedding_model(f"hf:{name}", extra_files)


def _open_named(name: str, api_key: str | None, extra_files: Sequence[Path]) -> Embedder:
    card = _find_named(name, extra_files)
    if card.kind == "api" or card.family in ("openai", "ollama"):
        from ragsvc.embedding.remote import open_remote_embedder

        return open_remote_embedder(card, api_key)
    from ragsvc.embedding.sentence_transformer import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder(
        card.model,
        query_prefix=card.query_prefix or None,
        passage_prefix=card.passage_prefix or None,
        max_tokens=card.max_tokens,
        pooling=card.pooling or None,
    )
