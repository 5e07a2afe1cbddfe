"""Asks the questions of a file through the real answer pipeline and measures what comes back, per strategy and model.

The file holds a question a line, as ``queries.jsonl`` of a labelled set: ``{"_id", "text", "metadata"}``. Of
``metadata`` are read ``split``, ``history``, ``answer`` (a reference, for ROUGE-L) and ``articles`` (what a lawyer
would cite, like 中华人民共和国民法典第五十四条).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from ragsvc.citing.claims import quoted_ranges, squeeze
from ragsvc.domains.installed import domain_names
from ragsvc.domains.pack import find_pack
from ragsvc.errors import InvalidInput, NotFound, UpstreamFailed
from ragsvc.evaluation.answer_metrics import article_key, measure_citations, own_text, rouge_l
from ragsvc.evaluation.answers_report import write_answers_report
from ragsvc.evaluation.datasets import LabelledSet, Query, read_queries
from ragsvc.evaluation.metrics import bootstrap_interval
from ragsvc.evaluation.retrieval import COLLECTION, IndexedSet, RetrievalOptions, open_home
from ragsvc.records import Address, Answer, AskRequest, Turn
from ragsvc.wiring import Service

REPLY = {"zh": "不清楚，请直接回答。", "en": "I do not know; please answer."}
"""What is said to a question back, so that strategies that ask are measured by their answers too."""
MOST_REPLIES = 10
_HAN_LEAST = "\u3400"
Progress = Callable[[str, int, int], None]
"""Name of the run, questions done, questions in all."""


class AnswerOptions(Struct, frozen=True, kw_only=True):
    """What to ask whom. Into an empty ``home``, or a throw-away one, go the documents beside the file (BEIR layout)."""

    collections: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ("",)
    """Empty = by the model."""
    models: tuple[str, ...] = ("extractive",)
    split: str | None = None
    domain: str = "general"
    """Of the documents beside the file."""
    embedder: str | None = None
    outside: tuple[Path, ...] = ()
    """Files of questions that the collections cannot answer."""
    limit: int | None = None
    seed: int = 0
    home: Path | None = None
    answers_file: Path | None = None
    """Where every answer goes with its figures, one a line."""
    report_file: Path | None = None


class AnswerResult(Struct, frozen=True, kw_only=True):
    """One question of one run. Figures are None where there is nothing to measure."""

    run: str
    query: str
    text: str
    outcome: str
    """answered, abstained, failed, or asked back (more than ``MOST_REPLIES`` times)."""
    answer: str = ""
    reference: str = ""
    n_statements: int = 0
    n_recalled: int = 0
    n_citations: int = 0
    n_precise: int = 0
    n_spans: int = 0
    n_exact: int = 0
    """Of the spans cited, those whose quote stands in the stored version at their offsets, read again."""
    n_addresses: int = 0
    """Places in works that the answer names."""
    n_true_addresses: int = 0
    """... that are in the collections."""
    n_gold: int = 0
    n_gold_cited: int = 0
    n_articles_cited: int = 0
    rouge_l: float | None = None
    n_replies: int = 0
    latency_ms: float = 0.0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def evaluate_answers(file: Path, options: AnswerOptions, on_progress: Progress | None = None) -> dict[str, Any]:
    """Run every strategy with every model over the questions; return the figures of each run, by its name.

    Raises:
        InvalidInput: a file is malformed, no question is left, or a strategy does not go with a model.
        NotFound: no such collection or model.
    """
    queries = _choose(read_queries(file), options)
    outside = [query for path in options.outside for query in _choose(read_queries(path), options)]
    names = [(strategy, model) for strategy in options.strategies for model in options.models]
    results: list[AnswerResult] = []
    declined: dict[str, list[AnswerResult]] = {}
    with _open(file, options) as (service, collections):
        for strategy, model in names:
            name = " / ".join(filter(None, (strategy, model)))
            asking = _Asking(service, collections, strategy, model, name)
            results += asking.run(queries, on_progress)
            declined[name] = asking.run(outside, on_progress)
        embedder = service.embedder.embedder_id
    runs = list(dict.fromkeys(result.run for result in results))
    found = {
        "file": f"{file.resolve().parent.name}/{file.name}",
        "n_questions": len(queries),
        "n_outside": len(outside),
        "split": options.split or "not train",
        "embedder": embedder,
        "runs": {run: summarise([r for r in results if r.run == run], declined[run], options.seed) for run in runs},
    }
    if options.answers_file:
        everything = [*results, *(result for run in declined.values() for result in run)]
        options.answers_file.write_bytes(msgspec.json.Encoder().encode_lines(everything))
    if options.report_file:
        write_answers_report(options.report_file, found, results)
    return found


def summarise(results: Sequence[AnswerResult], outside: Sequence[AnswerResult], seed: int = 0) -> dict[str, Any]:
    """Return the figures of one run; counts of citations, addresses and articles are summed over its answers."""
    answered = [result for result in results if result.outcome == "answered"]
    rouge = np.array([result.rouge_l for result in answered if result.rouge_l is not None])
    low, high = bootstrap_interval(rouge, seed)
    latencies = np.array([result.latency_ms for result in answered]) if answered else np.zeros(1)

    def share(part: str, whole: str) -> float | None:
        total = sum(getattr(result, whole) for result in answered)
        return round(sum(getattr(result, part) for result in answered) / total, 4) if total else None

    def rate(outcome: str, of: Sequence[AnswerResult]) -> float | None:
        return round(sum(result.outcome == outcome for result in of) / len(of), 4) if of else None

    return {
        "n_answered": len(answered),
        "abstained": rate("abstained", results),
        "failed": rate("failed", results),
        "asked_back": rate("asked back", results),
        "declined_outside": rate("abstained", outside),
        "citation_recall": share("n_recalled", "n_statements"),
        "citation_precision": share("n_precise", "n_citations"),
        "citations_per_answer": round(sum(r.n_citations for r in answered) / max(len(answered), 1), 2),
        "exact_spans": share("n_exact", "n_spans"),
        "address_accuracy": share("n_true_addresses", "n_addresses"),
        "article_recall": share("n_gold_cited", "n_gold"),
        "article_precision": share("n_gold_cited", "n_articles_cited"),
        "rouge_l": round(float(rouge.mean()), 4) if len(rouge) else None,
        "rouge_l_ci95": [round(low, 4), round(high, 4)],
        "replies_per_answer": round(sum(r.n_replies for r in answered) / max(len(answered), 1), 2),
        "latency_ms": {f"p{q}": round(float(np.quantile(latencies, q / 100)), 1) for q in (50, 95, 99)},
        "prompt_tokens": _sum([r.prompt_tokens for r in answered]),
        "completion_tokens": _sum([r.completion_tokens for r in answered]),
    }


def _sum(counts: Sequence[int | None]) -> int | None:
    """Return the sum, None where a service did not count."""
    return None if not counts or None in counts else sum(filter(None, counts))


def _choose(queries: Sequence[Query], options: AnswerOptions) -> list[Query]:
    split = options.split
    chosen = [q for q in queries if (q.split == split if split else q.split != "train")]
    if options.limit and options.limit < len(chosen):
        order = np.random.default_rng(options.seed).permutation(len(chosen))[: options.limit]
        chosen = [chosen[at] for at in sorted(order)]
    if not chosen:
        raise InvalidInput(f"no question is left of {len(queries)} with split {split!r}")
    return chosen


@contextmanager
def _open(file: Path, options: AnswerOptions) -> Iterator[tuple[Service, tuple[str, ...]]]:
    """Open the home; an empty one is filled from the set that the file belongs to."""
    with open_home(RetrievalOptions(home=options.home, embedder=options.embedder)) as service:
        if not service.collections():
            IndexedSet(LabelledSet(file.parent), service, options.domain).ingest()
            yield service, (COLLECTION,)
        else:
            yield service, options.collections


class _Asking:
    """Asks one strategy with one model."""

    def __init__(self, service: Service, collections: tuple[str, ...], strategy: str, model: str, name: str) -> None:
        self._service = service
        self._collections = collections
        self._strategy = strategy or None
        self._model = model
        self._name = name
        domains = {c.domain for c in service.collections() if c.name in collections or not collections}
        self._grammars = [find_pack(domain).grammar for domain in domain_names() if domain in domains]

    def run(self, queries: Sequence[Query], on_progress: Progress | None) -> list[AnswerResult]:
        return asyncio.run(self._run(queries, on_progress))

    async def _run(self, queries: Sequence[Query], on_progress: Progress | None) -> list[AnswerResult]:
        results = []
        for at, query in enumerate(queries, 1):
            results.append(await self._ask(query))
            if on_progress:
                on_progress(self._name, at, len(queries))
        return results

    async def _ask(self, query: Query) -> AnswerResult:
        reference = str(query.metadata.get("answer") or "")
        facts: dict[str, Any] = {"run": self._name, "query": query.id, "text": query.text, "reference": reference}
        history = [Turn("user", turn) for turn in query.history]
        latency_ms = 0.0
        question = query.text
        reply = REPLY["zh" if any(char >= _HAN_LEAST for char in question) else "en"]
        for n_replies in range(MOST_REPLIES + 1):
            request = AskRequest(
                question=question,
                collections=self._collections,
                history=tuple(history),
                k=self._service.settings.passages,
                model=self._model,
                strategy=self._strategy,
            )
            try:
                answer = await self._service.ask(request)
            except UpstreamFailed:
                return AnswerResult(**facts, outcome="failed", n_replies=n_replies, latency_ms=latency_ms)
            latency_ms += answer.timings_ms["total"]
            if answer.clarify is None:
                return self._measure(query, answer, facts, n_replies, latency_ms)
            history += [Turn("user", question), Turn("assistant", answer.answer)]
            question = reply
        return AnswerResult(**facts, outcome="asked back", n_replies=MOST_REPLIES, latency_ms=latency_ms)

    def _measure(
        self, query: Query, answer: Answer, facts: dict[str, Any], n_replies: int, latency_ms: float
    ) -> AnswerResult:
        timing: dict[str, Any] = {"n_replies": n_replies, "latency_ms": latency_ms, "answer": answer.answer}
        if answer.abstained:
            return AnswerResult(**facts, **timing, outcome="abstained")
        citations = measure_citations(answer, query.text)
        gold = {squeeze(article) for article in query.metadata.get("articles") or ()}
        cited = {article_key(citation.work, citation.locator) for citation in answer.citations if citation.locator}
        addresses = self._addresses(answer.answer)
        reference = facts["reference"]
        return AnswerResult(
            **facts,
            **timing,
            outcome="answered",
            n_statements=citations.n_statements,
            n_recalled=citations.n_recalled,
            n_citations=citations.n_citations,
            n_precise=citations.n_precise,
            n_spans=len(answer.citations),
            n_exact=sum(self._is_exact(answer, at) for at in range(len(answer.citations))),
            n_addresses=len(addresses),
            n_true_addresses=sum(map(self._exists, addresses)),
            n_gold=len(gold),
            n_gold_cited=len(gold & cited),
            n_articles_cited=len(cited) if gold else 0,
            rouge_l=round(rouge_l(own_text(answer.answer), reference), 4) if reference else None,
            prompt_tokens=answer.usage.prompt_tokens,
            completion_tokens=answer.usage.completion_tokens,
        )

    def _is_exact(self, answer: Answer, at: int) -> bool:
        """Whether a citation's quote is what the store holds at its offsets; the store is read again."""
        citation = answer.citations[at]
        try:
            stored = self._service.version_text(citation.version_id, citation.start, citation.end).text
        except (NotFound, InvalidInput):
            return False
        return stored == citation.quote

    def _addresses(self, text: str) -> list[str]:
        """Return the places in works that an answer names outside its quotations, each once, as written."""
        for start, end in quoted_ranges(text):
            text = text[:start] + " " * (end - start) + text[end:]
        found = [a for grammar in self._grammars if grammar for a in grammar.find(text) if _is_place(a)]
        return list(dict.fromkeys(text[a.start : a.end] for a in found))

    def _exists(self, mention: str) -> bool:
        result = self._service.lookup(mention, self._collections)
        return bool(result.passages) and not result.missing


def _is_place(address: Address) -> bool:
    """Whether the words surely name a place in a work: those of a heading may be anybody's."""
    return bool(address.work and address.article) and address.is_certain
