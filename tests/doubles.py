"""Doubles behind the seams: a chat model that follows a script, an embedder of words, a searcher of given results."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, Sequence
from datetime import date

import numpy as np

from ragsvc.citing.claims import content
from ragsvc.protocols import FloatArray
from ragsvc.records import Message, Passage, Scores, SearchRequest, SearchResult, TextPiece


def make_passage(text: str, **changes: object) -> Passage:
    """A passage that starts at place 7 of version "v-<locator>"."""
    locator = str(changes.get("locator", "第五百七十七条"))
    fields: dict[str, object] = {
        "collection": "law",
        "work": "中华人民共和国民法典",
        "title": "中华人民共和国民法典 合同编",
        "locator": locator,
        "heading_path": ("第三编 合同",),
        "document_id": "d1",
        "version_id": f"v-{locator}",
        "chunk_id": "c1",
        "start": 7,
        "end": 7 + len(text),
        "text": text,
        "effective_from": date(2021, 1, 1),
        "effective_to": None,
        "validity_source": "stated",
        "url": None,
        "score": 1.0,
        "scores": Scores(),
    }
    return Passage(**fields | changes)  # type: ignore[arg-type]


class StoredTexts:
    """What the store holds for passages; ``read`` is the ``ReadText`` of the pipeline."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.texts = {p.version_id: " " * p.start + p.text for p in passages}

    def read(self, version_id: str, start: int, end: int) -> str:
        return self.texts[version_id][start:end]


class ScriptedModel:
    """Streams the given pieces; an exception among them is raised, a float is a pause in seconds."""

    name = "scripted"
    prompt_tokens: int | None = None
    takes_images = False
    template = ""

    def __init__(self, *script: str | TextPiece | float | Exception) -> None:
        self.script = script
        self.calls: list[Sequence[Message]] = []
        self.closed = 0

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        self.calls.append(messages)
        try:
            for step in self.script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    yield step if isinstance(step, TextPiece) else TextPiece(text=step)
        finally:
            self.closed += 1


class WordEmbedder:
    """Counts words and pairs of Han characters in ``dim`` buckets: texts that share words are near each other."""

    embedder_id = "words-256"
    dim = 256

    def windows(self, text: str, context: str = "") -> list[str]:
        return [f"{context}\n{text}" if context else text]

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        vectors = np.zeros((len(texts), self.dim), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in content(text):
                vector[zlib.crc32(word.encode()) % self.dim] += 1
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.where(norms == 0, 1, norms)).astype(np.float32)

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        return self.embed_passages(texts)


class ScriptedSearcher:
    """Gives the same result to every request and keeps the requests."""

    def __init__(self, result: SearchResult) -> None:
        self.result = result
        self.requests: list[SearchRequest] = []

    def search(self, request: SearchRequest) -> SearchResult:
        self.requests.append(request)
        return self.result
