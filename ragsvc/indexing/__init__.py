"""Derived, immutable generations of the index: tantivy for keywords, faiss for vectors, a manifest over all."""

from ragsvc.indexing.folder import GenerationFolder
from ragsvc.indexing.generation import Generation, open_generation, verify_generation
from ragsvc.indexing.writing import GenerationContents, write_generation

__all__ = [
    "Generation",
    "GenerationContents",
    "GenerationFolder",
    "open_generation",
    "verify_generation",
    "write_generation",
]
