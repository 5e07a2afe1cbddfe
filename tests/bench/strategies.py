"""What each strategy costs beside its model: milliseconds an answer with a model that writes at once.

``python -m tests.bench.strategies HOME QUESTIONS [N]``: a filled home (``ragsvc --home HOME evaluate answers`` leaves
one), a ``queries.jsonl`` and how many of its questions. Prints JSON: per strategy the quantiles of the whole answer,
searches and calls to the model an answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from ragsvc.evaluation.datasets import read_queries
from ragsvc.pipelines.answer import AnswerPipeline
from ragsvc.records import AskRequest, Message, SearchRequest, SearchResult, TextPiece
from ragsvc.strategies import STRATEGIES
from ragsvc.wiring import open_service


class Instant:
    """Writes the same line to every prompt, at once: three keywords, no verdict, no question."""

    name, prompt_tokens, takes_images, template = "instant", None, False, ""

    def __init__(self) -> None:
        self.n_calls = 0

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        self.n_calls += 1
        yield TextPiece(text="违约责任、赔偿损失、合同", finish_reason="stop")


class Counted:
    """A searcher that counts."""

    def __init__(self, searcher: Any) -> None:
        self._searcher = searcher
        self.n_searches = 0

    def search(self, request: SearchRequest) -> SearchResult:
        self.n_searches += 1
        found: SearchResult = self._searcher.search(request)
        return found


async def measure(home: Path, questions: Sequence[str]) -> dict[str, Any]:
    """Ask every question with every strategy; questions that are declined count as well."""
    service = open_service(home)
    figures: dict[str, Any] = {}
    for strategy in STRATEGIES:
        model, searcher = Instant(), Counted(service.searcher)
        parts = replace(service.answers._parts, open_chat_model=lambda _, model=model: model, searcher=searcher)
        pipeline = AnswerPipeline(parts)
        answers = [
            await pipeline.answer(AskRequest(question=q, collections=(), model="instant", strategy=strategy))
            for q in questions
        ]
        p50, p95 = np.quantile([answer.timings_ms["total"] for answer in answers], [0.5, 0.95])
        figures[strategy] = {
            "p50_ms": round(float(p50), 1),
            "p95_ms": round(float(p95), 1),
            "searches": round(searcher.n_searches / len(questions), 2),
            "calls": round(model.n_calls / len(questions), 2),
            "abstained": round(sum(answer.abstained for answer in answers) / len(answers), 3),
        }
    service.close()
    return figures


if __name__ == "__main__":
    home, file, *limit = sys.argv[1:]
    asked = [q.text for q in read_queries(Path(file)) if q.split != "train"][: int(limit[0]) if limit else 50]
    sys.stdout.write(json.dumps(asyncio.run(measure(Path(home), asked)), indent=1) + "\n")
