"""The floor: plain BM25 (k1 = 1.2, b = 0.75) over bigrams of Han characters and lower-case words, nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from ragsvc.evaluation.datasets import LabelledSet
from ragsvc.evaluation.results import QueryResult, gold_documents, judge, write_results

ARM = "bm25"
DEPTH = 100
_K1, _B = 1.2, 0.75
_RUN = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+")


def write_floor(folder: Path, split: str | None, output: Path) -> None:
    """Search a set by plain BM25; write the results query by query, as ``evaluate retrieval --queries`` does."""
    labelled = LabelledSet(folder)
    documents = list(labelled.documents())
    queries = labelled.select(split)
    vocabulary: dict[str, int] = {}
    counts = _counts((f"{document.title}\n{document.text}" for document in documents), vocabulary, grow=True)
    weights = _weights(counts).T.tocsr()
    asked = _counts((query.question() for query in queries), vocabulary, grow=False)
    asked.resize(len(queries), len(vocabulary))
    results = []
    for at, query in enumerate(queries):
        scores = np.asarray((asked[at] @ weights).todense()).ravel()
        best = np.lexsort((np.arange(len(scores)), -scores))[:DEPTH]
        hits = [(documents[i].name, float(scores[i])) for i in best if scores[i] > 0]
        relevance = labelled.relevance[query.id]
        arms = {ARM: judge(hits, relevance, _no_excerpt)}
        results.append(
            QueryResult(query=query.id, text=query.text, gold=gold_documents(relevance, _no_excerpt), arms=arms)
        )
    write_results(output, results)


def _no_excerpt(_: str) -> str:
    return ""


def _terms(text: str) -> Iterator[str]:
    for run in _RUN.findall(text.lower()):
        if run[0] < "\u3400" or len(run) == 1:
            yield run
        else:
            yield from (run[i : i + 2] for i in range(len(run) - 1))


def _counts(texts: Iterable[str], vocabulary: dict[str, int], *, grow: bool) -> csr_matrix:
    columns: list[int] = []
    starts = [0]
    for text in texts:
        for term in _terms(text):
            if grow:
                columns.append(vocabulary.setdefault(term, len(vocabulary)))
            elif term in vocabulary:
                columns.append(vocabulary[term])
        starts.append(len(columns))
    counts = csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(starts) - 1, max(len(vocabulary), 1)))
    counts.sum_duplicates()
    return counts


def _weights(counts: csr_matrix) -> csr_matrix:
    n_documents, n_terms = counts.shape
    frequency = np.bincount(counts.indices, minlength=n_terms)
    rarity = np.log(1 + (n_documents - frequency + 0.5) / (frequency + 0.5))
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    rows = np.repeat(np.arange(n_documents), np.diff(counts.indptr))
    weights = counts.copy()
    saturated = weights.data * (_K1 + 1) / (weights.data + _K1 * (1 - _B + _B * lengths[rows] / lengths.mean()))
    weights.data = saturated * rarity[weights.indices]
    return weights
