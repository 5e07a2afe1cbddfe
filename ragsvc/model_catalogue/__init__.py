"""What is known about chat and embedding models, as data."""

from ragsvc.model_catalogue.catalogue import (
    ChatCard,
    EmbeddingCard,
    ModelCard,
    find_embedding_model,
    find_model,
    list_embedding_models,
    list_models,
    own_files,
)

__all__ = [
    "ChatCard",
    "EmbeddingCard",
    "ModelCard",
    "find_embedding_model",
    "find_model",
    "list_embedding_models",
    "list_models",
    "own_files",
]
