"""What each strategy costs beside its model, and what it makes of answerers of known habits.

``python -m tests.bench.strategies HOME QUESTIONS [N]``: a filled home (``ragsvc --home HOME evaluate answers`` leaves
one), a ``queries.jsonl`` and how many of its questions. Prints JSON: per strategy the quantiles of the whole answer,
searches and calls to the model an answer.

``python -m tests.bench.strategies --answers HOME QUESTIONS [N]``: a Markdown table of what ``evaluate answers``
measures, strategies by answerers: no model; one that copies the first sentences of two sources and cites them; one that
copies one and invents another with an article, a figure and a mark. No language model is among them: they show what the
strategies and the checks do, not how well anyone writes.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from ragsvc.citing.sentences import split_sentences
from ragsvc.evaluation.answers import _Asking, summarise
from ragsvc.evaluation.datasets import read_queries
from ragsvc.pipelines.answer import AnswerPipeline
from ragsvc.records import AskRequest, Message, SearchRequest, SearchResult, TextPiece
from ragsvc.strategies import NEEDS_NO_MODEL, STRATEGIES
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


class Copyist:
    """Writes the first sentence of the first two sources with their marks; asked for keywords, the question's words.

    Where it ``invents``, the second sentence is not of any source, whatever its mark says.
    """

    prompt_tokens, takes_images, template = None, False, ""

    def __init__(self, *, invents: bool) -> None:
        self.name = "invents" if invents else "copies"
        self._invents = invents

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        prompt = "\n".join(message.content for message in messages)
        sources = re.findall(r'<source n="(\d+)"[^>]*>\n(.*?)\n</source>', prompt, re.DOTALL)
        written = [_first_sentence(text).rstrip("。；.") + f"[{n}]。" for n, text in sources[:2]]
        if written and self._invents:
            written[1:] = [f"根据《民法典》第一千三百条，应当在97日内支付53万元赔偿金[{sources[0][0]}]。"]
        yield TextPiece(text="".join(written) or prompt.strip().splitlines()[-1][-30:], finish_reason="stop")


def _first_sentence(text: str) -> str:
    ranges = [text[start:end] for start, end in split_sentences(text)]
    return next((sentence for sentence in ranges if len(sentence) > 12), text)


def answer_table(home: Path, file: Path, n: int) -> str:
    """Return the figures of every strategy with every answerer as Markdown."""
    queries = [query for query in read_queries(file) if query.split != "train"][:n]
    head = "answered", "citation recall", "citation precision", "exact spans", "addresses", "articles", "ROUGE-L"
    lines = [
        f"| strategy | answerer | {' | '.join(head)} | p50 ms | p95 ms |",
        "| --- | --- |" + " ---: |" * (len(head) + 2),
    ]
    service = open_service(home)
    parts = service.answers._parts
    for strategy in STRATEGIES:
        for answerer in ("extractive", "copies", "invents"):
            if answerer == "extractive" and strategy not in NEEDS_NO_MODEL:
                continue
            if answerer != "extractive" and strategy == "extractive":
                continue
            model = Copyist(invents=answerer == "invents")
            service.__dict__["answers"] = AnswerPipeline(replace(parts, open_chat_model=lambda _, model=model: model))
            results = _Asking(service, (), strategy, answerer, answerer).run(queries, None)
            found = summarise(results, ())
            values = [found["n_answered"] / len(queries), found["citation_recall"], found["citation_precision"]]
            values += [found["exact_spans"], found["address_accuracy"], found["article_recall"], found["rouge_l"]]
            cells = ["–" if value is None else f"{value:.3f}" for value in values]
            cells += [f"{found['latency_ms'][q]:,.0f}" for q in ("p50", "p95")]
            lines.append(f"| {strategy} | {answerer} | {' | '.join(cells)} |")
            sys.stderr.write(lines[-1] + "\n")
    service.close()
    return "\n".join(lines)


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
    if sys.argv[1] == "--answers":
        home, file, *limit = sys.argv[2:]
        sys.stdout.write(answer_table(Path(home), Path(file), int(limit[0]) if limit else 50) + "\n")
        sys.exit()
    home, file, *limit = sys.argv[1:]
    asked = [q.text for q in read_queries(Path(file)) if q.split != "train"][: int(limit[0]) if limit else 50]
    sys.stdout.write(json.dumps(asyncio.run(measure(Path(home), asked)), indent=1) + "\n")
